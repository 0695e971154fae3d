"""The whole difference between the AWS and the local template, and what both promise."""

from collections import Counter
from collections.abc import Mapping

import pytest
from aws_cdk import App

from infra_cdk.settings import Settings
from infra_cdk.targets import Target
from tests.infrastructure.template_reading import Template, resources

OUTPUTS = {
    "CodeRevision",
    "ApiUrl",
    "ApiId",
    "ApiStage",
    "ApiKeyId",
    "LakeBucket",
    "PredictionsTable",
    "ControlTable",
    "TrainStateMachineArn",
    "DeployStateMachineArn",
    "MonitorStateMachineArn",
    "BatchStateMachineArn",
    "RetrainTopicArn",
    "RollbackTopicArn",
    "OpsTopicArn",
    "PredictFunctionName",
    "VerifyRegistryFunctionName",
    "CompareFunctionName",
    "FeedbackAccuracyAlarmName",
    "DashboardName",
    "MlflowTrackingUri",
}
ON_AWS_ALONE = {"TrainingImageProject", "ReportImageProject"}
"""Outputs of what only AWS has; the local cloud runs the jobs from their sources."""


def kinds(template: Template) -> Counter[str]:
    return Counter(resource["Type"] for resource in template["Resources"].values())


def test_only_mlflow_the_images_and_what_builds_them_are_on_aws_alone(
    templates: Mapping[Target, Template],
) -> None:
    aws, local = kinds(templates[Target.AWS]), kinds(templates[Target.LOCAL])

    assert aws - local == {
        "AWS::ECR::Repository": 2,
        "AWS::CodeBuild::Project": 2,
        "AWS::SageMaker::MlflowApp": 1,
        "AWS::IAM::Role": 3,
        "AWS::IAM::Policy": 3,
        "AWS::Logs::LogGroup": 2,
    }
    assert local - aws == {}


def test_properties_differ_only_where_listed(templates: Mapping[Target, Template]) -> None:
    differing: dict[str, set[str]] = {}
    aws, local = templates[Target.AWS]["Resources"], templates[Target.LOCAL]["Resources"]
    for logical_id in aws.keys() & local.keys():
        one, other = aws[logical_id], local[logical_id]
        for level_one, level_other in (
            (one, other),
            (one.get("Properties", {}), other.get("Properties", {})),
        ):
            names = {
                name
                for name in level_one.keys() | level_other.keys()
                if name != "Properties" and level_one.get(name) != level_other.get(name)
            }
            if names:
                differing.setdefault(one["Type"], set()).update(names)

    retention = {"DeletionPolicy", "UpdateReplacePolicy"}
    assert differing == {
        "AWS::S3::Bucket": retention,
        "AWS::DynamoDB::Table": retention | {"DeletionProtectionEnabled"},
        "AWS::ApiGateway::Account": retention,
        "AWS::ApiGateway::Stage": {"TracingEnabled"},
        "AWS::Lambda::Function": {
            "Architectures",
            "Runtime",
            "SnapStart",
            "TracingConfig",
            "Environment",
        },
        "AWS::Lambda::Alias": {"FunctionVersion"},  # a version is named after all that is in it
        "AWS::StepFunctions::StateMachine": {"DefinitionSubstitutions", "TracingConfiguration"},
        "AWS::IAM::Policy": retention | {"PolicyDocument"},  # X-Ray, ECR, MLflow
        "AWS::IAM::Role": retention,  # API Gateway's logging role
    }


