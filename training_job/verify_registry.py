"""Does MLflow say what serves? `python -m training_job.verify_registry` looks, and repairs it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from areyouacat.execution_history import readable
from training_job.endpoints import Endpoints, UnknownEndpointError

SOUND = 0
DIFFERENT = 1
NOT_ANSWERED = 2

Ask = Callable[[bool], dict[str, Any]]
"""Whether to repair, to what the `verify-registry` function answers."""


class NotVerifiedError(Exception):
    """The function could not say; the message is its own."""


def main(arguments: Sequence[str] | None = None, ask: Ask | None = None) -> int:
    """Exit codes: 0 all is well now, 1 different and left so (`--look`), 2 not answered."""
    parser = argparse.ArgumentParser(
        prog="python -m training_job.verify_registry",
        description="Compare the serving pointer with MLflow's aliases, and repair them.",
    )
    parser.add_argument("--look", action="store_true", help="only look, repair nothing")
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args(arguments)
    try:
        found = (ask or _ask)(not options.look)
    except (UnknownEndpointError, NotVerifiedError) as error:
        print(error, file=sys.stderr)
        return NOT_ANSWERED
    except (BotoCoreError, ClientError) as error:
        print(f"Lambda cannot be reached or refused: {error}. Is it up?", file=sys.stderr)
        return NOT_ANSWERED
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(lines(found)))
    different = bool(found["differences"] or found["abandoned"])
    return DIFFERENT if different and not found["repaired"] else SOUND


def lines(found: dict[str, Any]) -> list[str]:
    """The answer in words."""
    if found["champion"] is None:
        return ["Nothing serves yet, so there is nothing to compare."]
    done, said = found["repaired"], []
    if found["abandoned"]:
        what = "was taken out of" if done else "is still in"
        said.append(f"The challenger of {found['abandoned']}, which has ended, {what} the traffic.")
    for one in found["differences"]:
        was, should = one["registry_version"] or "nothing", one["pointer_version"] or "nothing"
        verb = "pointed" if done else "points"
        said.append(f"The alias {one['alias']} {verb} to {was}; what serves says {should}.")
    if not said:
        return [f"MLflow and the serving pointer agree: version {found['champion']} serves."]
    return [*said, "Repaired." if done else "Repair it with make verify-registry."]


def _ask(repair: bool) -> dict[str, Any]:
    endpoints = Endpoints.load()
    function = endpoints.require_verify_registry_function()
    answer = endpoints.client("lambda").invoke(
        FunctionName=function, Payload=json.dumps({"repair": repair}).encode()
    )
    text = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        raise NotVerifiedError(readable(text))
    found: dict[str, Any] = json.loads(text)
    return found


if __name__ == "__main__":
    sys.exit(main())
