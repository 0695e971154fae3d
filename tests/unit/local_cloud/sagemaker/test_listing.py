"""ListTrainingJobs: filters, order, pages."""

from dataclasses import replace
from typing import Any

import pytest

from local_cloud.sagemaker.api.listing import list_jobs
from local_cloud.sagemaker.errors import ValidationError
from local_cloud.sagemaker.records import training_job
from local_cloud.sagemaker.records.jobs import Job, JobKey, Outcome


def job(name: str, created: float, status: str = "InProgress") -> Job:
    new = Job.created(JobKey("1", "r", name), {}, created, {})
    return new if status == "InProgress" else new.ended(Outcome(status, status, ""), created + 10)


JOBS = [job("b-old", 100, "Completed"), job("a-new", 300), job("c-mid", 200, "Failed")]


def names(**request: Any) -> list[str]:
    return [job.key.name for job in list_jobs(JOBS, request)[0]]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ["b-old", "c-mid", "a-new"]),
        ({"SortOrder": "Descending"}, ["a-new", "c-mid", "b-old"]),
        ({"SortBy": "Name"}, ["a-new", "b-old", "c-mid"]),
        ({"SortBy": "Status"}, ["b-old", "c-mid", "a-new"]),
        ({"StatusEquals": "Failed"}, ["c-mid"]),
        ({"NameContains": "NEW"}, ["a-new"]),
        ({"CreationTimeAfter": 150}, ["c-mid", "a-new"]),
        ({"CreationTimeBefore": 150}, ["b-old"]),
        ({"LastModifiedTimeAfter": 205}, ["c-mid", "a-new"]),
        ({"LastModifiedTimeBefore": 205}, ["b-old"]),
        ({"WarmPoolStatusEquals": "InUse"}, []),
        ({"MaxResults": 1}, ["b-old"]),
    ],
)
def test_jobs_are_filtered_and_sorted(request_: dict[str, Any], expected: list[str]) -> None:
    assert names(**request_) == expected


def test_pages_together_hold_every_job_once() -> None:
    jobs = [replace(JOBS[0], key=JobKey("1", "r", f"job-{n}")) for n in range(25)]

    page, following = list_jobs(jobs, {})
    found = [job.key.name for job in page]
    while following:
        page, following = list_jobs(jobs, {"NextToken": following})
        found += [job.key.name for job in page]

    assert len(found) == len(set(found)) == 25


def test_a_summary_has_the_time_of_the_end_only_if_there_was_one() -> None:
    ended, running = list_jobs(JOBS, {"SortBy": "Status"})[0][::2]

    assert training_job.summary(ended)["TrainingEndTime"] == 110
    assert "TrainingEndTime" not in training_job.summary(running)


@pytest.mark.parametrize("token", ["?", "bm90IGEgbnVtYmVy", "LTE="])
def test_an_invented_token_is_refused(token: str) -> None:
    with pytest.raises(ValidationError, match="Invalid NextToken"):
        list_jobs(JOBS, {"NextToken": token})
