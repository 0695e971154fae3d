"""ListTrainingJobs: filters, order, pages."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from local_cloud.sagemaker.errors import ValidationError
from local_cloud.sagemaker.jobs import TrainingJob

DEFAULT_PAGE = 10

_SORT_KEYS = {
    "Name": lambda job: (job.key.name,),
    "CreationTime": lambda job: (job.creation_time, job.key.name),
    "Status": lambda job: (job.status, job.creation_time, job.key.name),
}


def list_jobs(jobs: list[TrainingJob], request: Mapping[str, Any]) -> dict[str, Any]:
    """The ListTrainingJobs output for a request that fits the input shape.

    AWS's defaults: by creation time, ascending, ten a page.
    """
    order = _SORT_KEYS[request.get("SortBy", "CreationTime")]
    descending = request.get("SortOrder", "Ascending") == "Descending"
    found = sorted((job for job in jobs if _matches(job, request)), key=order, reverse=descending)
    start = _offset(request.get("NextToken"))
    end = start + int(request.get("MaxResults", DEFAULT_PAGE))
    page: dict[str, Any] = {"TrainingJobSummaries": [job.summary() for job in found[start:end]]}
    if end < len(found):
        page["NextToken"] = base64.urlsafe_b64encode(str(end).encode()).decode()
    return page


def _matches(job: TrainingJob, request: Mapping[str, Any]) -> bool:
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
