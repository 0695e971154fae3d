"""The deploy workflow with its real functions, killed after each of its states.

What is left is what EventBridge tells RollBack to clean up, or what VerifyRegistry finds if nobody
told it; either way one version serves, alone, and MLflow says so.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import pytest

from areyouacat.lake import SERVING_POINTER_KEY
from areyouacat.predictions import prediction_item
from areyouacat.serving_pointer import ServingPointer
from infra_cdk.settings import REPOSITORY_ROOT
from lambdas.pipeline.handlers import (
    check_canary,
    move_alias,
    promote,
    roll_back,
    shift_traffic,
    stage_variant,
    verify_registry,
)
from lambdas.shared.predictions_table import PredictionsTable
from tests.infrastructure import asl_simulator
from tests.infrastructure.asl_simulator import Run, TaskFailure
from tests.unit.lambdas.pipeline.factories import FunctionContext, labelled_item
from tests.unit.lambdas.pipeline.fakes import MemoryRegistry, Version
from tests.unit.lambdas.pipeline.moto_cloud import Cloud
from tests.unit.lambdas.pipeline.pointers import alone, lake_with

CONTEXT: Any = FunctionContext()
EXECUTION = "arn:aws:states:eu-west-1:111111111111:execution:machine:name"
CANARY = {"version": "2", "bake_seconds": 0, "reason": "looks good"}
GOLDEN_RIGHT = {"photos": 50, "right": 50, "wrong": [], "passed": True, "reason": "all right"}
GOLDEN_WRONG = {"photos": 50, "right": 9, "wrong": [], "passed": False, "reason": "9 of 50"}
FUNCTIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "StageVariant": stage_variant.handler,
    "ShiftTraffic": shift_traffic.handler,
    "AnnounceChallenger": move_alias.handler,
    "CheckCanary": check_canary.handler,
    "Promote": promote.handler,
    "RollBack": roll_back.handler,
    "WithdrawChallenger": roll_back.handler,
    "MoveAlias": move_alias.handler,
}


class Killed(Exception):  # noqa: N818 - it is no error, somebody stopped the execution
    """Nothing of the execution runs any more."""


@dataclass
class World:
    """A cloud in which version 1 serves and version 2 is registered."""

    cloud: Cloud
    registry: MemoryRegistry
    golden: Mapping[str, Any]
    challenger_fails: bool = False

    def deploy(self, killed_after: int | None = None, fails: str | None = None) -> Run:
        """Runs deploy; `killed_after` so many tasks, `fails`: the task that has no answer."""
        definition = asl_simulator.load(
            REPOSITORY_ROOT / "statemachine" / "deploy.asl.json", {"OpsTopicArn": "arn:topic"}
        )
        done = 0

        def result_of(state: str, parameters: Any) -> Any:
            nonlocal done
            if done == killed_after:
                raise Killed
            done += 1
            if state == fails:
                raise TaskFailure("Lambda.Unknown", "out of memory")
            return self._answer(state, parameters)

        return asl_simulator.run(definition, CANARY, result_of)

    def _answer(self, state: str, parameters: Any) -> Any:
        if state == "NotifyOperators":
            return {"MessageId": "1"}
        if state == "ScoreGoldenPhotos":
            return {"Payload": self.golden}
        try:
            answer = FUNCTIONS[state](parameters["Payload"], CONTEXT)
        except Exception as error:
            cause = json.dumps({"errorMessage": str(error)})
            raise TaskFailure(type(error).__name__, cause) from error
        if state == "ShiftTraffic" and self.challenger_fails:
            self._fail_requests()
        return {"Payload": json.loads(json.dumps(answer))}

    def _fail_requests(self) -> None:
        table = PredictionsTable(self.cloud.dynamodb, "predictions")
        for _ in range(30):
            item = labelled_item(
                str(uuid4()), said=None, predicted_at=datetime.now(UTC), failed_version="2"
            )
            table.put(prediction_item(item.prediction, ttl_days=30))

    @property
    def pointer(self) -> ServingPointer:
        stored = self.cloud.s3.get_object(Bucket="lake", Key=SERVING_POINTER_KEY)
        return ServingPointer.from_json(stored["Body"].read())

    def serving(self) -> list[str]:
        return [variant.version for variant in self.pointer.variants]


@pytest.fixture
def world(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("BAKE_SECONDS", "20")
    monkeypatch.setenv("CHECK_SECONDS", "5")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://nobody-listens")
    for key, content in lake_with("1", "2").objects.items():
        cloud.s3.put_object(Bucket="lake", Key=key, Body=content)
    cloud.s3.put_object(Bucket="lake", Key=SERVING_POINTER_KEY, Body=alone().to_json())
    registry = MemoryRegistry({name: Version(f"s3://lake/{name}", None, {}) for name in ("1", "2")})
    registry.aliases = {"champion": "1"}
    for module in (move_alias, verify_registry):
        monkeypatch.setattr(module, "MlflowRegistry", lambda _address: registry)
    return World(cloud, registry, GOLDEN_RIGHT)


def tell_roll_back(_world: World) -> None:
    """As EventBridge has it done when an execution of deploy ends otherwise than well."""
    asked = {"deployment": EXECUTION, "reason": "the execution was aborted"}
    roll_back.handler({"asked": asked, "execution_arn": EXECUTION}, CONTEXT)


def verify(_world: World) -> None:
    """As people do who ask for it."""
    verify_registry.handler({}, CONTEXT)


@pytest.mark.parametrize("clean_up", [tell_roll_back, verify])
@pytest.mark.parametrize(
    ("golden", "challenger_fails", "expected"),
    [
        (GOLDEN_RIGHT, False, "Succeeded"),
        (GOLDEN_RIGHT, True, "RolledBack"),
        (GOLDEN_WRONG, False, "RolledBack"),
    ],
    ids=["promoted", "harmful", "not golden"],
)
def test_killed_after_any_state_a_deployment_leaves_one_version_that_serves_alone(
    world: World,
    golden: Mapping[str, Any],
    challenger_fails: bool,
    expected: str,
    clean_up: Callable[[World], None],
) -> None:
    world.golden, world.challenger_fails = golden, challenger_fails
    fresh = alone().to_json()
    tasks, seen = 0, []
    while True:
        world.cloud.s3.put_object(Bucket="lake", Key=SERVING_POINTER_KEY, Body=fresh)
        world.registry.aliases = {"champion": "1"}
        try:
            run = world.deploy(killed_after=tasks)
        except Killed:
            pass
        else:
            break
        clean_up(world)

        assert world.pointer.deployment is None
        assert world.serving() in (["1"], ["2"])
        assert world.pointer.champion.weight == 1.0
        seen.append(world.serving()[0])
        verify(world)  # MLflow has to be told after a kill just before it would have been
        assert world.registry.aliases["champion"] == world.pointer.champion.version
        # A version that was cut off waits for its next deployment; none that serves does.
        assert world.registry.aliases.get("challenger") in {None, "2"} - set(world.serving())
        tasks += 1

    assert run.visited[-1] == expected
    # What was not promoted never serves alone, and a promotion is not taken back.
    assert set(seen) == ({"1", "2"} if expected == "Succeeded" else {"1"})
    assert seen == sorted(seen)


def test_the_registry_tells_of_a_promotion_who_why_and_with_what_figures(world: World) -> None:
    run = world.deploy()

    assert run.visited[-1] == "Succeeded"
    assert world.serving() == ["2"]
    assert world.registry.aliases == {"champion": "2"}
    tags = world.registry.versions["2"].tags
    assert tags["promoted_by"] == EXECUTION
    assert tags["deployment_state"] == "promoted"


def test_a_challenger_that_fails_its_requests_is_rolled_back_with_the_reason(world: World) -> None:
    world.challenger_fails = True

    run = world.deploy()

    assert run.output["result"]["outcome"] == "rolled_back"
    assert "failed" in run.output["result"]["reasons"][0]
    assert (world.serving(), world.registry.aliases) == (["1"], {"champion": "1"})


@pytest.mark.parametrize("state", ["ShiftTraffic", "CheckCanary", "Promote"])
def test_a_task_that_breaks_takes_the_challenger_out_and_the_execution_fails(
    world: World, state: str
) -> None:
    run = world.deploy(fails=state)

    assert run.visited[-3:] == ["WithdrawChallenger", "NotifyOperators", "Failed"]
    assert (world.serving(), world.pointer.deployment) == (["1"], None)


@pytest.mark.parametrize("state", ["AnnounceChallenger", "MoveAlias"])
def test_a_registry_that_is_away_keeps_nothing_from_being_promoted(
    world: World, state: str
) -> None:
    run = world.deploy(fails=state)

    assert (run.visited[-1], world.serving()) == ("Succeeded", ["2"])


def test_a_golden_failure_never_meets_a_caller(world: World) -> None:
    world.golden = GOLDEN_WRONG
    before = world.cloud.s3.head_object(Bucket="lake", Key=SERVING_POINTER_KEY)["ETag"]

    run = world.deploy()

    assert run.visited[-1] == "RolledBack"
    assert run.output["result"]["moved_version"] == "2"
    assert world.cloud.s3.head_object(Bucket="lake", Key=SERVING_POINTER_KEY)["ETag"] == before


def test_two_deployments_of_two_versions_do_not_share_the_traffic(world: World) -> None:
    arn = boto3.client("stepfunctions").start_execution(
        stateMachineArn=world.cloud.train_arn, name="other"
    )["executionArn"]
    staged = stage_variant.handler(CANARY, CONTEXT)
    shift_traffic.handler({"staged": staged, "execution_arn": arn}, CONTEXT)

    run = world.deploy()

    assert run.visited[-1] == "Refused"
    assert run.error == "DeploymentInProgressError"
    assert world.pointer.deployment is not None
    assert world.pointer.deployment.execution_arn == arn
