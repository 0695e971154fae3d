"""What a deployment offers, written where other programs look for it.

`python -m infra_cdk.endpoints --outputs <file> --folder <folder>` reads the outputs that
`cdk deploy --outputs-file` wrote, and writes `endpoints.json` and a file for the shell, `env`.
The same for AWS and for the local cloud: which one it is follows from AWS_ENDPOINT_URL.
"""

import argparse
import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import boto3

STACK: Final = "AreYouACat"
"""`settings.STACK_NAME`, not imported from there: that would load the CDK, and Node with it."""
_PASSED_ON: Final = (
    "AWS_ENDPOINT_URL",
    "AWS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "CDK_DEFAULT_ACCOUNT",
    "CDK_DEFAULT_REGION",
    "DEPLOY_TARGET",
    "SAGEMAKER_USER_CONFIG_OVERRIDE",
    "SAGEMAKER_VALIDATE_ROLE",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD",
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD",
    "LOCAL_STATE_DIR",
)
"""What a shell needs to speak to the local cloud; on AWS the user's own settings do."""


def endpoints(
    outputs: Mapping[str, str],
    *,
    api_key: str,
    region: str,
    endpoint_url: str | None,
    ca_bundle: str | None,
    ui_url: str | None,
    mlflow_url: str | None,
) -> dict[str, Any]:
    """The content of `endpoints.json`, from the stack's outputs.

    `mlflow_url`: None is the server that the stack has: on AWS the ARN of its app.

    Raises:
        KeyError: the stack lacks an output.
    """
    if endpoint_url:
        # An emulator has no host name per API: the address goes through its own.
        api_url = (
            f"{endpoint_url}/restapis/{outputs['ApiId']}/{outputs['ApiStage']}/_user_request_/"
        )
    else:
        api_url = outputs["ApiUrl"].rstrip("/") + "/"
    return {
        "aws_endpoint_url": endpoint_url,
        "ca_bundle": ca_bundle,
        "region": region,
        "api_url": api_url,
        "api_key": api_key,
        "ui_url": ui_url,
        "mlflow_url": mlflow_url or outputs["MlflowTrackingUri"],
        "lake_bucket": outputs["LakeBucket"],
        "predictions_table": outputs["PredictionsTable"],
        "control_table": outputs["ControlTable"],
        "state_machines": {
            "train": outputs["TrainStateMachineArn"],
            "deploy": outputs["DeployStateMachineArn"],
            "monitor": outputs["MonitorStateMachineArn"],
            "batch": outputs["BatchStateMachineArn"],
        },
        "retrain_topic": outputs["RetrainTopicArn"],
        "rollback_topic": outputs["RollbackTopicArn"],
        "ops_topic": outputs["OpsTopicArn"],
        "predict_function": outputs["PredictFunctionName"],
        "verify_registry_function": outputs["VerifyRegistryFunctionName"],
        "compare_function": outputs["CompareFunctionName"],
        "feedback_accuracy_alarm": outputs["FeedbackAccuracyAlarmName"],
        "dashboard": outputs["DashboardName"],
    }


def shell_environment(
    found: Mapping[str, Any], environment: Mapping[str, str], tools: Sequence[str] = ()
) -> str:
    """Lines that a shell sources: the clients' settings where local, and the API's address.

    `tools`: folders that hold the stock clients (`aws`, `cdk`, `mlflow`), put first on the PATH.
    """
    values = {"API_URL": found["api_url"], "API_KEY": found["api_key"]}
    values["LAKE_BUCKET"] = found["lake_bucket"]
    if found["aws_endpoint_url"]:
        values |= {name: environment[name] for name in _PASSED_ON if name in environment}
    elif found["mlflow_url"]:
        values["MLFLOW_TRACKING_URI"] = found["mlflow_url"]
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in values.items()]
    if tools:
        lines.append(f'export PATH={":".join(map(shlex.quote, tools))}:"$PATH"\n')
    return "".join(lines)


def _tools() -> list[str]:
    """The folders of this environment's programs and of the CDK CLI, each once."""
    cdk = shutil.which("cdk")
    folders = [str(Path(sys.executable).parent), *([str(Path(cdk).parent)] if cdk else [])]
    return list(dict.fromkeys(folders))


def write(
    folder: Path, outputs_file: Path, ui_url: str | None, mlflow_url: str | None = None
) -> None:
    """Write both files, readable by their owner alone since they hold the API key.

    Raises:
        KeyError: the stack lacks an output.
        botocore.exceptions.ClientError: the API key cannot be read.
    """
    outputs = json.loads(outputs_file.read_text())[STACK]
    region = os.environ.get("AWS_REGION") or boto3.session.Session().region_name or "us-east-1"
    key = boto3.client("apigateway", region_name=region).get_api_key(
        apiKey=outputs["ApiKeyId"], includeValue=True
    )["value"]
    found = endpoints(
        outputs,
        api_key=key,
        region=region,
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL"),
        ca_bundle=os.environ.get("AWS_CA_BUNDLE"),
        ui_url=ui_url,
        mlflow_url=mlflow_url,
    )
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / "env", shell_environment(found, os.environ, _tools()))
    _replace(folder / "endpoints.json", json.dumps(found, indent=2) + "\n")


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)


def main() -> None:
    """Write the files named on the command line."""
    parser = argparse.ArgumentParser(description="Write endpoints.json and env")
    parser.add_argument("--outputs", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--ui-url")
    parser.add_argument("--mlflow-url")
    chosen = parser.parse_args()
    write(chosen.folder, chosen.outputs, chosen.ui_url, chosen.mlflow_url)


if __name__ == "__main__":
    main()
