"""`make deploy`: the stack in the AWS account of your credentials, and its endpoints file."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra_cdk import endpoints

_ROOT: Final = Path(__file__).resolve().parent.parent


def main() -> int:
    """Deploy; 0 if the stack stands and `endpoints.json` is written, 1 if not."""
    if os.environ.get("AWS_ENDPOINT_URL"):
        return _fail("AWS_ENDPOINT_URL is set: these are the local cloud's settings. Unset them.")
    tracking = os.environ.get("MLFLOW_TRACKING_URI")
    if not tracking:
        return _fail("Name the MLflow server that the account can reach: MLFLOW_TRACKING_URI=...")
    session = boto3.session.Session()
    if not session.region_name:
        return _fail("No region is set. Name one: AWS_REGION=eu-west-1 make deploy")
    try:
        account = session.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        return _fail(f"No AWS account can be reached with your credentials: {error}")

    folder = Path(os.environ.get("LOCAL_STATE_DIR") or _ROOT / ".local")
    folder.mkdir(parents=True, exist_ok=True)
    outputs = folder / "aws-outputs.json"
    print(f"Deploying {endpoints.STACK} to account {account} in {session.region_name}", flush=True)
    context = ["--context=target=aws", f"--context=mlflow_tracking_uri={tracking}"]
    for job in ("training", "report"):
        if image := os.environ.get(f"{job.upper()}_IMAGE_URI"):
            context.append(f"--context={job}_image_uri={image}")
    environment = {
        **os.environ,
        "CDK_DEFAULT_ACCOUNT": account,
        "CDK_DEFAULT_REGION": session.region_name,
    }
    for command in (
        ["bootstrap", f"aws://{account}/{session.region_name}", *context],
        ["deploy", endpoints.STACK, f"--outputs-file={outputs}", *context],
    ):
        done = subprocess.run(["cdk", *command], cwd=_ROOT, env=environment, check=False)
        if done.returncode:
            return _fail(f"cdk {command[0]} failed; its words stand above.")
    endpoints.write(folder, outputs, ui_url=None, mlflow_url=tracking)
    print(f"Deployed. Addresses: {folder / 'endpoints.json'}   Next: make seed DATASET=<folder>")
    return 0


def _fail(message: str) -> int:
    print(f"Error: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
