"""Our four definitions with the template's substitutions, and runs of them.

What a task is given is held against the service's API and its function's own request model, and
what it answers against what the service can answer: what one of them forgets fails here.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from areyouacat.serving_pointer import Variant
from infra_cdk.settings import REPOSITORY_ROOT
from lambdas.monitoring.handlers.collect_window import CollectRequest
from lambdas.monitoring.handlers.publish_metrics import PublishRequest
from lambdas.pipeline.handlers.check_canary import CheckRequest
from lambdas.pipeline.handlers.lease import AcquireRequest, ReleaseRequest
from lambdas.pipeline.handlers.move_alias import MoveAliasRequest
from lambdas.pipeline.handlers.promote import PromoteRequest
from lambdas.pipeline.handlers.record_outcome import OutcomeRequest
from lambdas.pipeline.handlers.register_model import RegisterRequest
from lambdas.pipeline.handlers.roll_back import RollBackRequest
from lambdas.pipeline.handlers.shift_traffic import ShiftRequest
from lambdas.pipeline.handlers.stage_variant import StageRequest
from tests.infrastructure import asl_simulator, aws_shapes
from tests.infrastructure.asl_simulator import Run, TaskFailure
from tests.infrastructure.template_reading import Template, resources
from tests.infrastructure.workflow_answers import succeed

NAMES = ("train", "deploy", "monitor", "batch")
FOLDER = REPOSITORY_ROOT / "statemachine"

Answer = Mapping[str, Any] | TaskFailure


class _Version(BaseModel):
    version: str


class _JobName(BaseModel):
    job_name: str


class _EvaluateRequest(BaseModel):
    model_artifact: str
    dataset: _Version
    training: _JobName


class _GoldenRequest(BaseModel):
    variant: Variant


class _PlanRequest(BaseModel):
    request: dict[str, Any]
    execution_name: str


class _ChunkRequest(BaseModel):
    batch_id: str
    chunk: str


class _SummaryRequest(BaseModel):
    batch_id: str


_REQUESTS: Mapping[str, type[BaseModel]] = {
    "AcquireLease": AcquireRequest,
    "EvaluateCandidate": _EvaluateRequest,
    "RegisterModel": RegisterRequest,
    "RecordRejection": OutcomeRequest,
    "RecordFailure": OutcomeRequest,
    "ReleaseLease": ReleaseRequest,
    "ReleaseLeaseAfterRejection": ReleaseRequest,
    "ReleaseLeaseAfterFailure": ReleaseRequest,
    "StageVariant": StageRequest,
    "ScoreGoldenPhotos": _GoldenRequest,
    "ShiftTraffic": ShiftRequest,
    "AnnounceChallenger": MoveAliasRequest,
    "CheckCanary": CheckRequest,
    "Promote": PromoteRequest,
    "RollBack": RollBackRequest,
    "WithdrawChallenger": RollBackRequest,
    "MoveAlias": MoveAliasRequest,
    "CollectWindow": CollectRequest,
    "PublishMetrics": PublishRequest,
    "PlanBatch": _PlanRequest,
    "ScoreChunk": _ChunkRequest,
    "SummarizeBatch": _SummaryRequest,
}


def simulate(
    template: Template,
    name: str,
    execution_input: Any,
    changed: Mapping[str, Answer | list[Answer]] | None = None,
) -> Run:
    """Run a workflow; `changed` names answers, or failures, that differ from success.

    A list holds the answers of a task that is called again and again.
    """
    machine = definition(template, name)
    following = {
        state: iter(answer) for state, answer in (changed or {}).items() if isinstance(answer, list)
    }

    def result_of(state: str, parameters: Any) -> Any:
        answer = next(following[state]) if state in following else (changed or {}).get(state)
        assert not isinstance(answer, list)
        return _answered(machine, state, parameters, answer)

    return asl_simulator.run(machine, execution_input, result_of)


def play(machine: Mapping[str, Any], execution_input: Any, script: Sequence[Answer | None]) -> Run:
    """Run a definition whose tasks answer, one after another, what the script says.

    None, and all after the script's end, is success.
    """
    lines = iter(script)

    def result_of(state: str, parameters: Any) -> Any:
        return _answered(machine, state, parameters, next(lines, None))

    return asl_simulator.run(machine, execution_input, result_of)


def _answered(
    machine: Mapping[str, Any], state: str, parameters: Any, answer: Answer | None
) -> Any:
    """What the service makes of an answer, if it takes the parameters at all."""
    found = asl_simulator.states_of(machine)[state]
    resource = found["Resource"] if found["Type"] == "Task" else found["ItemReader"]["Resource"]
    assert aws_shapes.problems(resource, parameters) == [], state
    if state in _REQUESTS:
        _REQUESTS[state].model_validate(parameters["Payload"])
    if isinstance(answer, TaskFailure):
        raise answer
    if answer is None:
        result = succeed(state, parameters)
    elif resource.endswith("lambda:invoke"):
        result = {"Payload": answer, "StatusCode": 200}
    else:
        result = answer
    if found["Type"] == "Map":  # gives an item of what it has read
        return result
    assert aws_shapes.foreign(resource, result) == [], state
    return result


def tasks(machine: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The states of a definition that call a service, those of a map's children included."""
    return {
        name: state
        for name, state in asl_simulator.states_of(machine).items()
        if state["Type"] == "Task"
    }


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
