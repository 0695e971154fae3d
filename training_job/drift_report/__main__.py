"""The container's entry point: `python -m training_job.drift_report`.

Exit codes: 0 the report is written; 1 failed, with the reason in output/message.
"""

import logging
import os
import sys

from areyouacat.errors import AreYouACatError
from training_job.drift_report.environment import base_paths, read_environment

EXIT_FAILED = 1

_LOG = logging.getLogger("training_job.drift_report")


def main() -> int:
    """Make the report; whatever goes wrong, SageMaker gets a reason."""
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    # Read when Evidently is imported; the image says it, too.
    os.environ.setdefault("DO_NOT_TRACK", "1")
    paths = base_paths(os.environ)
    try:
        told = read_environment(os.environ)
        # Evidently takes ten seconds to import: a missing variable must not wait for it.
        from training_job.drift_report.job import make_report  # noqa: PLC0415

        tracked = make_report(paths, told)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        _LOG.error("%s", reason, exc_info=not isinstance(error, AreYouACatError))
        paths.say(reason)
        return EXIT_FAILED
    where = f"MLflow run {tracked.run_id}" if tracked.run_id else "no MLflow run"
    paths.say(f"Report of {told.window_end}: {where}. {tracked.problem or ''}".strip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
