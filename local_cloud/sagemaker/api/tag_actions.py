"""AddTags, ListTags, DeleteTags, on plain values."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local_cloud.sagemaker.api import tags
from local_cloud.sagemaker.api.listing import page
from local_cloud.sagemaker.errors import ValidationError
from local_cloud.sagemaker.records.jobs import Job, JobKey, Kind
from local_cloud.sagemaker.records.store import JobStore

Payload = Mapping[str, Any]


class TagActions:
    """The actions on tags of jobs. Each gives AWS's output, or raises SageMakerError."""

    def __init__(self, store: JobStore) -> None:
        self._store = store

    def add(self, payload: Payload, account: str, region: str) -> dict[str, Any]:
        """AddTags: a key that is there gets the new value."""
        given = tags.given(payload["Tags"])
        key = self._existing(payload, account, region).key
        job = self._store.update(
            key, lambda job: replace(job, tags=tags.limited({**job.tags, **given}))
        )
        return {"Tags": tags.listed(job.tags)}

    def list(self, payload: Payload, account: str, region: str) -> dict[str, Any]:
        """ListTags."""
        job = self._existing(payload, account, region)
        found, following = page(tags.listed(job.tags), payload, tags.MAX_TAGS)
        listed: dict[str, Any] = {"Tags": found}
        return {**listed, "NextToken": following} if following else listed

    def delete(self, payload: Payload, account: str, region: str) -> dict[str, Any]:
        """DeleteTags: keys that are not there are no error."""
        gone = set(payload["TagKeys"])
        key = self._existing(payload, account, region).key
        self._store.update(
            key,
            lambda job: replace(
                job, tags={name: value for name, value in job.tags.items() if name not in gone}
            ),
        )
        return {}

    def _existing(self, payload: Payload, account: str, region: str) -> Job:
        arn = payload["ResourceArn"]
        kind, _, name = arn.rpartition(":")[2].partition("/")
        job = (
            self._store.get(JobKey(account, region, name, Kind(kind)))
            if kind in tuple(Kind)
            else None
        )
        if job is None or job.key.arn != arn:
            raise ValidationError(f"Could not find the resource {arn}: the local cloud tags jobs")
        return job
