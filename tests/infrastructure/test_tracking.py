"""MLflow: an app of SageMaker's that is made, or a server that was named; who may ask it what."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Annotations, Match

from infra_cdk.constructs.data_lake import DataLake
from infra_cdk.constructs.encryption import Encryption
from infra_cdk.constructs.tracking import Tracking
from infra_cdk.mlflow_calls import CALLS
from infra_cdk.settings import Settings
from tests.infrastructure.conftest import FLAGS
from tests.infrastructure.template_reading import (
    MLFLOW,
    Template,
    as_list,
    function_named,
    identity_statements,
    lake,
    only,
    resources,
    role_of,
)
from tests.infrastructure.test_template_rights import job_role

MANAGED = "arn:aws:sagemaker:eu-west-1:123456789012"
APP = f"{MANAGED}:mlflow-app/app-ABC"
SERVER = f"{MANAGED}:mlflow-tracking-server/ours"
WHOLE_API = "sagemaker:CallMlflowAppApi"


def stack_with(target: str, **named: str) -> Stack:
    """Lake, tracking and a role that may do what the training job may."""
    mlflow = {f"mlflow_{name}": value for name, value in named.items()}
    context = {**FLAGS, "target": target, **mlflow}
    stack = Stack(App(context=context), "Small")
    settings = Settings.from_context(stack.node)
    Encryption(stack, settings=settings)
    tracking = Tracking(
        stack, "Tracking", lake=DataLake(stack, "DataLake", settings=settings), settings=settings
    )
    caller = iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
    tracking.allow(caller, "training-job", artifacts=True)
    return stack


def synthesised(stack: Stack) -> Template:
    template: Template = stack.node.root.synth().get_stack_by_name("Small").template  # type: ignore[attr-defined]
    return template


def lake_id(template: Template) -> str:
    """The lake's logical id."""
    return next(
        name
        for name, bucket in resources(template, "S3::Bucket").items()
        if bucket == lake(template)
    )


def rights_of_the_caller(template: Template) -> dict[str, Any]:
    """Resource by action."""
    return {
        action: statement["Resource"]
        for owner, statement in identity_statements(template)
        if owner.startswith("Caller")
        for action in as_list(statement["Action"])
    }


def test_on_aws_the_app_is_made_and_keeps_its_artifacts_in_the_lake(aws_template: Template) -> None:
    app = only(aws_template, "SageMaker::MlflowApp")
    bucket_id = lake_id(aws_template)

    assert app["ArtifactStoreUri"] == {"Fn::Join": ["", ["s3://", {"Ref": bucket_id}, "/mlflow"]]}
    assert app["ModelRegistrationMode"] == "AutoModelRegistrationDisabled"
    assert app["WeeklyMaintenanceWindowStart"] == "Sun:12:00"


def test_an_app_that_was_left_behind_is_not_in_the_way_of_the_next(aws_template: Template) -> None:
    name = only(aws_template, "SageMaker::MlflowApp")["Name"]

    assert name["Fn::Join"][1][0] == "AreYouACat-"
    assert "AWS::StackId" in json.dumps(name["Fn::Join"][1][1])


def test_the_app_is_made_after_its_rights(aws_template: Template) -> None:
    (app,) = (
        resource
        for resource in aws_template["Resources"].values()
        if resource["Type"] == "AWS::SageMaker::MlflowApp"
    )
    role = app["Properties"]["RoleArn"]["Fn::GetAtt"][0]
    (policy,) = (
        name
        for name, properties in resources(aws_template, "IAM::Policy").items()
        if {"Ref": role} in properties["Roles"]
    )

    assert app["DependsOn"] == [policy]


def test_the_app_reaches_its_artifacts_and_nothing_else(aws_template: Template) -> None:
    role = only(aws_template, "SageMaker::MlflowApp")["RoleArn"]["Fn::GetAtt"][0]
    bucket_id = lake_id(aws_template)
    bucket = {"Fn::GetAtt": [bucket_id, "Arn"]}
    files = {"Fn::Join": ["", [bucket, "/mlflow/*"]]}

    statements = [own for owner, own in identity_statements(aws_template) if owner == role]
    assert {
        action: (statement["Resource"], statement.get("Condition"))
        for statement in statements
        for action in as_list(statement["Action"])
    } == {
        "s3:GetObject": (files, None),
        "s3:PutObject": (files, None),
        "s3:AbortMultipartUpload": (files, None),
        "s3:ListBucket": (bucket, {"StringLike": {"s3:prefix": ["mlflow/*"]}}),
    }


