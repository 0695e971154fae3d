"""A gateway with one small image, and the official clients set up for it."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from local_cloud import sdk_defaults
from local_cloud.layout import Layout, Ports
from tests.integration.instance import APP_PYTHON, ROOT
from tests.unit.local_cloud.gateway_process import GatewayProcess

SDK_PYTHON: Final = os.environ.get("SDK_PYTHON") or str(ROOT / ".venvs" / "sdk" / "bin" / "python")
IMAGE: Final = "000000000000.dkr.ecr.us-east-1.amazonaws.com/small:latest"
BUCKET: Final = "data"
CLIENT_SECONDS: Final = 100  # less than a job gets to stop by itself
# What the image does where a job names no other entry point.
ENTRY_POINT: Final = """
import json, pathlib
ml = pathlib.Path("/opt/ml")
epochs = int(json.loads((ml / "input/config/hyperparameters.json").read_text())["epochs"])
rows = sum(len(file.read_text().split()) for file in (ml / "input/data/train").iterdir())
for epoch in range(epochs):
    print(f"epoch={epoch} loss={1 / (epoch + 1)}", flush=True)
(ml / "model/rows").write_text(str(rows))
"""
SDK_PROLOGUE: Final = """
import json, logging, sys
asked = set()
def watch(event, arguments):
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    asked.update({str(host)} - {"localhost", "127.0.0.1", "::1"})
sys.addaudithook(watch)
logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
given, told = json.loads(sys.argv[1]), {}
"""
SDK_EPILOGUE: Final = """
open(sys.argv[2], "w").write(json.dumps({"told": told, "asked": sorted(asked)}))
"""


@dataclass(frozen=True)
class SdkRun:
    """What a program that uses the SDK put into `told`, and what it logged."""

    told: dict[str, Any]
    logged: str


class GatewayCloud:
    """A SageMaker with nothing around it but its gateway.

    Once it is started, `role` is one for jobs, and `environment` is what a shell has that sourced
    the `env` file, and no more.
    """

    role: str
    environment: dict[str, str]

    def __init__(self, folder: Path, entry_point: str = ENTRY_POINT) -> None:
        self.folder = folder
        self.gateway = GatewayProcess(
            folder / "state", {"LOCAL_CLOUD_JOBS": "4", "LOCAL_CLOUD_ENGINE": "none"}
        )
        image = folder / "image"
        image.mkdir()
        (image / "train.py").write_text(entry_point)
        (image / "requirements.txt").touch()
        entry = {
            "repository": "small",
            "context": str(image),
            "sources": ["train.py"],
            "requirements": "requirements.txt",
            "command": ["python", "train.py"],
        }
        self._layout = Layout(self.gateway.state)
        self._layout.images_file.write_text(json.dumps([entry]))
        self._layout.remember_ports(Ports(gateway=self.gateway.port))
        sdk_defaults.write(self._layout.sagemaker_sdk_file)

    def start(self) -> None:
        """Start it, with data and a role for jobs."""
        self.gateway.start()
        self.client("s3").create_bucket(Bucket=BUCKET)
        self.put("train/rows.csv", "1\n2\n3\n")
        self.role = self._role()
        self.environment = {
            "HOME": str(self.folder),
            "PATH": f"{Path(APP_PYTHON).parent}:/usr/bin:/bin",
            **self._layout.client_environment(),
        }

    def _role(self) -> str:
        def policy(statement: dict[str, Any]) -> str:
            allowed = {"Effect": "Allow", **statement}
            return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})

        trusted = {"Service": "sagemaker.amazonaws.com"}
        buckets = [f"arn:aws:s3:::{BUCKET}", "arn:aws:s3:::sagemaker-us-east-1-000000000000"]
        rights = {
            "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
            "Resource": [*buckets, *(f"{bucket}/*" for bucket in buckets)],
        }
        iam = self.client("iam")
        made = iam.create_role(
            RoleName="jobs",
            AssumeRolePolicyDocument=policy({"Action": "sts:AssumeRole", "Principal": trusted}),
        )
        iam.put_role_policy(RoleName="jobs", PolicyName="data", PolicyDocument=policy(rights))
        return str(made["Role"]["Arn"])

    def client(self, service: str) -> Any:
        """A boto3 client, over TLS."""
        return self.gateway.client(service)

    def put(self, key: str, text: str) -> None:
        """Write an object of the bucket."""
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=text.encode())

    def get(self, uri: str) -> bytes:
        """Read an object by its S3 URI."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body: bytes = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def training(self, name: str, **members: Any) -> dict[str, Any]:
        """The arguments of CreateTrainingJob."""
        return {
            "TrainingJobName": name,
            "RoleArn": self.role,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "HyperParameters": {"epochs": "2"},
            "InputDataConfig": [
                {
                    "ChannelName": "train",
                    "DataSource": {
                        "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train/"}
                    },
                }
            ],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            **members,
        }

    def processing(self, name: str, code: str, **members: Any) -> dict[str, Any]:
        """The arguments of CreateProcessingJob; the job runs Python code."""
        cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        return {
            "ProcessingJobName": name,
            "RoleArn": self.role,
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python", "-c"],
                "ContainerArguments": [code],
            },
            "ProcessingResources": {"ClusterConfig": cluster},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            **members,
        }

    def log(self, group: str, job: str) -> list[str]:
        """A job's lines in CloudWatch Logs."""
        # Stream by stream: the emulator's FilterLogEvents does not look at logStreamNamePrefix.
        logs, name = self.client("logs"), f"/aws/sagemaker/{group}"
        found = logs.describe_log_streams(logGroupName=name, logStreamNamePrefix=job)
        return [
            event["message"]
            for stream in found["logStreams"]
            for event in logs.get_log_events(
                logGroupName=name, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]

    def aws(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the AWS CLI."""
        return self._run("aws", "--output", "json", *arguments)

    def sdk(self, program: str, **given: Any) -> SdkRun:
        """Run a program in the SDK's environment; it reads `given` and fills `told`.

        Fails if the program fails, or asks for anything that is not on this machine.
        """
        answer = self.folder / "answer.json"
        code = f"{SDK_PROLOGUE}{program}{SDK_EPILOGUE}"
        given = {"image": IMAGE, "role": self.role, "bucket": BUCKET, **given}
        done = self._run(SDK_PYTHON, "-c", code, json.dumps(given), str(answer))
        assert done.returncode == 0, done.stderr
        found = json.loads(answer.read_text())
        assert not found["asked"], f"it asked for {found['asked']}"
        return SdkRun(found["told"], done.stderr)

    def _run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=CLIENT_SECONDS,
            check=False,
        )
