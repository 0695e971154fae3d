"""What each function may do, exactly, and that it is told what it checks at its start."""

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest

from lambdas.monitoring.handlers import start_rollback, trigger_retraining
from lambdas.pipeline.handlers import (
    check_canary,
    move_alias,
    promote,
    roll_back,
    shift_traffic,
    stage_variant,
    verify_registry,
)
from lambdas.serving.handlers import score_golden_photos
from tests.infrastructure.template_reading import (
    Template,
    actions_of,
    as_list,
    function_named,
    identity_statements,
    resources,
    role_of,
    statements_of,
)


@pytest.mark.parametrize(
    ("name", "forbidden"),
    [
        ("evaluate-candidate", {"s3:DeleteObject", "dynamodb:GetItem"}),
        ("stage-variant", {"s3:PutObject", "dynamodb:Query"}),
        ("move-alias", {"s3:PutObject", "states:StartExecution"}),
        ("publish-metrics", {"s3:GetObject", "dynamodb:Query"}),
        ("trigger-retraining", {"s3:GetObject", "states:StopExecution"}),
    ],
)
def test_a_function_cannot_do_what_is_not_its_business(
    template: Template, name: str, forbidden: set[str]
) -> None:
    allowed = actions_of(template, role_of(function_named(template, name)))

    assert allowed
    assert not allowed & forbidden


def test_predict_may_do_exactly_this(template: Template) -> None:
    assert statements_of(template, "predict") == {
        "s3:GetObject": {"lake/serving/live.json", "lake/models/*/*", "lake/uploads/*"},
        "s3:ListBucket": {"lake"},
        "s3:PutObject": {"lake/photos/*"},
        "s3:PutObjectTagging": {"lake/photos/*"},
        "s3:DeleteObjectVersion": {"lake/uploads/*"},
        "dynamodb:GetItem": {"predictions"},
        "dynamodb:PutItem": {"predictions"},
    }


def test_the_api_function_may_do_exactly_this(template: Template) -> None:
    assert statements_of(template, "api") == {
        "s3:GetObject": {"lake/serving/live.json", "lake/models/*/model.json", "lake/photos/*"},
        "s3:GetObjectTagging": {"lake/photos/*"},
        "s3:ListBucket": {"lake"},
        "s3:ListBucketVersions": {'lake {"StringLike": {"s3:prefix": ["photos/*"]}}'},
        "s3:PutObject": {"lake/uploads/*", "lake/tombstones/*", "lake/photos/*"},
        "s3:PutObjectTagging": {"lake/photos/*"},
        "s3:DeleteObjectVersion": {"lake/photos/*"},
        "dynamodb:GetItem": {"predictions"},
        "dynamodb:UpdateItem": {"predictions", "control"},
        "dynamodb:DeleteItem": {"predictions"},
    }


POINTER = "lake/serving/live.json"
DEPLOY_EXECUTIONS = "arn:*:states:*:*:execution:AreYouACat-deploy:*"
TRAIN_EXECUTIONS = DEPLOY_EXECUTIONS.replace("deploy", "train")
MOVES_THE_POINTER = {
    "s3:GetObject": {POINTER},
    "s3:ListBucket": {"lake"},
    "s3:PutObject": {POINTER},
}


