"""What outlives a stack on purpose, and how each kind of it is removed for good.

CloudFormation remembers a deleted stack's resources for 90 days, those that it was told to leave
among them. Source: ListStackResources, AWS CloudFormation API reference.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from botocore.exceptions import ClientError

KEY_DELETION_DAYS: Final = 7  # KMS's shortest
COSTS_NOTHING: Final = {
    "AWS::ApiGateway::Account": "the account's other APIs may log with it",
    "AWS::IAM::Role": "the account's other APIs may log with it",
    "AWS::IAM::Policy": "the account's other APIs may log with it",
}
"""Kinds that stay: they belong to the whole account and are not billed."""

_GONE: Final = frozenset(
    {
        "404",
        "NoSuchBucket",
        "NotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "RepositoryNotFoundException",
    }
)

Clients = Callable[[str], Any]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Leftover:
    """A resource that the stack left: its CloudFormation type and physical id."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.removeprefix('AWS::').replace('::', ' ')} {self.name}"


def leftovers(cloudformation: Any, stack: str) -> Iterator[Leftover]:
    """What deleted stacks of that name left, or could not delete. May be gone since."""
    deleted = cloudformation.get_paginator("list_stacks").paginate(
        StackStatusFilter=["DELETE_COMPLETE", "DELETE_FAILED"]
    )
    identifiers = [
        summary["StackId"]
        for page in deleted
        for summary in page["StackSummaries"]
        if summary["StackName"] == stack
    ]
    seen = set()
    for identifier in identifiers:
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=identifier)
        for page in pages:
            for resource in page["StackResourceSummaries"]:
                left = Leftover(resource["ResourceType"], resource.get("PhysicalResourceId", ""))
                kept = resource["ResourceStatus"] in {"DELETE_SKIPPED", "DELETE_FAILED"}
                if kept and left.name and left not in seen:
                    seen.add(left)
                    yield left


class Removal(StrEnum):
    """What came of removing a leftover."""

    DONE = "done"
    GONE_ALREADY = "gone already"
    UNKNOWN_KIND = "unknown kind"


def remove(left: Leftover, clients: Clients, say: Say) -> Removal:
    """Remove a leftover and all that is in it.

    Raises:
        botocore.exceptions.ClientError: AWS refuses.
    """
    remover = _REMOVERS.get(left.kind)
    if remover is None:
        return Removal.UNKNOWN_KIND
    try:
        remover(left.name, clients, say)
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            return Removal.GONE_ALREADY
        raise
    return Removal.DONE


def _bucket(name: str, clients: Clients, say: Say) -> None:
    s3 = clients("s3")
    removed = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        batch = [
            {"Key": entry["Key"], "VersionId": entry["VersionId"]}
            for entry in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
        ]
        if not batch:
            continue
        answer = s3.delete_objects(Bucket=name, Delete={"Objects": batch, "Quiet": True})
        for failed in answer.get("Errors", [])[:1]:
            raise ClientError({"Error": failed}, "DeleteObjects")
        removed += len(batch)
        say(f"    {removed:,} object versions of {name} removed")
    s3.delete_bucket(Bucket=name)


def _table(name: str, clients: Clients, _: Say) -> None:
    dynamodb = clients("dynamodb")
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    dynamodb.delete_table(TableName=name)
    dynamodb.get_waiter("table_not_exists").wait(TableName=name)


def _repository(name: str, clients: Clients, _: Say) -> None:
    clients("ecr").delete_repository(repositoryName=name, force=True)


def _log_group(name: str, clients: Clients, _: Say) -> None:
    clients("logs").delete_log_group(logGroupName=name)


def _mlflow_app(name: str, clients: Clients, _: Say) -> None:
    clients("sagemaker").delete_mlflow_app(Arn=name)


def _key(name: str, clients: Clients, say: Say) -> None:
    kms = clients("kms")
    if kms.describe_key(KeyId=name)["KeyMetadata"]["KeyState"] != "PendingDeletion":
        kms.schedule_key_deletion(KeyId=name, PendingWindowInDays=KEY_DELETION_DAYS)
    say(f"    the key {name} is deleted in {KEY_DELETION_DAYS} days, and not billed until then")


_REMOVERS: Final[Mapping[str, Callable[[str, Clients, Say], None]]] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::DynamoDB::Table": _table,
    "AWS::ECR::Repository": _repository,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::SageMaker::MlflowApp": _mlflow_app,
    "AWS::KMS::Key": _key,
}
