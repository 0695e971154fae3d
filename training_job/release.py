"""Deploy a registered model version, or roll back: `python -m training_job.release`.

Both start the deploy workflow and follow it. `--roll-back` takes the challenger out of the traffic
if there is one, and else goes back to the version that served before.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from areyouacat.serving_pointer import Strategy
from areyouacat.settings import MAX_BAKE_SECONDS
from training_job.follow import start_and_follow

DEPLOY = "deploy"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: as `training_job.follow`; 2 as well for arguments that make no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m training_job.release", description="Deploy a model version, or roll back."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--version", help="the model version to deploy")
    what.add_argument("--roll-back", action="store_true", help="leave what was deployed last")
    parser.add_argument("--strategy", choices=list(Strategy), help="canary, if not said")
    parser.add_argument("--weight", type=float, help="the challenger's share of callers, (0, 1)")
    parser.add_argument("--bake-seconds", type=int, help="how long it has to prove itself")
    parser.add_argument("--from-version", help="roll back from this version, and from no other")
    parser.add_argument("--reason", help="why, for the record")
    options = parser.parse_args(arguments)
    how = (options.strategy, options.weight, options.bake_seconds)
    if options.roll_back and any(said is not None for said in how):
        parser.error("--roll-back goes back at once: no strategy, weight or bake")
    if options.from_version and not options.roll_back:
        parser.error("--from-version belongs to --roll-back")
    if options.weight is not None and not 0.0 < options.weight < 1.0:
        parser.error(f"--weight {options.weight:g} is no share: say a number between 0 and 1")
    if options.bake_seconds is not None and not 0 <= options.bake_seconds <= MAX_BAKE_SECONDS:
        parser.error(
            f"--bake-seconds is 0 to {MAX_BAKE_SECONDS} ({MAX_BAKE_SECONDS // 86_400} days)"
        )
    return start_and_follow(DEPLOY, json.dumps(execution_input(options)))


def execution_input(options: argparse.Namespace) -> dict[str, Any]:
    """The input of deploy; what was not said is left to the workflow's own settings."""
    asked = {
        "version": options.version,
        "strategy": "roll_back" if options.roll_back else options.strategy,
        "canary_weight": options.weight,
        "bake_seconds": options.bake_seconds,
        "from_version": options.from_version,
        "reason": options.reason,
        "source": "command",
    }
    return {name: value for name, value in asked.items() if value is not None}


if __name__ == "__main__":
    sys.exit(main())
