"""Our three definitions with the template's substitutions, and what their tasks would answer.

The answers of deploy's functions are made by their own code, and what its tasks are given is held
against their own request models: a field that one forgets is missing here, too.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from areyouacat.serving_pointer import Variant, first_pointer
from infra_cdk.settings import REPOSITORY_ROOT, TARGETS, Target
from lambdas.monitoring.logic.report import ReportJob
from lambdas.pipeline.handlers.check_canary import CheckRequest
from lambdas.pipeline.handlers.fields import moved
from lambdas.pipeline.handlers.move_alias import MoveAliasRequest
from lambdas.pipeline.handlers.promote import PromoteRequest
from lambdas.pipeline.handlers.roll_back import RollBackRequest
from lambdas.pipeline.handlers.shift_traffic import ShiftRequest
from lambdas.pipeline.handlers.stage_variant import StageRequest
from lambdas.pipeline.logic.promotion import Move, MoveOutcome
from lambdas.pipeline.logic.staging import Wanted, plan
from lambdas.serving.logic.golden import Golden
from tests.infrastructure import asl_simulator, aws_shapes
from tests.infrastructure.asl_simulator import Run, TaskFailure
from tests.infrastructure.template_reading import Template, resources

NAMES = ("train", "deploy", "monitor")
FOLDER = REPOSITORY_ROOT / "statemachine"

Answer = Mapping[str, Any] | TaskFailure


def _variant(version: str) -> Variant:
    return Variant(
        role="challenger",
        name="are-you-a-cat",
        version=version,
        weight=0.0,
        key=f"models/{version}/model.tflite",
        sha256="00",
        model_json_key=f"models/{version}/model.json",
        model_json_sha256="00",
    )


def staged(payload: Mapping[str, Any], *, serving: str | None = "2") -> dict[str, Any]:
    """What StageVariant answers on AWS while the version `serving`, if any, is the champion."""
    asked = StageRequest.model_validate(payload)
    variant, on_aws = _variant(asked.version), TARGETS[Target.AWS]
    pointer = serving and first_pointer(
        _variant(serving), by="arn", reason="the first", at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    planned = plan(
        variant,
        pointer or None,
        Wanted(asked.strategy, asked.canary_weight, asked.bake_seconds, asked.check_seconds),
        canary_bake_seconds=on_aws.canary_bake_seconds,
        canary_check_seconds=on_aws.canary_check_seconds,
    )
    return {
        "variant": asdict(variant),
        **asdict(planned),
        "reason": asked.reason,
        "source": asked.source,
    }


def checked(verdict: str, *reasons: str, wait_seconds: int = 60) -> dict[str, Any]:
    """What CheckCanary answers."""
    role = {
        "requests": 20,
        "failures": 0,
        "latency_p95_ms": 40.0,
        "feedback": 0,
        "feedback_right": 0,
        "golden": 50,
        "golden_right": 49,
    }
    return {
        "verdict": verdict,
        "reasons": list(reasons) or [f"it is to {verdict}"],
        "wait_seconds": wait_seconds,
        "checked_at": "2026-01-01T00:01:00Z",
        "champion": {"version": "2", **role},
        "challenger": {"version": "3", **role, "latency_p95_ms": None},
        "test": {"pairs": 0, "better": 1.0, "worse": 1.0},
    }


PROMOTED = moved(Move(MoveOutcome.PROMOTED, True, "3", "2", "3"), ["it is as good"])
ROLLED_BACK = moved(Move(MoveOutcome.ROLLED_BACK, True, "2", "2", "3"), ["it fails"])
UNCHANGED = moved(Move(MoveOutcome.UNCHANGED, False, "2", "1", None), ["nothing to leave"])
GOLDEN_RIGHT = asdict(Golden(50, 49, ("ab",), True, "right on 49 of 50 golden photos"))
GOLDEN_WRONG = asdict(Golden(50, 20, ("ab",), False, "wrong on 30 of 50 golden photos"))

RESULTS: Mapping[str, dict[str, Any]] = {
    "AcquireLease": {
        "acquired": True,
        "outcome": "acquired",
        "why": "nobody else trains",
        "holder": "arn",
        "answers": [],
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
    "ScoreGoldenPhotos": GOLDEN_RIGHT,
    "ShiftTraffic": {
        "changed": True,
        "champion_version": "2",
        "challenger_version": "3",
        "began_at": "2026-01-01T00:00:00Z",
    },
    "AnnounceChallenger": {"moved": True, "aliases": ["challenger"], "champion": "2"},
    "CheckCanary": checked("promote"),
    "Promote": PROMOTED,
    "RollBack": ROLLED_BACK,
    "WithdrawChallenger": ROLLED_BACK,
    "MoveAlias": {"moved": True, "aliases": ["champion"], "champion": "3"},
    "CollectWindow": {
        "window": {"start": "2025-12-31T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
        "metrics": {},
        "report": {"due": False, "failed": False, "why": "the window has 3 photos"},
    },
    "PublishMetrics": {"published": []},
    "StartPending": {"started": None, "waiting": []},
}
TRAINED = {
    "TrainingJobName": "areyouacat-name-0123abcd",
    "TrainingJobArn": "arn:aws:sagemaker:eu-west-1:111111111111:training-job/areyouacat-name",
    "ModelArtifacts": {"S3ModelArtifacts": "s3://lake/training/job/output/model.tar.gz"},
}


REPORT_DUE = {
    **RESULTS["CollectWindow"],
    "report": {
        "due": True,
        "failed": False,
        "why": "drift of brightness",
        **asdict(
            ReportJob(
                job_name="areyouacat-drift-20260101T000000Z",
                model_version="3",
                prefix="reports/drift/2026-01-01T00-00-00Z/",
                report_uri="s3://lake/reports/drift/2026-01-01T00-00-00Z/",
                window_uri="s3://lake/reports/drift/2026-01-01T00-00-00Z/window.csv",
                reference_uri="s3://lake/models/3/reference.csv",
            )
        ),
    },
}
"""What CollectWindow answers when a drift report is due."""

REPORTED = {
    "ProcessingJobName": "areyouacat-drift-20260101T000000Z",
    "ProcessingJobArn": "arn:aws:sagemaker:eu-west-1:111111111111:processing-job/areyouacat-drift",
}


def deployed(result: Mapping[str, Any]) -> dict[str, Any]:
    """What the nested execution of deploy leaves, as Step Functions hands it on."""
    return {"ExecutionArn": "arn", "Status": "SUCCEEDED", "Output": {"result": dict(result)}}


class _GoldenRequest(BaseModel):
    variant: Variant


_REQUESTS: Mapping[str, type[BaseModel]] = {
    "StageVariant": StageRequest,
    "ScoreGoldenPhotos": _GoldenRequest,
    "ShiftTraffic": ShiftRequest,
    "AnnounceChallenger": MoveAliasRequest,
    "CheckCanary": CheckRequest,
    "Promote": PromoteRequest,
    "RollBack": RollBackRequest,
    "WithdrawChallenger": RollBackRequest,
    "MoveAlias": MoveAliasRequest,
}


def succeed(state: str, parameters: Any) -> Any:
    """Every task's answer when all goes well, as the service wraps it."""
    if state == "TrainModel":
        return TRAINED
    if state == "DriftReport":
        return REPORTED
    if state == "DeployModel":
        return deployed(PROMOTED)
    if state == "NotifyOperators":
        return {"MessageId": "1"}
    if state == "StageVariant":
        return {"Payload": staged(parameters["Payload"]), "StatusCode": 200}
    return {"Payload": RESULTS.get(state, {}), "StatusCode": 200}


