"""The training lease: at most one training at a time, whatever started it."""

import hashlib
import re
from typing import Final

_JOB_PREFIX: Final = "areyouacat-"
_JOB_NAME_LIMIT: Final = 63  # characters; SageMaker's own

RUNNING: Final = "RUNNING"


def is_stale(holder_status: str | None) -> bool:
    """Whether a lease can be taken over, by the status of the execution that holds it.

    `holder_status`: DescribeExecution's `status`, or None if it knows no such execution.
    """
    return holder_status != RUNNING


def training_job_name(execution_name: str) -> str:
    """A training job name for an execution: the same for the same execution, else another.

    Matches SageMaker's `[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}`. Execution names are unique for
    90 days only and job names for ever, but ours are UUIDs or carry a time.
    """
    digest = hashlib.sha256(execution_name.encode()).hexdigest()[:8]
    readable = re.sub(r"[^a-zA-Z0-9]+", "-", execution_name).strip("-")
    room = _JOB_NAME_LIMIT - len(_JOB_PREFIX) - len(digest) - 1
    readable = readable[:room].strip("-")
    return f"{_JOB_PREFIX}{readable}-{digest}" if readable else f"{_JOB_PREFIX}{digest}"
