"""The actions of the SageMaker API by their names."""

from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.sagemaker.api.job_actions import JobActions
from local_cloud.sagemaker.api.tag_actions import TagActions
from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.errors import UnknownOperationError
from local_cloud.sagemaker.records.job_types import JOB_TYPES
from local_cloud.sagemaker.records.store import JobStore
from local_cloud.sagemaker.requests.shapes import validate
from local_cloud.sagemaker.running.job_queue import JobQueue

Action = Callable[[Mapping[str, Any], str, str], dict[str, Any]]


class SageMakerApi:
    """Create, Describe, List, Stop and Delete of training and processing jobs; tags."""

    def __init__(self, config: SageMakerConfig, store: JobStore, queue: JobQueue) -> None:
        tagging = TagActions(store)
        self._actions: dict[str, Action] = {
            "AddTags": tagging.add,
            "ListTags": tagging.list,
            "DeleteTags": tagging.delete,
        }
        for kind in JOB_TYPES.values():
            jobs = JobActions(config, store, queue, kind)
            self._actions |= {
                f"Create{kind.noun}": jobs.create,
                f"Describe{kind.noun}": jobs.describe,
                f"List{kind.noun}s": jobs.list,
                f"Stop{kind.noun}": jobs.stop,
                f"Delete{kind.noun}": jobs.delete,
            }

    def call(self, action: str, payload: Any, account: str, region: str) -> dict[str, Any]:
        """The action's output; SageMakerError if it is refused."""
        handler = self._actions.get(action)
        if handler is None:
            raise UnknownOperationError(
                f"The local cloud does not have SageMaker's {action}."
                f" It has: {', '.join(sorted(self._actions))}"
            )
        validate(action, payload)
        return handler(payload, account, region)