def simulate(
    template: Template,
    name: str,
    execution_input: Any,
    changed: Mapping[str, Answer | list[Answer]] | None = None,
) -> Run:
    """Run a workflow; `changed` names answers, or failures, that differ from success.

    A list holds the answers of a task that is called again and again. Every task's parameters are
    held against the API, and against what its function expects, on the way.
    """
    machine = definition(template, name)
    following = {
        state: iter(answer) for state, answer in (changed or {}).items() if isinstance(answer, list)
    }

    def result_of(state: str, parameters: Any) -> Any:
        resource = machine["States"][state]["Resource"]
        assert aws_shapes.problems(resource, parameters) == [], state
        if state in _REQUESTS:
            _REQUESTS[state].model_validate(parameters["Payload"])
        answer = next(following[state]) if state in following else (changed or {}).get(state)
        if isinstance(answer, TaskFailure):
            raise answer
        if answer is None:
            return succeed(state, parameters)
        return answer if state == "DeployModel" else {"Payload": answer, "StatusCode": 200}

    return asl_simulator.run(machine, execution_input, result_of)


def tasks(machine: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The states of a definition that call a service."""
    return {name: state for name, state in machine["States"].items() if state["Type"] == "Task"}


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
    if key.endswith("ImageUri"):
        return "111111111111.dkr.ecr.eu-west-1.amazonaws.com/training:latest"
    if key == "LakeBucket":
        return "areyouacat-lake"
    if key == "MlflowTrackingUri":
        return f"arn:aws:sagemaker:{where}:mlflow-app/app-ABC"
    return {
        "RoleArn": "arn:aws:iam::111111111111:role/training",
        "FunctionArn": f"arn:aws:lambda:{where}:function:one",
        "StateMachineArn": f"arn:aws:states:{where}:stateMachine:deploy",
        "TopicArn": f"arn:aws:sns:{where}:ops",
    }[next(end for end in _ENDS if key.endswith(end))]


_ENDS = ("RoleArn", "FunctionArn", "StateMachineArn", "TopicArn")
