"""State machines as clients: the emulator's Step Functions run our jobs, and stop them."""

import json
from typing import Any, Final

import pytest

from tests.integration.instance import eventually
from tests.integration.sagemaker.gateway_cloud import GatewayCloud

TRAIN: Final = "arn:aws:states:::sagemaker:createTrainingJob.sync"
PROCESS: Final = "arn:aws:states:::sagemaker:createProcessingJob.sync"
NESTED: Final = "arn:aws:states:::states:startExecution.sync:2"
PAUSE: Final = "import signal; print('up', flush=True); signal.pause()"


def task(resource: str, arguments: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A state machine of one state."""
    state = {"Type": "Task", "Resource": resource, "Parameters": arguments, "End": True, **members}
    return {"StartAt": "Job", "States": {"Job": state}}


def pausing(cloud: GatewayCloud, name: str) -> dict[str, Any]:
    """A processing job that does not end by itself: its time is longer than any test waits."""
    return cloud.processing(name, PAUSE, StoppingCondition={"MaxRuntimeInSeconds": 3600})


class Machines:
    """Creates state machines, and watches what becomes of their executions."""

    def __init__(self, cloud: GatewayCloud) -> None:
        self._cloud = cloud
        self._client = cloud.client("stepfunctions")

    def create(self, name: str, definition: dict[str, Any]) -> str:
        made = self._client.create_state_machine(
            name=name, definition=json.dumps(definition), roleArn=self._cloud.role
        )
        return str(made["stateMachineArn"])

    def start(self, name: str, definition: dict[str, Any]) -> str:
        started = self._client.start_execution(stateMachineArn=self.create(name, definition))
        return str(started["executionArn"])

    def stop(self, execution: str) -> None:
        self._client.stop_execution(executionArn=execution)

    def status(self, execution: str) -> str:
        return str(self._client.describe_execution(executionArn=execution)["status"])

    def ended(self, execution: str) -> dict[str, Any]:
        eventually("the execution's end", lambda: self.status(execution) != "RUNNING")
        found: dict[str, Any] = self._client.describe_execution(executionArn=execution)
        return found

    def executions(self, machine: str) -> list[str]:
        found = self._client.list_executions(stateMachineArn=machine)["executions"]
        return [str(execution["status"]) for execution in found]

    def history(self, execution: str) -> list[str]:
        events = self._client.get_execution_history(executionArn=execution)["events"]
        return [str(event["type"]) for event in events]


@pytest.fixture
def machines(cloud: GatewayCloud) -> Machines:
    return Machines(cloud)


def job_status(cloud: GatewayCloud, name: str) -> str:
    described = cloud.client("sagemaker").describe_processing_job(ProcessingJobName=name)
    return str(described["ProcessingJobStatus"])


def eventually_up(cloud: GatewayCloud, name: str) -> None:
    """Wait until the container of a processing job that pauses has started."""
    path = cloud.gateway.state / "logs" / "processing" / f"{name}.log"
    eventually("the container", lambda: path.exists() and "up" in path.read_text())


def test_a_training_job_and_a_processing_job_are_run_one_after_the_other(
    cloud: GatewayCloud, machines: Machines
) -> None:
    first = task(TRAIN, cloud.training("in-a-machine"), ResultPath="$.job")["States"]["Job"]
    second = task(PROCESS, cloud.processing("in-a-machine", "print('reads')"))["States"]["Job"]
    del first["End"]

    execution = machines.start(
        "both",
        {"StartAt": "Train", "States": {"Train": {**first, "Next": "Process"}, "Process": second}},
    )

    ended = machines.ended(execution)
    assert ended["status"] == "SUCCEEDED", ended
    output = json.loads(ended["output"])
    assert output["ProcessingJobStatus"] == "Completed"
    assert isinstance(output["ProcessingEndTime"], int)


def test_a_job_that_fails_is_caught_with_its_description_as_cause(
    cloud: GatewayCloud, machines: Machines
) -> None:
    failing = cloud.processing("caught", "raise SystemExit(3)")
    definition = task(
        PROCESS, failing, Catch=[{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"}]
    )
    definition["States"]["Caught"] = {"Type": "Pass", "End": True}

    ended = machines.ended(machines.start("catches", definition))

    assert ended["status"] == "SUCCEEDED", ended
    cause = json.loads(json.loads(ended["output"])["Cause"])
    assert cause["FailureReason"] == "AlgorithmError: , exit code: 3"


def test_a_stopped_execution_stops_its_job_and_does_nothing_more(
    cloud: GatewayCloud, machines: Machines
) -> None:
    definition = task(
        PROCESS,
        pausing(cloud, "stopped"),
        Retry=[{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 3}],
    )
    execution = machines.start("stops", definition)
    eventually_up(cloud, "stopped")

    machines.stop(execution)

    eventually("the job's end", lambda: job_status(cloud, "stopped") == "Stopped")
    assert machines.status(execution) == "ABORTED"
    assert machines.history(execution)[-1] == "ExecutionAborted"
    listed = cloud.client("sagemaker").list_processing_jobs(NameContains="stopped")
    assert len(listed["ProcessingJobSummaries"]) == 1


def test_a_state_that_times_out_stops_its_job(cloud: GatewayCloud, machines: Machines) -> None:
    definition = task(PROCESS, pausing(cloud, "over-time"), TimeoutSeconds=2)

    ended = machines.ended(machines.start("times-out", definition))

    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")
    eventually("the job's end", lambda: job_status(cloud, "over-time") == "Stopped")


def test_stopping_an_execution_stops_the_one_that_it_started_and_its_job(
    cloud: GatewayCloud, machines: Machines
) -> None:
    inner = machines.create("inner", task(PROCESS, pausing(cloud, "nested")))
    outer = machines.start("outer", task(NESTED, {"StateMachineArn": inner, "Input": {}}))
    eventually_up(cloud, "nested")

    machines.stop(outer)

    eventually("the job's end", lambda: job_status(cloud, "nested") == "Stopped")
    eventually("the inner end", lambda: machines.executions(inner) == ["ABORTED"])
    assert machines.status(outer) == "ABORTED"


def test_an_inner_execution_that_is_stopped_fails_the_state_that_waits_for_it(
    cloud: GatewayCloud, machines: Machines
) -> None:
    inner = machines.create("inner-alone", task(PROCESS, pausing(cloud, "alone")))
    outer = machines.start("outer-of-it", task(NESTED, {"StateMachineArn": inner, "Input": {}}))
    eventually_up(cloud, "alone")
    (execution,) = cloud.client("stepfunctions").list_executions(stateMachineArn=inner)[
        "executions"
    ]

    machines.stop(execution["executionArn"])

    assert machines.ended(outer)["status"] == "FAILED"
    eventually("the job's end", lambda: job_status(cloud, "alone") == "Stopped")


def test_an_execution_that_nobody_waits_for_goes_on_after_the_one_that_started_it(
    cloud: GatewayCloud, machines: Machines
) -> None:
    begin = "arn:aws:states:::states:startExecution"
    first = task(PROCESS, cloud.processing("before", "print('reads')"))["States"]["Job"]
    second = task(PROCESS, cloud.processing("after", "print('reads')"))["States"]["Job"]
    del first["End"]
    inner = machines.create(
        "goes-on",
        {"StartAt": "First", "States": {"First": {**first, "Next": "Second"}, "Second": second}},
    )

    outer = machines.start("lets-go", task(begin, {"StateMachineArn": inner, "Input": {}}))

    assert machines.ended(outer)["status"] == "SUCCEEDED"
    eventually("the inner end", lambda: machines.executions(inner) != ["RUNNING"])
    assert machines.executions(inner) == ["SUCCEEDED"]
    assert job_status(cloud, "after") == "Completed"
