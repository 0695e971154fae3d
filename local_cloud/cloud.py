"""What the commands ask of the running local cloud, through the AWS APIs."""

import http
import json
import ssl
import urllib.error
import urllib.request
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local_cloud.layout import STACK, Layout
from local_cloud.settings import REGION
from local_cloud.supervisor import poll

_SETTLED: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
_CONFIG: Final = Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 3})


class Cloud:
    """A thin client of one local cloud."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._environment = layout.client_environment()
        self._tls = ssl.create_default_context(cafile=str(layout.ca_bundle))

    def client(self, service: str) -> Any:
        """A boto3 client that speaks to this cloud as the account's root."""
        make: Any = boto3.client  # the stubs want each service's name as a literal
        return make(
            service,
            region_name=REGION,
            endpoint_url=self._environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=self._environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self._environment["AWS_SECRET_ACCESS_KEY"],
            verify=str(self._layout.ca_bundle),
            config=_CONFIG,
        )

    def health(self) -> dict[str, Any] | None:
        """The gateway's own word of itself, or None if it does not answer."""
        try:
            return self._get(f"{self._environment['AWS_ENDPOINT_URL']}/_local/health")
        except (OSError, ValueError):
            return None

    def checkpoint(self) -> None:
        """Have the emulator save itself whole now.

        Raises:
            TimeoutError: it cannot, since the stack is still being changed.
        """
        for _ in poll(seconds=60.0):
            if self._asked_for_checkpoint():
                return
        raise TimeoutError("the local cloud cannot save itself: a stack is still being changed")

    def _asked_for_checkpoint(self) -> bool:
        request = urllib.request.Request(  # noqa: S310
            f"{self._environment['AWS_ENDPOINT_URL']}/_local/checkpoint", method="POST"
        )
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=60):  # noqa: S310
                return True
        except urllib.error.HTTPError as error:
            if error.code == http.HTTPStatus.CONFLICT:
                return False
            raise

    def stack_status(self, name: str = STACK) -> str | None:
        """CloudFormation's status of a stack, or None if there is none."""
        stack = self._stack(name)
        return str(stack["StackStatus"]) if stack else None

    def stack_id(self, name: str = STACK) -> str | None:
        """A stack's ARN, another one each time it is created anew; None if there is none."""
        stack = self._stack(name)
        return str(stack["StackId"]) if stack else None

    def settle(self, name: str, seconds: float = 300.0) -> None:
        """Wait for a deployment that still runs, its command having been killed.

        A stack in REVIEW_IN_PROGRESS waits for its command, and that is gone.

        Raises:
            TimeoutError: it still runs.
        """
        for _ in poll(seconds):
            status = self.stack_status(name) or ""
            if not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS":
                return
        raise TimeoutError(f"the stack {name} is still being changed after {seconds:.0f} s")

    def is_broken(self, name: str) -> bool:
        """Whether a stack is in a state that no further deploy mends."""
        status = self.stack_status(name)
        return status is not None and status not in _SETTLED

    def has_champion(self, lake_bucket: str) -> bool:
        """Whether the serving pointer exists."""
        try:
            self.client("s3").head_object(Bucket=lake_bucket, Key="serving/live.json")
        except ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NoSuchBucket"}:
                return False
            raise
        return True

    def running_executions(self, state_machine: str) -> list[str]:
        """ARNs of a state machine's executions that run now."""
        found = self.client("stepfunctions").list_executions(
            stateMachineArn=state_machine, statusFilter="RUNNING"
        )
        return [str(execution["executionArn"]) for execution in found["executions"]]

    def predict(self, api_url: str, api_key: str, photo: bytes) -> dict[str, Any]:
        """One real prediction through API Gateway.

        Raises:
            OSError: the API does not answer, or refuses.
        """
        request = urllib.request.Request(  # noqa: S310
            f"{api_url}predict",
            data=photo,
            headers={"x-api-key": api_key, "content-type": "application/octet-stream"},
            method="POST",
        )
        with urllib.request.urlopen(request, context=self._tls, timeout=60) as answer:  # noqa: S310
            body: dict[str, Any] = json.load(answer)
        return body

    def _stack(self, name: str) -> dict[str, Any] | None:
        try:
            found = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                return None
            raise
        stack: dict[str, Any] = found[0]
        return stack

    def _get(self, url: str) -> dict[str, Any]:
        with urllib.request.urlopen(url, context=self._tls, timeout=5) as answer:  # noqa: S310
            body: dict[str, Any] = json.load(answer)
        return body
