"""The container's entry point: `python -m training_job.train`.

Exit codes: 0 trained; 1 failed, with the reason in output/failure; 143 stopped by SIGTERM.
"""

import logging
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING

from training_job.errors import TrainingError
from training_job.failure import failure_reason, leave_reason
from training_job.sagemaker_env import (
    Paths,
    TrainingEnvironment,
    base_paths,
    read_environment,
)

if TYPE_CHECKING:
    from training_job.tracking import Run, RunStatus

EXIT_FAILED = 1
EXIT_STOPPED = 128 + signal.SIGTERM

_LOG = logging.getLogger("training_job")


class Stopped(BaseException):
    """SageMaker asked the job to stop (SIGTERM); no error that anything may handle on its way."""


def main() -> int:
    """Run the job; SageMaker's argument `train` is accepted and means nothing more."""
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    for library in ("absl", "botocore", "matplotlib", "tensorflow"):
        logging.getLogger(library).setLevel(logging.WARNING)
    # Read when TensorFlow and MLflow are imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # the same bits on every CPU
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    signal.signal(signal.SIGTERM, _stop)
    paths = base_paths(os.environ)
    try:
        train(read_environment(os.environ))
    except Stopped:
        _LOG.warning("stopped by SIGTERM")
        return EXIT_STOPPED
    except TrainingError as error:
        return _fail(paths, error)
    except Exception as error:  # whatever it is, SageMaker must get a reason
        _LOG.exception("unexpected error")
        return _fail(paths, error)
    return 0


def train(environment: TrainingEnvironment) -> None:
    """Open the MLflow run, do the job, and close the run with what really happened."""
    # MLflow takes seconds to import, TensorFlow more than ten: a wrong hyperparameter must not wait
    # for the one, nor an unreachable tracking server for the other.
    from training_job.tracking import start_run  # noqa: PLC0415

    run = start_run(
        environment.mlflow_tracking_uri,
        environment.mlflow_experiment_name,
        environment.training_job_name,
        environment.tags(),
    )
    try:
        from training_job.job import run_job  # noqa: PLC0415
        from training_job.lake_store import S3Lake  # noqa: PLC0415

        spec = run_job(environment, S3Lake(environment.lake_bucket), run)
    except BaseException as error:
        _end_without_hiding(run, "KILLED" if isinstance(error, Stopped) else "FAILED")
        raise
    run.end("FINISHED")
    _LOG.info("model ready: %s, TFLite %s", spec.mode, spec.tflite.variant)


def _end_without_hiding(run: "Run", status: "RunStatus") -> None:
    """Close the run; if the tracking server is gone, the first error is still what is reported."""
    try:
        run.end(status)
    except Exception:
        _LOG.exception("the MLflow run could not be marked %s", status)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough; closing the run takes a moment
    raise Stopped


def _fail(paths: Paths, error: Exception) -> int:
    reason = failure_reason(error)
    _LOG.error("%s", reason)
    leave_reason(paths, reason)
    return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