def test_the_environment_differs_only_in_how_long_one_has_to_wait_and_where_mlflow_is(
    templates: Mapping[Target, Template],
) -> None:
    aws, local = (
        {
            (function["FunctionName"], name): value
            for function in resources(templates[target], "Lambda::Function").values()
            for name, value in function["Environment"]["Variables"].items()
        }
        for target in (Target.AWS, Target.LOCAL)
    )
    (app,) = resources(templates[Target.AWS], "SageMaker::MlflowApp")
    mlflow = ({"Fn::GetAtt": [app, "Arn"]}, "http://mlflow")

    assert aws.keys() == local.keys()
    assert {key: (aws[key], local[key]) for key in aws if aws[key] != local[key]} == {
        ("AreYouACat-acquire-lease", "RETRAIN_COOLDOWN_SECONDS"): ("21600", "60"),
        ("AreYouACat-acquire-lease", "RETRAIN_DAILY_CAP"): ("4", "50"),
        ("AreYouACat-acquire-lease", "RETRAIN_SAME_CAUSE_SECONDS"): ("120", "15"),
        ("AreYouACat-move-alias", "MLFLOW_TRACKING_URI"): mlflow,
        ("AreYouACat-plan-batch", "MAX_CONCURRENCY"): ("500", "2"),
        ("AreYouACat-record-outcome", "MLFLOW_TRACKING_URI"): mlflow,
        ("AreYouACat-register-model", "MLFLOW_TRACKING_URI"): mlflow,
        ("AreYouACat-verify-registry", "MLFLOW_TRACKING_URI"): mlflow,
        ("AreYouACat-predict", "POINTER_MAX_AGE_SECONDS"): ("30.0", "5.0"),
        ("AreYouACat-stage-variant", "BAKE_SECONDS"): ("1800", "20"),
        ("AreYouACat-stage-variant", "CHECK_SECONDS"): ("60", "5"),
        ("AreYouACat-start-pending", "RETRAIN_COOLDOWN_SECONDS"): ("21600", "60"),
        ("AreYouACat-snapshot-dataset", "FEEDBACK_APPROVAL"): ("required", "not required"),
        ("AreYouACat-start-pending", "RETRAIN_DAILY_CAP"): ("4", "50"),
        ("AreYouACat-start-pending", "RETRAIN_SAME_CAUSE_SECONDS"): ("120", "15"),
    }


def test_data_outlives_the_stack_on_aws(aws_template: Template) -> None:
    holding_data = [
        resource
        for resource in aws_template["Resources"].values()
        if resource["Type"]
        in {
            "AWS::S3::Bucket",
            "AWS::DynamoDB::Table",
            "AWS::ECR::Repository",
            "AWS::SageMaker::MlflowApp",
        }
    ]

    assert len(holding_data) == 7
    assert {resource["DeletionPolicy"] for resource in holding_data} == {"Retain"}


def test_functions_run_current_python_on_arm_on_aws(aws_template: Template) -> None:
    functions = resources(aws_template, "Lambda::Function").values()

    assert {(f["Runtime"], *f["Architectures"]) for f in functions} == {("python3.14", "arm64")}
    assert {f["TracingConfig"]["Mode"] for f in functions} == {"Active"}


def test_outputs_are_those_that_other_programs_read(
    templates: Mapping[Target, Template],
) -> None:
    aws, local = (set(templates[target]["Outputs"]) for target in (Target.AWS, Target.LOCAL))

    assert local - {"BootstrapVersion"} == OUTPUTS
    assert aws - {"BootstrapVersion"} == OUTPUTS | ON_AWS_ALONE


def test_nothing_is_tied_to_an_account_or_region(template: Template) -> None:
    assert "AWS::Region" in str(template)
    assert "us-east-1" not in str(template)


def test_an_unknown_target_is_refused_with_the_remedy() -> None:
    app = App(context={"target": "gcp"})

    with pytest.raises(ValueError, match=r"unknown target 'gcp': use -c target=aws or"):
        Settings.from_context(app.node)


def test_aws_is_the_default_target() -> None:
    assert Settings.from_context(App().node).target is Target.AWS


def test_images_that_are_elsewhere_are_named_by_the_command_line() -> None:
    settings = Settings.from_context(
        App(context={"training_image_uri": "one", "report_image_uri": "another"}).node
    )

    assert (settings.training_image_uri, settings.report_image_uri) == ("one", "another")


@pytest.mark.parametrize(
    ("said", "spot"),
    [({}, False), ({"training_spot": "true"}, True), ({"training_spot": False}, False)],
)
def test_the_command_line_may_ask_for_spot_capacity(said: dict[str, object], spot: bool) -> None:
    assert Settings.from_context(App(context=said).node).training_spot is spot


def test_a_wish_for_spot_capacity_that_is_neither_yes_nor_no_is_refused_with_the_remedy() -> None:
    app = App(context={"training_spot": "sometimes"})

    with pytest.raises(ValueError, match=r"use -c training_spot=true or -c training_spot=false"):
        Settings.from_context(app.node)