def test_sagemaker_takes_the_apps_role_for_apps_of_this_account_alone(
    aws_template: Template,
) -> None:
    role = only(aws_template, "SageMaker::MlflowApp")["RoleArn"]["Fn::GetAtt"][0]
    trust = resources(aws_template, "IAM::Role")[role]["AssumeRolePolicyDocument"]["Statement"]

    (statement,) = trust
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    conditions = statement["Condition"]
    assert conditions["StringEqualsIfExists"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    source = conditions["ArnLikeIfExists"]["aws:SourceArn"]["Fn::Join"][1]
    assert [part for part in source if isinstance(part, str)] == [
        "arn:",
        ":sagemaker:",
        ":",
        ":mlflow-app/*",
    ]


def test_whoever_speaks_to_mlflow_may_ask_it_what_it_asks_and_nobody_else_may(
    aws_template: Template,
) -> None:
    (app,) = resources(aws_template, "SageMaker::MlflowApp")
    callers = {
        "training-job": job_role(aws_template, "training"),
        "drift-report-job": job_role(aws_template, "processing"),
    }
    for name in CALLS.keys() - callers.keys():
        callers[name] = role_of(function_named(aws_template, name))

    asking: dict[str, set[str]] = {}
    for owner, statement in identity_statements(aws_template):
        for action in as_list(statement["Action"]):
            if action.startswith(MLFLOW):
                asking.setdefault(owner, set()).add(action)
                assert statement["Resource"] == {"Fn::GetAtt": [app, "Arn"]}
    assert asking == {
        callers[name]: {WHOLE_API, *(f"sagemaker-mlflow:{call}" for call in calls)}
        for name, calls in CALLS.items()
    }


@pytest.mark.parametrize(
    ("target", "uri"), [("aws", "https://mlflow.example"), ("local", "http://127.0.0.1:5050")]
)
def test_a_server_with_a_url_is_taken_as_it_is(target: str, uri: str) -> None:
    template = synthesised(stack_with(target, tracking_uri=uri))

    assert resources(template, "SageMaker::MlflowApp") == {}
    assert rights_of_the_caller(template) == {}


def test_an_app_that_was_named_is_asked_like_one_of_ours() -> None:
    template = synthesised(stack_with("aws", tracking_uri=APP))

    assert resources(template, "SageMaker::MlflowApp") == {}
    calls = (f"sagemaker-mlflow:{call}" for call in CALLS["training-job"])
    assert rights_of_the_caller(template) == dict.fromkeys((WHOLE_API, *calls), APP)


def test_a_tracking_server_knows_the_single_calls_alone() -> None:
    template = synthesised(stack_with("aws", tracking_uri=SERVER))

    calls = (f"sagemaker-mlflow:{call}" for call in CALLS["training-job"])
    assert rights_of_the_caller(template) == dict.fromkeys(calls, SERVER)


@pytest.mark.parametrize("store", ["s3://elsewhere/mlflow", "s3://elsewhere/mlflow/"])
def test_artifacts_of_a_named_server_go_where_its_store_was_said_to_be(store: str) -> None:
    named = {"tracking_uri": "https://mlflow.example", "artifact_store": store}

    rights = rights_of_the_caller(synthesised(stack_with("aws", **named)))

    put = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::elsewhere/mlflow/*"]]}
    assert rights == {"s3:PutObject": put, "s3:AbortMultipartUpload": put}


def test_an_artifact_store_outside_s3_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"'/mnt' is not in S3: use -c mlflow_artifact_store=s3"):
        stack_with("aws", artifact_store="/mnt")


@pytest.mark.parametrize(("target", "taken"), [("aws", ""), ("local", APP)])
def test_the_shells_server_is_that_of_the_local_cloud_alone(
    target: str, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", APP)

    assert Settings.from_context(App(context={"target": target}).node).mlflow_tracking_uri == taken


def test_without_any_server_the_local_cloud_is_warned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    stack = stack_with("local")

    Annotations.from_stack(stack).has_warning(
        "/Small/Tracking", Match.string_like_regexp("no MLflow tracking server: pass -c")
    )


def test_the_stack_says_where_mlflow_is(templates: Mapping[str, Template]) -> None:
    (app,) = resources(templates["aws"], "SageMaker::MlflowApp")

    assert templates["aws"]["Outputs"]["MlflowTrackingUri"]["Value"] == {"Fn::GetAtt": [app, "Arn"]}
    assert templates["local"]["Outputs"]["MlflowTrackingUri"]["Value"] == "http://mlflow"
