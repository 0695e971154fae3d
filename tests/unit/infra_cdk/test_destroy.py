"""After `make destroy` nothing is left that is billed, however often it was cut off before."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from infra_cdk.destroy import DestroyError, destroy
from infra_cdk.leftovers import Leftover, Removal, leftovers, remove

STACK = "Cats"
REGION = "eu-west-1"
TEMPLATE = {
    "Resources": {
        "Lake": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"},
        "Predictions": {
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": "Retain",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "DeletionProtectionEnabled": True,
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            },
        },
        "Letters": {"Type": "AWS::SQS::Queue"},
    }
}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def client(service: str) -> Any:
    make: Any = boto3.client
    return make(service, region_name=REGION)


def deployed() -> dict[str, str]:
    """The physical ids of a stack with data in it."""
    cloudformation = client("cloudformation")
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(TEMPLATE))
    names = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in cloudformation.list_stack_resources(StackName=STACK)[
            "StackResourceSummaries"
        ]
    }
    s3 = client("s3")
    s3.put_bucket_versioning(Bucket=names["Lake"], VersioningConfiguration={"Status": "Enabled"})
    for content in (b"one", b"two"):
        s3.put_object(Bucket=names["Lake"], Key="photos/a", Body=content)
    s3.delete_object(Bucket=names["Lake"], Key="photos/a")
    client("dynamodb").put_item(TableName=names["Predictions"], Item={"id": {"S": "1"}})
    return names


def test_a_stack_goes_with_its_data() -> None:
    deployed()

    destroy(client, STACK, lambda _: None, wait=lambda: None)

    assert client("s3").list_buckets()["Buckets"] == []
    assert client("dynamodb").list_tables()["TableNames"] == []


def test_data_that_was_kept_goes_with_all_its_versions() -> None:
    names = deployed()
    said: list[str] = []

    for kind, name in (("S3::Bucket", "Lake"), ("DynamoDB::Table", "Predictions")):
        left = Leftover(f"AWS::{kind}", names[name])
        assert remove(left, client, said.append) is Removal.DONE

    assert client("s3").list_buckets()["Buckets"] == []
    assert client("dynamodb").list_tables()["TableNames"] == []
    assert any("3 object versions" in line for line in said)


def test_destroying_twice_is_destroying_once() -> None:
    deployed()
    destroy(client, STACK, lambda _: None, wait=lambda: None)

    destroy(client, STACK, lambda _: None, wait=lambda: None)


def test_where_nothing_was_deployed_there_is_nothing_to_do() -> None:
    said: list[str] = []

    destroy(client, STACK, said.append, wait=lambda: None)

    assert said == []


class Remembering:
    """CloudFormation after a deletion: what AWS's API answers for 90 days."""

    def __init__(self, *resources: tuple[str, str, str]) -> None:
        self._resources = resources

    def describe_stacks(self, **_: Any) -> dict[str, Any]:
        raise ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStacks")

    def get_paginator(self, operation: str) -> Any:
        return {"list_stacks": _Stacks(), "list_stack_resources": _Resources(self._resources)}[
            operation
        ]


class _Stacks:
    def paginate(self, StackStatusFilter: list[str]) -> Iterator[dict[str, Any]]:  # noqa: N803 - AWS's
        assert set(StackStatusFilter) == {"DELETE_COMPLETE", "DELETE_FAILED"}
        yield {"StackSummaries": [{"StackName": "Other", "StackId": "other"}]}
        yield {"StackSummaries": [{"StackName": STACK, "StackId": "ours"}]}