@pytest.mark.parametrize(
    ("name", "exactly"),
    [
        (
            "stage-variant",
            {"s3:GetObject": {POINTER, "lake/models/*/*"}, "s3:ListBucket": {"lake"}},
        ),
        (
            "score-golden-photos",
            {
                "s3:GetObject": {
                    POINTER,
                    "lake/models/*/*",
                    "lake/datasets/*/*",
                    "lake/photos/*",
                },
                "s3:ListBucket": {"lake"},
            },
        ),
        (
            "shift-traffic",
            {**MOVES_THE_POINTER, "states:DescribeExecution": {DEPLOY_EXECUTIONS}},
        ),
        (
            "check-canary",
            {
                "s3:GetObject": {POINTER},
                "s3:ListBucket": {"lake"},
                "dynamodb:Query": {
                    "predictions/index/by_predicted_hour",
                    "predictions/index/by_feedback_hour",
                },
            },
        ),
        ("promote", {**MOVES_THE_POINTER, "states:DescribeExecution": {DEPLOY_EXECUTIONS}}),
        ("roll-back", {**MOVES_THE_POINTER, "s3:GetObject": {POINTER, "lake/models/*/*"}}),
        ("move-alias", {"s3:GetObject": {POINTER}, "s3:ListBucket": {"lake"}}),
        (
            "verify-registry",
            {**MOVES_THE_POINTER, "states:DescribeExecution": {DEPLOY_EXECUTIONS}},
        ),
        (
            "roll-back-on-alarm",
            {"states:StartExecution": {"deploy"}, "sqs:SendMessage": {"rollback dead letters"}},
        ),
        (
            "clean-up-deployment",
            {
                "s3:GetObject": {POINTER},
                "s3:ListBucket": {"lake"},
                "states:StartExecution": {"deploy"},
                "sqs:SendMessage": {"rollback dead letters"},
            },
        ),
        (
            "trigger-retraining",
            {
                "dynamodb:GetItem": {"control"},
                "dynamodb:PutItem": {"control"},
                "states:StartExecution": {"train"},
                "sqs:SendMessage": {"retraining dead letters"},
            },
        ),
        (
            "start-pending",
            {
                "dynamodb:GetItem": {"control"},
                "states:DescribeExecution": {TRAIN_EXECUTIONS},
                "states:StartExecution": {"train"},
                "sqs:SendMessage": {"retraining dead letters"},
            },
        ),
        (
            "acquire-lease",
            {
                "dynamodb:GetItem": {"control"},
                "dynamodb:PutItem": {"control"},
                "states:DescribeExecution": {TRAIN_EXECUTIONS},
            },
        ),
    ],
)
def test_a_function_of_the_deployment_or_of_an_alarm_may_do_exactly_this(
    template: Template, name: str, exactly: dict[str, set[str]]
) -> None:
    assert statements_of(template, name) == exactly


def test_the_registration_reads_a_jobs_archive_and_writes_models(template: Template) -> None:
    assert statements_of(template, "register-model") == {
        "s3:GetObject": {"lake/training/*"},
        "s3:PutObject": {"lake/models/*/*"} | artifacts(template, "lake/mlflow/*"),
        "s3:ListBucket": {"lake"},
        **in_parts(template),
    }


def test_the_snapshot_uploads_data_sets_alone_in_parts(template: Template) -> None:
    allowed = statements_of(template, "snapshot-dataset")

    assert allowed["s3:AbortMultipartUpload"] == {"lake/datasets/*/*"}
    assert "lake/datasets/*/*" not in allowed["s3:GetObject"]


def test_the_snapshot_may_look_at_photos_and_not_touch_them(template: Template) -> None:
    allowed = statements_of(template, "snapshot-dataset")

    assert "lake/photos/*" in allowed["s3:GetObject"]
    assert "lake" in allowed["s3:ListBucket"]
    assert [action for action in allowed if "lake/photos/*" in allowed[action]] == ["s3:GetObject"]
    assert allowed["dynamodb:Query"] == {"predictions/index/by_feedback_hour"}


def artifacts(template: Template, pattern: str) -> set[str]:
    """Where whoever stores files of a run may put them: only MLflow's own app has the lake's."""
    return {pattern} if resources(template, "SageMaker::MlflowApp") else set()


def in_parts(template: Template) -> dict[str, set[str]]:
    """What comes with it: large files go up in parts."""
    stored = artifacts(template, "lake/mlflow/*")
    return {"s3:AbortMultipartUpload": stored} if stored else {}


def test_who_records_an_outcome_reads_the_evaluation_and_stores_it_in_mlflow(
    template: Template,
) -> None:
    stored = artifacts(template, "lake/mlflow/*")

    assert statements_of(template, "record-outcome") == {
        "s3:GetObject": {"lake/training/*/evaluation/*"},
        "s3:ListBucket": {"lake"},
        **({"s3:PutObject": stored} if stored else {}),
        **in_parts(template),
    }


CHECKED_AT_START: Mapping[str, type[Any]] = {
    "stage-variant": stage_variant.Environment,
    "score-golden-photos": score_golden_photos.GoldenEnvironment,
    "shift-traffic": shift_traffic.Environment,
    "check-canary": check_canary.Environment,
    "promote": promote.Environment,
    "roll-back": roll_back.Environment,
    "move-alias": move_alias.Environment,
    "verify-registry": verify_registry.Environment,
    "roll-back-on-alarm": start_rollback.AlarmEnvironment,
    "clean-up-deployment": start_rollback.EndedEnvironment,
    "trigger-retraining": trigger_retraining.Environment,
}


