"""What IAM knows of SageMaker's requests."""

import json

import pytest

from local_cloud.sagemaker.iam import (
    SAGEMAKER_PRINCIPAL,
    Permission,
    also_needed,
    resource_arn,
    trusts_service,
)


@pytest.mark.parametrize(
    ("action", "payload", "arn"),
    [
        ("CreateTrainingJob", {"TrainingJobName": "a"}, "training-job/a"),
        ("DescribeTrainingJob", {"TrainingJobName": "a"}, "training-job/a"),
        ("CreateProcessingJob", {"ProcessingJobName": "b"}, "processing-job/b"),
    ],
)
def test_a_request_is_checked_on_the_job_it_names(
    action: str, payload: dict[str, object], arn: str
) -> None:
    found = resource_arn(action, payload, "123456789012", "eu-west-1")

    assert found == f"arn:aws:sagemaker:eu-west-1:123456789012:{arn}"


def test_a_request_on_a_resource_by_arn_is_checked_on_that_arn() -> None:
    assert resource_arn("ListTags", {"ResourceArn": "arn:x"}, "1", "r") == "arn:x"


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("ListTrainingJobs", {"NameContains": "a"}),
        ("DescribeTrainingJob", {}),
        ("DescribeTrainingJob", {"TrainingJobName": 3}),
        ("DescribeTrainingJob", None),
    ],
)
def test_a_request_that_names_no_job_is_checked_on_all(
    action: str, payload: dict[str, object] | None
) -> None:
    assert resource_arn(action, payload, "1", "r") == "*"


def test_a_job_with_a_role_and_tags_needs_the_permissions_to_give_them() -> None:
    role = "arn:aws:iam::1:role/job"
    request = {
        "TrainingJobName": "a",
        "RoleArn": role,
        "Tags": [{"Key": "team", "Value": "cats"}],
    }

    found = also_needed("CreateTrainingJob", request, "1", "r")

    passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    assert found == [
        Permission("iam:PassRole", role, passed),
        Permission("sagemaker:AddTags", "arn:aws:sagemaker:r:1:training-job/a", {}),
    ]


@pytest.mark.parametrize(
    ("action", "request_"),
    [
        ("DescribeTrainingJob", {"TrainingJobName": "a"}),
        ("CreateTrainingJob", {"TrainingJobName": "a", "Tags": []}),
        ("AddTags", {"ResourceArn": "arn:x", "Tags": [{"Key": "a", "Value": "b"}]}),
    ],
)
def test_other_requests_need_their_own_permission_only(
    action: str, request_: dict[str, object]
) -> None:
    assert also_needed(action, request_, "1", "r") == []


def trust(**statement: object) -> dict[str, object]:
    base = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": SAGEMAKER_PRINCIPAL},
    }
    return {"Statement": [{**base, **statement}]}


@pytest.mark.parametrize(
    "document",
    [
        trust(),
        json.dumps(trust()),
        trust(Principal={"Service": ["lambda.amazonaws.com", SAGEMAKER_PRINCIPAL]}),
        trust(Action=["sts:TagSession", "sts:AssumeRole"]),
    ],
)
def test_a_role_that_names_sagemaker_trusts_it(document: "str | dict[str, object]") -> None:
    assert trusts_service(document, SAGEMAKER_PRINCIPAL)


@pytest.mark.parametrize(
    "document",
    [
        trust(Principal={"Service": "lambda.amazonaws.com"}),
        trust(Principal={"AWS": "*"}),
        trust(Principal="*"),
        trust(Action="sts:TagSession"),
        trust(Action=None),
        trust(Effect="Deny"),
        {},
        "",
        "not json",
        "[]",
    ],
)
def test_any_other_role_does_not(document: "str | dict[str, object]") -> None:
    assert not trusts_service(document, SAGEMAKER_PRINCIPAL)


def test_a_denial_outweighs_an_allowance() -> None:
    allow, deny = trust()["Statement"], trust(Effect="Deny")["Statement"]
    assert isinstance(allow, list)
    assert isinstance(deny, list)

    assert not trusts_service({"Statement": [*allow, *deny]}, SAGEMAKER_PRINCIPAL)
