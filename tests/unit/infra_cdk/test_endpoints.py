"""`endpoints.json` and `env`: what other programs rely on."""

import subprocess
from typing import Any

import pytest

from infra_cdk.endpoints import STACK, endpoints, shell_environment
from infra_cdk.settings import STACK_NAME
from local_cloud.layout import STACK as LOCAL_STACK

OUTPUTS = {
    "ApiUrl": "https://abc.execute-api.eu-west-1.amazonaws.com/v1/",
    "ApiId": "abc",
    "ApiStage": "v1",
    "LakeBucket": "lake",
    "PredictionsTable": "predictions",
    "ControlTable": "control",
    "TrainStateMachineArn": "arn:train",
    "DeployStateMachineArn": "arn:deploy",
    "MonitorStateMachineArn": "arn:monitor",
    "BatchStateMachineArn": "arn:batch",
    "RetrainTopicArn": "arn:retrain",
    "RollbackTopicArn": "arn:rollback",
    "OpsTopicArn": "arn:ops",
    "PredictFunctionName": "predict",
    "VerifyRegistryFunctionName": "verify-registry",
    "CompareFunctionName": "compare-models",
    "FeedbackAccuracyAlarmName": "alarm",
    "DashboardName": "dashboard",
    "MlflowTrackingUri": "arn:of-the-app",
}


def found(
    endpoint_url: str | None, *, mlflow_url: str | None = "https://mlflow.example"
) -> dict[str, Any]:
    return endpoints(
        OUTPUTS,
        api_key="it's a key",
        region="eu-west-1",
        endpoint_url=endpoint_url,
        ca_bundle="/ca.pem" if endpoint_url else None,
        ui_url=None,
        mlflow_url=mlflow_url,
    )


@pytest.mark.parametrize("endpoint_url", [None, "https://localhost:4566"])
def test_every_key_that_programs_rely_on_is_there(endpoint_url: str | None) -> None:
    assert set(found(endpoint_url)) >= {
        "aws_endpoint_url", "ca_bundle", "region", "api_url", "api_key", "ui_url", "mlflow_url",
        "lake_bucket", "predictions_table", "state_machines", "retrain_topic", "ops_topic",
        "predict_function", "rollback_topic", "verify_registry_function", "compare_function",
    }  # fmt: skip
    assert set(found(endpoint_url)["state_machines"]) == {"train", "deploy", "monitor", "batch"}


def test_what_rolls_back_and_what_verifies_is_named_as_the_stack_names_it() -> None:
    assert found(None)["rollback_topic"] == "arn:rollback"
    assert found(None)["verify_registry_function"] == "verify-registry"


@pytest.mark.parametrize("endpoint_url", [None, "https://localhost:4566"])
def test_the_apis_address_ends_in_a_slash(endpoint_url: str | None) -> None:
    assert found(endpoint_url)["api_url"].endswith("/")


def test_locally_the_apis_address_goes_through_the_emulator() -> None:
    assert (
        found("https://localhost:4566")["api_url"]
        == "https://localhost:4566/restapis/abc/v1/_user_request_/"
    )


def test_a_shell_gets_the_values_whole_and_no_credentials_on_aws() -> None:
    secrets = {"AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": "https://localhost:4566"}
    local = shell_environment(found("https://localhost:4566"), secrets)
    on_aws = shell_environment(found(None), secrets)

    shown = subprocess.run(
        ["bash", "-c", local + 'printf %s "$API_KEY|$AWS_SECRET_ACCESS_KEY"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "it's a key|secret"
    assert "AWS_SECRET_ACCESS_KEY" not in on_aws


def test_the_stock_clients_come_first_on_the_path() -> None:
    lines = shell_environment(found(None), {}, ["/the tools/bin", "/cdk/bin"])

    shown = subprocess.run(
        ["bash", "-c", 'PATH="/usr/bin:/bin"; ' + lines + 'printf %s "$PATH"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "/the tools/bin:/cdk/bin:/usr/bin:/bin"


@pytest.mark.parametrize(
    ("known", "said"), [(None, "arn:of-the-app"), ("https://mlflow.example", None)]
)
def test_mlflow_is_where_the_stack_says_unless_the_caller_knows_better(
    known: str | None, said: str | None
) -> None:
    answer = found(None, mlflow_url=known)

    assert answer["mlflow_url"] == (said or known)
    assert f"MLFLOW_TRACKING_URI={said or known}" in shell_environment(answer, {})


def test_a_stack_without_an_output_is_named() -> None:
    with pytest.raises(KeyError, match="LakeBucket"):
        endpoints(
            {k: v for k, v in OUTPUTS.items() if k != "LakeBucket"},
            api_key="k", region="r", endpoint_url=None, ca_bundle=None, ui_url=None,
            mlflow_url=None,
        )  # fmt: skip


def test_everybody_means_the_same_stack() -> None:
    assert STACK == LOCAL_STACK == STACK_NAME