def test_a_function_has_the_environment_that_it_checks_at_its_start(template: Template) -> None:
    def names(function: str) -> set[str]:
        variables = set(function_named(template, function)["Environment"]["Variables"])
        return variables - {"POWERTOOLS_SERVICE_NAME", "LOG_LEVEL"}

    assert names("predict") == {"LAKE_BUCKET", "PREDICTIONS_TABLE", "POINTER_MAX_AGE_SECONDS"}
    assert names("api") == {"LAKE_BUCKET", "PREDICTIONS_TABLE", "CONTROL_TABLE"}
    for function, environment in CHECKED_AT_START.items():
        asked = {field.name.upper() for field in fields(environment)}
        assert names(function) == asked, function


def test_the_evaluation_writes_its_findings_and_nothing_else(template: Template) -> None:
    role = role_of(function_named(template, "evaluate-candidate"))
    (writing,) = (
        statement
        for owner, statement in identity_statements(template)
        if owner == role and "s3:PutObject" in as_list(statement["Action"])
    )

    (resource,) = as_list(writing["Resource"])
    assert resource["Fn::Join"][1][-1] == "/training/*/evaluation/*"


def test_the_comparison_writes_its_reports_and_nothing_else(template: Template) -> None:
    assert statements_of(template, "compare-models") == {
        "s3:GetObject": {"lake/models/*/*", "lake/datasets/*/*", "lake/photos/*"},
        "s3:PutObject": {"lake/reports/comparisons/*/*"},
        "s3:ListBucket": {"lake"},
    }


def test_only_those_who_move_traffic_may_write_the_serving_pointer(template: Template) -> None:
    movers = {
        owner
        for owner, statement in identity_statements(template)
        if "s3:PutObject" in as_list(statement["Action"])
        and "/serving/live.json" in json.dumps(statement["Resource"])
    }

    assert movers == {
        role_of(function_named(template, name))
        for name in ("shift-traffic", "promote", "roll-back", "verify-registry")
    }


def job_role(template: Template, kind: str) -> str:
    (role,) = (
        name
        for name, role in resources(template, "IAM::Role").items()
        if "sagemaker.amazonaws.com" in json.dumps(role["AssumeRolePolicyDocument"])
        and role["Description"] == f"What a {kind} job may do"
    )
    return role


def lake_rights(template: Template, role: str) -> dict[str, set[str]]:
    """Action -> the keys' patterns, of what a role may do with objects of the lake."""
    allowed: dict[str, set[str]] = {}
    for owner, statement in identity_statements(template):
        for action in as_list(statement["Action"]):
            if owner == role and action.startswith("s3:") and action != "s3:ListBucket":
                allowed.setdefault(action, set()).update(
                    resource["Fn::Join"][1][-1] for resource in as_list(statement["Resource"])
                )
    return allowed


@pytest.mark.parametrize(
    ("kind", "listed"),
    [
        ("training", {"photos/*", "datasets/*/*", "features/*", "training/*"}),
        ("processing", {"models/*/reference.csv", "reports/drift/*/window.csv"}),
    ],
)
def test_a_job_lists_only_what_it_reads_and_writes(
    template: Template, kind: str, listed: set[str]
) -> None:
    role = job_role(template, kind)
    (listing,) = (
        statement
        for owner, statement in identity_statements(template)
        if owner == role and "s3:ListBucket" in as_list(statement["Action"])
    )

    prefixes = as_list(listing["Condition"]["StringLike"]["s3:prefix"])
    assert {re.sub(r"^features/.*", "features/*", prefix) for prefix in prefixes} == listed


def test_the_report_reads_samples_and_writes_reports_and_nothing_else(template: Template) -> None:
    assert lake_rights(template, job_role(template, "processing")) == {
        "s3:GetObject": {"/models/*/reference.csv", "/reports/drift/*/window.csv"},
        "s3:PutObject": {"/reports/drift/*"} | artifacts(template, "/mlflow/*"),
        "s3:AbortMultipartUpload": {"/reports/drift/*"} | artifacts(template, "/mlflow/*"),
    }


def test_the_monitor_writes_samples_of_windows_and_nothing_else(template: Template) -> None:
    assert statements_of(template, "collect-window") == {
        "s3:GetObject": {POINTER, "lake/models/*/model.json", "lake/models/*/reference.csv"},
        "s3:PutObject": {"lake/reports/drift/*/window.csv"},
        "s3:ListBucket": {"lake"},
        "cloudwatch:GetMetricStatistics": {"*"},
        "dynamodb:Query": {
            "predictions/index/by_predicted_hour",
            "predictions/index/by_feedback_hour",
        },
    }
