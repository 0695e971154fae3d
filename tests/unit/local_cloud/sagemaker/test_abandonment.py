"""What goes on in the emulator's Step Functions once an execution was stopped: nothing.

In the local cloud's environment, with a task that needs no job: `states:::try` notes that it was
called, and does what `act` says.
"""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.unit.local_cloud.gateway_process import run_in_cloud

TASK: Final = {"Type": "Task", "Resource": "arn:aws:states:::try", "End": True}
NESTED: Final = {
    "Type": "Task",
    "Resource": "arn:aws:states:::states:startExecution.sync:2",
    "Parameters": {"StateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:inner"},
    "End": True,
}
# Prints, as JSON, how `outer` and the other executions ended, and how often the task was tried.
PROGRAM: Final = """
import json, os, sys, threading, time
os.environ["SFN_WAIT_SCALE"] = "0"
given = json.loads(sys.argv[1])
from local_cloud.sagemaker import ministack
from ministack.services import iam, stepfunctions as states
ministack.attach(None)

def until(what, condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)

def executions(machine):
    return [e for e in states._executions.values() if f":{machine}" in e["stateMachineArn"]]

def stop():
    outer = next(e for e in executions("outer") if "mapRunArn" not in e)
    states._stop_execution({"executionArn": outer["executionArn"]})
    until("the inner end", lambda: "RUNNING" not in {e["status"] for e in executions("inner")})

tried = []
def attempt(resource, arguments):
    tried.append(resource)
    stop()
    if given["act"] == "fail":
        raise states._ExecutionError("Failed", "")
    return {}
states._SERVICE_DISPATCH["arn:aws:states:::try"] = attempt

role = "arn:aws:iam::000000000000:role/states"
iam._roles["states"] = {"RoleName": "states", "Arn": role}
for name, definition in given["machines"].items():
    made = states._create_state_machine({
        "name": name,
        "definition": json.dumps({"StartAt": "First", "States": definition}),
        "roleArn": role,
    })
    assert made[0] == 200, made
machine = "arn:aws:states:us-east-1:000000000000:stateMachine:outer"
answer = json.loads(states._start_sync_execution({"stateMachineArn": machine, "input": "[1]"})[2])
print(json.dumps({
    "status": answer["status"],
    "tried": len(tried),
    "others": [e["status"] for e in executions("") if e["executionArn"] != answer["executionArn"]],
    "last": states._executions[answer["executionArn"]]["events"][-1]["type"],
}))
"""


def outcome(tmp_path: Path, act: str, **machines: dict[str, Any]) -> dict[str, Any]:
    """What became of the state machine `outer`, whose first task stops it."""
    given = json.dumps({"act": act, "machines": machines})
    ran = run_in_cloud(PROGRAM, tmp_path, given)
    assert ran.returncode == 0, ran.stderr
    assert "Traceback" not in ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def parallel(states: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "Parallel", "Branches": [{"StartAt": "First", "States": states}], "End": True}


def mapped(mode: str, states: dict[str, Any]) -> dict[str, Any]:
    processor = {"ProcessorConfig": {"Mode": mode}, "StartAt": "First", "States": states}
    return {"Type": "Map", "ItemProcessor": processor, "End": True}


TWO_TASKS: Final[dict[str, Any]] = {
    "First": {"Type": "Task", "Resource": TASK["Resource"], "Next": "Second"},
    "Second": TASK,
}


def test_a_task_is_not_tried_again(tmp_path: Path) -> None:
    retried = {**TASK, "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2}]}

    found = outcome(tmp_path, "fail", outer={"First": retried})

    assert found == {"status": "ABORTED", "tried": 1, "others": [], "last": "ExecutionAborted"}


@pytest.mark.parametrize("branches", [parallel(TWO_TASKS), mapped("INLINE", TWO_TASKS)])
def test_a_branch_does_not_go_on_to_its_next_task(tmp_path: Path, branches: dict[str, Any]) -> None:
    found = outcome(tmp_path, "return", outer={"First": branches})

    assert found == {"status": "ABORTED", "tried": 1, "others": [], "last": "ExecutionAborted"}


def test_the_items_of_a_distributed_map_are_stopped_too(tmp_path: Path) -> None:
    found = outcome(tmp_path, "return", outer={"First": mapped("DISTRIBUTED", TWO_TASKS)})

    assert (found["status"], found["tried"], found["others"]) == ("ABORTED", 1, ["ABORTED"])


@pytest.mark.parametrize("branches", [parallel(TWO_TASKS), mapped("INLINE", TWO_TASKS)])
def test_an_inner_execution_is_stopped_in_the_middle_of_its_branches(
    tmp_path: Path, branches: dict[str, Any]
) -> None:
    found = outcome(tmp_path, "return", outer={"First": NESTED}, inner={"First": branches})

    assert (found["status"], found["tried"], found["others"]) == ("ABORTED", 1, ["ABORTED"])
