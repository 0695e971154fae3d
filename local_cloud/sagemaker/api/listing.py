"""ListTrainingJobs and ListProcessingJobs: filters, order, pages."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from local_cloud.sagemaker.errors import ValidationError
from local_cloud.sagemaker.records.jobs import Job

Item = TypeVar("Item")
DEFAULT_PAGE = 10

_SORT_KEYS: dict[str, Callable[[Job], tuple[Any, ...]]] = {
    "Name": lambda job: (job.key.name,),
    "CreationTime": lambda job: (job.creation_time, job.key.name),
    "Status": lambda job: (job.status, job.creation_time, job.key.name),
}


def list_jobs(jobs: list[Job], request: Mapping[str, Any]) -> tuple[list[Job], str | None]:
    """One page of the jobs that a request, which fits its input shape, asks for; and NextToken.

    AWS's defaults: by creation time, ascending, ten a page.
    """
    order = _SORT_KEYS[request.get("SortBy", "CreationTime")]
    descending = request.get("SortOrder", "Ascending") == "Descending"
    found = sorted((job for job in jobs if _matches(job, request)), key=order, reverse=descending)
    return page(found, request, DEFAULT_PAGE)


def page(
    items: Sequence[Item], request: Mapping[str, Any], default: int
) -> tuple[list[Item], str | None]:
    """The items that NextToken and MaxResults of a request ask for; and the next NextToken."""
    start = _offset(request.get("NextToken"))
    end = start + int(request.get("MaxResults", default))
    following = base64.urlsafe_b64encode(str(end).encode()).decode() if end < len(items) else None
    return list(items[start:end]), following


def _matches(job: Job, request: Mapping[str, Any]) -> bool:
    # Warm pools and training plans do not exist here, so no job is in one.
    if "WarmPoolStatusEquals" in request or "TrainingPlanArnEquals" in request:
        return False
    endless = float("inf")
    return (
        request.get("NameContains", "").lower() in job.key.name.lower()
        and request.get("StatusEquals", job.status) == job.status
        and request.get("CreationTimeAfter", -endless) <= job.creation_time
        and request.get("CreationTimeBefore", endless) >= job.creation_time
        and request.get("LastModifiedTimeAfter", -endless) <= job.last_modified_time
        and request.get("LastModifiedTimeBefore", endless) >= job.last_modified_time
    )


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        offset = int(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error):
        offset = -1
    if offset < 0:
        raise ValidationError("Invalid NextToken: pass the one that the former page gave")
    return offset
