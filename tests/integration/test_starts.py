"""Everybody who may start a training does so at the same instant, again and again.

Twenty times, or a hundred with EXHAUSTIVE=1, which take a quarter of an hour on a slow machine.
"""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from areyouacat.predictions import CONTROL_PARTITION_KEY, TRAINING_LEDGER_ID
from tests.integration.instance import EXHAUSTIVE, Instance, eventually
from tests.unit.lambdas.monitoring.events import alarm

pytestmark = pytest.mark.slow

ROUNDS: Final = 100 if EXHAUSTIVE else 20
STUBBED_SECONDS: Final = 2
"""How long a training takes here: longer than the four need to ask for the lease."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A local cloud whose trainings do nothing but hold the lease for a moment."""
    instance = Instance(tmp_path_factory.mktemp("starts"))
    try:
        instance.up("--no-starter")
        stub_slow_steps(instance)
        yield instance
    finally:
        instance.close()


def stub_slow_steps(cloud: Instance) -> None:
    """Between the lease's beginning and its end there is a pause, and nothing else."""
    workflows, arn = cloud.client("stepfunctions"), cloud.endpoints["state_machines"]["train"]
    definition = json.loads(workflows.describe_state_machine(stateMachineArn=arn)["definition"])
    states = definition["States"]
    kept = ("AcquireLease", "LeaseAcquired?", "AlreadyRunning", "TooSoon", "Failed")
    definition["States"] = {
        **{name: states[name] for name in kept},
        "SnapshotDataset": {"Type": "Wait", "Seconds": STUBBED_SECONDS, "Next": "ReleaseLease"},
        "ReleaseLease": {**states["ReleaseLease"], "Catch": [], "Next": "Succeeded"},
        "TrainingJobKnown?": {"Type": "Pass", "Next": "Failed"},
        "Succeeded": states["Succeeded"],
    }
    workflows.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))


def test_two_alarms_a_schedule_and_a_person_at_one_instant_train_once(cloud: Instance) -> None:
    trained = [one_round(cloud, number) for number in range(ROUNDS)]

    assert trained == [1] * ROUNDS


def one_round(cloud: Instance, number: int) -> int:
    """How many of the four trained."""
    cloud.client("dynamodb").delete_item(
        TableName=cloud.endpoints["control_table"],
        Key={CONTROL_PARTITION_KEY: {"S": TRAINING_LEDGER_ID}},
    )
    before = {one["executionArn"] for one in executions(cloud)}
    together(
        [
            lambda: publish_alarm(cloud, "FeedbackAccuracy", number),
            lambda: publish_alarm(cloud, "DataDrift", number),
            lambda: start(cloud, "schedule"),
            lambda: start(cloud, "manual"),
        ]
    )

    def ended() -> list[dict[str, Any]]:
        new = [one for one in executions(cloud) if one["executionArn"] not in before]
        done = [one for one in new if one["status"] != "RUNNING"]
        return done if len(done) == len(new) == 4 else []

    done = eventually("the end of all four", ended, 60)
    assert {one["status"] for one in done} == {"SUCCEEDED"}
    return sum(outcome(cloud, one["executionArn"]) == "acquired" for one in done)


def together(actions: list[Callable[[], Any]]) -> None:
    """Do all at the same instant."""
    barrier = threading.Barrier(len(actions))

    def act(action: Callable[[], Any]) -> None:
        barrier.wait(timeout=30)
        action()

    with ThreadPoolExecutor(len(actions)) as pool:
        for done in [pool.submit(act, action) for action in actions]:
            done.result()


def publish_alarm(cloud: Instance, name: str, number: int) -> None:
    at = f"2026-11-20T12:{number // 60:02}:{number % 60:02}.000+0000"
    cloud.client("sns").publish(
        TopicArn=cloud.endpoints["retrain_topic"], Message=alarm(name=name, at=at)
    )


def start(cloud: Instance, source: str) -> None:
    cloud.client("stepfunctions").start_execution(
        stateMachineArn=cloud.endpoints["state_machines"]["train"],
        input=json.dumps({"source": source, "reason": "a race"}),
    )


def executions(cloud: Instance) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.client("stepfunctions").list_executions(
        stateMachineArn=cloud.endpoints["state_machines"]["train"]
    )["executions"]
    return found


def outcome(cloud: Instance, arn: str) -> str:
    """What AcquireLease told an execution."""
    done = cloud.client("stepfunctions").describe_execution(executionArn=arn)
    return str(json.loads(done["output"])["lease"]["outcome"])
