"""Our three definitions with the template's substitutions, and what their tasks would answer."""

import re
from collections.abc import Mapping
from typing import Any

from infra_cdk.settings import REPOSITORY_ROOT
from tests.infrastructure import asl_simulator
from tests.infrastructure.template_reading import Template, resources

NAMES = ("train", "deploy", "monitor")
FOLDER = REPOSITORY_ROOT / "statemachine"

VARIANT = {"role": "champion", "version": "3", "key": "models/3/model.tflite"}
RESULTS: Mapping[str, dict[str, Any]] = {
    "AcquireLease": {
        "acquired": True,
        "holder": "arn",
        "reason": "daily schedule",
        "source": "schedule",
        "training_job_name": "areyouacat-name-0123abcd",
    },
    "SnapshotDataset": {
        "version": "0123456789abcdef",
        "mode": "bootstrap",
        "manifest_sha256": "00",
        "dataset_s3_uri": "s3://lake/datasets/0123456789abcdef/",
        "channel_manifest_s3_uri": "s3://lake/datasets/0123456789abcdef/channel.manifest",
        "summary_key": "datasets/0123456789abcdef/summary.json",
        "counts": {"train": 20},
        "missing_features": 20,
        "feedback_labels": 0,
    },
    "EvaluateCandidate": {
        "gate": {"passed": True, "applicable": False, "rules": [], "reason": "bootstrap"},
        "metrics": {"accuracy": 0.9},
        "champion_version": None,
        "mlflow_run_id": "run",
        "evaluation_prefix": "training/areyouacat-name-0123abcd/evaluation/",
    },
    "RegisterModel": {"version": "3", "model_name": "are-you-a-cat", "model_prefix": "models/3/"},
    "StageVariant": VARIANT,
    "Promote": {"changed": True, "version": "3", "previous_version": None},
    "MoveAlias": {"moved": True, "version": "3", "previous_version": None},
    "CollectWindow": {"window": {"end": "2026-01-01T00:00:00Z"}, "metrics": {}},
    "PublishMetrics": {"published": []},
}
TRAINED = {
    "TrainingJobName": "areyouacat-name-0123abcd",
    "TrainingJobArn": "arn:aws:sagemaker:eu-west-1:111111111111:training-job/areyouacat-name",
    "ModelArtifacts": {"S3ModelArtifacts": "s3://lake/training/job/output/model.tar.gz"},
}
DEPLOYED = {"ExecutionArn": "arn", "Status": "SUCCEEDED", "Output": {"alias": {"moved": True}}}


def succeed(state: str, _parameters: Any) -> Any:
    """Every task's answer when all goes well, as the service wraps it."""
    if state == "TrainModel":
        return TRAINED
    if state == "DeployModel":
        return DEPLOYED
    if state == "NotifyOperators":
        return {"MessageId": "1"}
    return {"Payload": RESULTS.get(state, {}), "StatusCode": 200}


def machine_resource(template: Template, name: str) -> dict[str, Any]:
    """Properties of one of our state machines."""
    (found,) = (
        machine
        for machine in resources(template, "StepFunctions::StateMachine").values()
        if machine["StateMachineName"] == f"AreYouACat-{name}"
    )
    return found


def placeholders(name: str) -> set[str]:
    """The names of all `${...}` in a definition."""
    return set(re.findall(r"\$\{(\w+)\}", (FOLDER / f"{name}.asl.json").read_text()))


def definition(template: Template, name: str) -> dict[str, Any]:
    """A definition as it is deployed; what only CloudFormation knows has a likely value."""
    given = machine_resource(template, name)["DefinitionSubstitutions"]
    return asl_simulator.load(
        FOLDER / f"{name}.asl.json",
        {key: value if isinstance(value, str) else _likely(key) for key, value in given.items()},
    )


def _likely(key: str) -> str:
    where = "eu-west-1:111111111111"
    if key == "TrainingImageUri":
        return "111111111111.dkr.ecr.eu-west-1.amazonaws.com/training:latest"
    if key == "LakeBucket":
        return "areyouacat-lake"
    return {
        "RoleArn": "arn:aws:iam::111111111111:role/training",
        "FunctionArn": f"arn:aws:lambda:{where}:function:one",
        "StateMachineArn": f"arn:aws:states:{where}:stateMachine:deploy",
        "TopicArn": f"arn:aws:sns:{where}:ops",
    }[next(end for end in _ENDS if key.endswith(end))]


_ENDS = ("RoleArn", "FunctionArn", "StateMachineArn", "TopicArn")