class _Resources:
    def __init__(self, resources: tuple[tuple[str, str, str], ...]) -> None:
        self._resources = resources

    def paginate(self, StackName: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert StackName in {"ours", STACK}
        yield {
            "StackResourceSummaries": [
                {"ResourceType": kind, "PhysicalResourceId": name, "ResourceStatus": status}
                for kind, name, status in self._resources
            ]
        }


def with_memory(cloudformation: Any) -> Any:
    return lambda service: cloudformation if service == "cloudformation" else client(service)


def test_what_an_earlier_run_left_is_found_by_cloudformations_memory() -> None:
    client("s3").create_bucket(
        Bucket="forgotten", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    memory = Remembering(
        ("AWS::S3::Bucket", "forgotten", "DELETE_SKIPPED"),
        ("AWS::SQS::Queue", "gone", "DELETE_COMPLETE"),
    )

    destroy(with_memory(memory), STACK, lambda _: None, wait=lambda: None)

    assert client("s3").list_buckets()["Buckets"] == []


def test_a_kind_that_nothing_here_removes_is_named() -> None:
    memory = Remembering(("AWS::EC2::Instance", "i-1", "DELETE_SKIPPED"))

    with pytest.raises(DestroyError, match="EC2 Instance i-1"):
        destroy(with_memory(memory), STACK, lambda _: None, wait=lambda: None)


def test_what_belongs_to_the_account_and_costs_nothing_stays() -> None:
    memory = Remembering(("AWS::IAM::Role", "logging", "DELETE_SKIPPED"))

    destroy(with_memory(memory), STACK, lambda _: None, wait=lambda: None)


def test_leftovers_are_those_that_were_skipped_or_failed() -> None:
    memory = Remembering(
        ("AWS::S3::Bucket", "a", "DELETE_SKIPPED"),
        ("AWS::S3::Bucket", "b", "DELETE_FAILED"),
        ("AWS::S3::Bucket", "c", "DELETE_COMPLETE"),
    )

    assert [left.name for left in leftovers(memory, STACK)] == ["a", "b"]


class Standing(Remembering):
    """A protected stack, and the status in which CloudFormation leaves it."""

    def __init__(self, status_after: str) -> None:
        super().__init__()
        self._status_after = status_after
        self.protected = True
        self.deletions = 0

    def describe_stacks(self, **_: Any) -> dict[str, Any]:
        status = self._status_after if self.deletions else "CREATE_COMPLETE"
        return {
            "Stacks": [
                {
                    "StackId": "ours",
                    "StackStatus": status,
                    "EnableTerminationProtection": self.protected,
                }
            ]
        }

    def update_termination_protection(self, **asked: Any) -> None:
        self.protected = asked["EnableTerminationProtection"]

    def delete_stack(self, **_: Any) -> None:
        assert not self.protected, "AWS refuses to delete a protected stack"
        self.deletions += 1


def test_termination_protection_is_lifted_by_whoever_means_it() -> None:
    stack = Standing("DELETE_COMPLETE")

    destroy(with_memory(stack), STACK, lambda _: None, wait=lambda: None)

    assert stack.deletions == 1


def test_a_stack_that_cannot_be_deleted_is_tried_once_more_and_told() -> None:
    stack = Standing("DELETE_FAILED")

    with pytest.raises(DestroyError, match="describe-stack-events --stack-name Cats"):
        destroy(with_memory(stack), STACK, lambda _: None, wait=lambda: None)

    assert stack.deletions == 2


def test_a_deletion_without_end_is_given_up_with_the_remedy() -> None:
    with pytest.raises(DestroyError, match="run make destroy again"):
        destroy(
            with_memory(Standing("DELETE_IN_PROGRESS")),
            STACK,
            lambda _: None,
            wait=lambda: None,
            deadline_seconds=0.01,
        )


@pytest.mark.parametrize(
    "left",
    [
        Leftover("AWS::S3::Bucket", "not-there"),
        Leftover("AWS::DynamoDB::Table", "not-there"),
        Leftover("AWS::ECR::Repository", "not-there"),
        Leftover("AWS::Logs::LogGroup", "not-there"),
    ],
    ids=str,
)
def test_what_is_gone_already_needs_no_removing(left: Leftover) -> None:
    assert remove(left, client, lambda _: None) is Removal.GONE_ALREADY


def test_images_and_logs_go_too() -> None:
    client("ecr").create_repository(repositoryName="images")
    client("logs").create_log_group(logGroupName="/aws/lambda/one")

    for left in (
        Leftover("AWS::ECR::Repository", "images"),
        Leftover("AWS::Logs::LogGroup", "/aws/lambda/one"),
    ):
        assert remove(left, client, lambda _: None) is Removal.DONE

    assert client("ecr").describe_repositories()["repositories"] == []
    assert client("logs").describe_log_groups()["logGroups"] == []


def test_a_key_is_scheduled_once() -> None:
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]

    for _ in range(2):
        remove(Leftover("AWS::KMS::Key", key), client, lambda _: None)

    assert client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_log_streams_of_our_jobs_go_and_those_of_others_stay() -> None:
    logs = client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    logs.create_log_group(logGroupName=group)
    for job in ("areyouacat-1/algo-1", "others/algo-1"):
        logs.create_log_stream(logGroupName=group, logStreamName=job)

    destroy(client, STACK, lambda _: None, wait=lambda: None)

    streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == ["others/algo-1"]
