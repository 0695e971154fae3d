"""How model versions come and go under traffic: canary, A/B test, rollback, and being cut off.

The name puts this file last among those that share the local cloud: it leaves other versions.
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from areyouacat.lake import SERVING_POINTER_KEY
from areyouacat.serving_pointer import ServingPointer, choose_variant
from areyouacat.settings import LABELS, MODEL_NAME
from lambdas.pipeline.dal.registry import MlflowRegistry
from tests.integration.challengers import marked, stage_challenger
from tests.integration.instance import EXHAUSTIVE, Instance, eventually
from tests.integration.traffic import Traffic


@pytest.fixture(scope="module")
def cloud(trained: Instance) -> Instance:
    """A served model, and no limit to how fast it may be asked."""
    trained.raise_throttles()
    return trained


@pytest.fixture(scope="module")
def photos(starter: Path) -> list[bytes]:
    """Photos of the positive label, of which a bad challenger makes nothing good."""
    found = sorted((starter / LABELS.positive).iterdir(), key=lambda path: path.stat().st_size)
    return [marked(path.read_bytes()) for path in found[:3]]


@pytest.fixture
def champion(cloud: Instance) -> str:
    """The version that serves, alone, as a test begins."""
    found = pointer(cloud)
    assert found.deployment is None
    return found.champion.version


def pointer(cloud: Instance) -> ServingPointer:
    stored = cloud.client("s3").get_object(
        Bucket=cloud.endpoints["lake_bucket"], Key=SERVING_POINTER_KEY
    )
    return ServingPointer.from_json(stored["Body"].read())


def deploy(cloud: Instance, **asked: Any) -> str:
    """Start the deploy workflow; the execution's ARN."""
    started = cloud.client("stepfunctions").start_execution(
        stateMachineArn=cloud.endpoints["state_machines"]["deploy"], input=json.dumps(asked)
    )
    return str(started["executionArn"])


def execution(cloud: Instance, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = cloud.client("stepfunctions").describe_execution(executionArn=arn)
    return found


def output(cloud: Instance, arn: str, seconds: float = 180.0) -> dict[str, Any]:
    """What an execution that ends well leaves."""
    eventually(
        "the deployment's end", lambda: execution(cloud, arn)["status"] != "RUNNING", seconds
    )
    ended = execution(cloud, arn)
    assert ended["status"] == "SUCCEEDED", ended
    found: dict[str, Any] = json.loads(ended["output"])
    return found


def stop(cloud: Instance, arn: str) -> None:
    """Cut an execution off, if it has not ended meanwhile."""
    workflows = cloud.client("stepfunctions")
    with suppress(workflows.exceptions.ClientError):
        workflows.stop_execution(executionArn=arn)


def exited(cloud: Instance, arn: str) -> set[str]:
    """The states that an execution has left."""
    pages = cloud.client("stepfunctions").get_paginator("get_execution_history")
    return {
        event["stateExitedEventDetails"]["name"]
        for page in pages.paginate(executionArn=arn)
        for event in page["events"]
        if "stateExitedEventDetails" in event
    }


def shifted(cloud: Instance, arn: str) -> ServingPointer:
    """The pointer in which the challenger of an execution has its share."""

    def found() -> ServingPointer | None:
        now = pointer(cloud)
        mine = now.deployment is not None and now.deployment.execution_arn == arn
        return now if mine else None

    seen: ServingPointer = eventually("the traffic to be shifted", found, 60)
    return seen


def registry(cloud: Instance) -> MlflowRegistry:
    return MlflowRegistry(cloud.endpoints["mlflow_url"])


def aliases(cloud: Instance) -> dict[str, str | None]:
    known = registry(cloud)
    return {role: known.version_of(MODEL_NAME, role) for role in ("champion", "challenger")}


def given_to_challenger(traffic: Traffic, canary: ServingPointer) -> int:
    """How many requests came from callers who are the challenger's by the pointer."""
    return sum(choose_variant(canary, one.caller).role == "challenger" for one in traffic.asked)


def assert_no_request_failed(traffic: Traffic) -> None:
    assert {one.status for one in traffic.asked} == {200}


def assert_left_alone(cloud: Instance, champion: str, challenger: str) -> None:
    """The champion serves alone, and the registry says so."""
    now = pointer(cloud)
    assert (now.champion.version, now.challenger, now.deployment) == (champion, None, None)
    assert now.champion.weight == 1.0
    assert aliases(cloud) == {"champion": champion, "challenger": None}
    assert registry(cloud).tags_of(MODEL_NAME, challenger)["deployment_state"] == "rolled_back"


def test_a_good_challenger_earns_all_traffic(
    cloud: Instance, photos: list[bytes], champion: str
) -> None:
    version = stage_challenger(cloud, "good")

    with Traffic(cloud, photos) as traffic:
        arn = deploy(cloud, version=version, canary_weight=0.25, bake_seconds=12, check_seconds=2)
        canary = shifted(cloud, arn)
        eventually("the alias", lambda: aliases(cloud)["challenger"] == version, 30)
        done = output(cloud, arn)
        before = len(traffic.asked)
        eventually("the last old answer", lambda: only(traffic, version, since=before), 60)

    assert (done["result"]["outcome"], done["result"]["version"]) == ("promoted", version)
    assert done["check"]["challenger"]["golden_right"] == done["check"]["challenger"]["golden"] > 0
    assert_no_request_failed(traffic)
    tried = [one for one in traffic.asked if one.role == "challenger"]
    assert tried
    for one in tried:
        assert choose_variant(canary, one.caller).version == one.version == version
    now = pointer(cloud)
    assert [variant.version for variant in now.variants] == [version]
    assert [variant.version for variant in now.previous] == [champion]
    assert aliases(cloud) == {"champion": version, "challenger": None}
    tags = registry(cloud).tags_of(MODEL_NAME, version)
    assert (tags["deployment_state"], tags["promoted_by"]) == ("promoted", arn)
    assert "no harm was seen" in tags["promoted_because"]


def only(traffic: Traffic, version: str, *, since: int, answers: int = 20) -> bool:
    """Whether the last answers are all of one version."""
    last = traffic.asked[since:][-answers:]
    return len(last) == answers and {one.version for one in last} == {version}


def test_a_broken_challenger_is_rolled_back_and_its_callers_are_answered(
    cloud: Instance, photos: list[bytes], champion: str
) -> None:
    version = stage_challenger(cloud, "broken")

    with Traffic(cloud, photos) as traffic:
        arn = deploy(cloud, version=version, canary_weight=0.2, bake_seconds=600, check_seconds=2)
        canary = shifted(cloud, arn)
        done = output(cloud, arn)

    assert done["result"]["outcome"] == "rolled_back"
    assert "failed" in done["result"]["reasons"][0]
    assert_no_request_failed(traffic)
    assert traffic.of(version) == []
    touched = done["check"]["challenger"]["requests"]
    assert 0 < touched <= given_to_challenger(traffic, canary) < 0.3 * len(traffic.asked)
    assert_left_alone(cloud, champion, version)


@contextmanager
def mlflow_stopped(cloud: Instance) -> Iterator[None]:
    """MLflow takes no step while the block runs: worse than none, for who asks has to wait."""
    workers = [
        process
        for process in cloud.processes()
        if b"mlflow" in Path(f"/proc/{process}/cmdline").read_bytes()
    ]
    assert workers
    for process in workers:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in workers:
            os.kill(process, signal.SIGCONT)


@pytest.mark.slow
def test_a_rollback_needs_no_registry(cloud: Instance, photos: list[bytes], champion: str) -> None:
    version = stage_challenger(cloud, "good")
    output(cloud, deploy(cloud, version=version, strategy="all_at_once"))

    with Traffic(cloud, photos, threads=1) as traffic:
        eventually("answers of the new version", lambda: traffic.of(version), 60)
        with mlflow_stopped(cloud):
            arn = deploy(cloud, strategy="roll_back", from_version=version, reason="a test")
            eventually("the pointer to move", lambda: pointer(cloud).champion.version == champion)
            before = len(traffic.asked)
            eventually("the last answer", lambda: only(traffic, champion, since=before), 90)
        done = output(cloud, arn, 300)

    assert done["result"]["moved_version"] == version
    assert_no_request_failed(traffic)
    again = deploy(cloud, strategy="roll_back", from_version=version, reason="once more")
    assert output(cloud, again)["result"]["outcome"] == "unchanged"
    # MLflow was away; its next caller puts right what it missed.
    assert_left_alone(cloud, champion, version)
    verified = cloud.client("lambda").invoke(
        FunctionName=cloud.endpoints["verify_registry_function"], Payload=b"{}"
    )
    assert json.load(verified["Payload"])["differences"] == []


@pytest.mark.slow
def test_a_slow_challenger_is_rolled_back(
    cloud: Instance, photos: list[bytes], champion: str
) -> None:
    version = stage_challenger(cloud, "slow")

    with Traffic(cloud, photos) as traffic:
        arn = deploy(cloud, version=version, canary_weight=0.2, bake_seconds=600, check_seconds=2)
        canary = shifted(cloud, arn)
        done = output(cloud, arn)

    assert done["result"]["outcome"] == "rolled_back"
    assert "took longer than" in done["result"]["reasons"][0]
    assert_no_request_failed(traffic)
    assert 0 < len(traffic.of(version)) <= given_to_challenger(traffic, canary)
    assert_left_alone(cloud, champion, version)


@pytest.mark.slow
def test_a_challenger_that_people_call_wrong_is_rolled_back(
    cloud: Instance, photos: list[bytes], champion: str
) -> None:
    version = stage_challenger(cloud, "wrong")
    told: dict[str, int] = {champion: 0, version: 0}

    def say(one: Any) -> None:
        # As many words on each as the test needs: one address may say no more than so much.
        if told.get(one.version, 99) < 15:
            said = cloud.call(
                "POST",
                "feedback",
                {"prediction_id": one.prediction_id, "label": LABELS.positive},
            )
            assert said.status == 200, said
            told[one.version] += 1

    with Traffic(cloud, photos, threads=1, after=say) as traffic:
        arn = deploy(cloud, version=version, canary_weight=0.3, bake_seconds=600, check_seconds=2)
        shifted(cloud, arn)
        told[champion] = 0  # feedback on answers before the canary says nothing about it
        done = output(cloud, arn)

    assert done["result"]["outcome"] == "rolled_back"
    assert "people called 0 of" in done["result"]["reasons"][0]
    assert_no_request_failed(traffic)
    assert_left_alone(cloud, champion, version)


@pytest.mark.slow
def test_a_challenger_that_does_not_know_the_golden_photos_meets_no_caller(
    cloud: Instance, photos: list[bytes], champion: str
) -> None:
    version = stage_challenger(cloud, "worse")

    with Traffic(cloud, photos, threads=1) as traffic:
        done = output(cloud, deploy(cloud, version=version))

    assert done["result"]["outcome"] == "rolled_back"
    assert "golden photos" in done["result"]["reasons"][0]
    assert "shifted" not in done
    assert_no_request_failed(traffic)
    assert traffic.of(version) == []
    assert_left_alone(cloud, champion, version)


@pytest.mark.slow
def test_of_two_deployments_at_once_the_second_waits_for_the_first(
    cloud: Instance, champion: str
) -> None:
    first, second = stage_challenger(cloud, "good"), stage_challenger(cloud, "good")

    one = deploy(cloud, version=first, bake_seconds=10, check_seconds=2)
    shifted(cloud, one)
    other = deploy(cloud, version=second, bake_seconds=2, check_seconds=1)

    assert output(cloud, one)["result"]["previous_version"] == champion
    assert output(cloud, other)["result"]["previous_version"] == first
    assert pointer(cloud).champion.version == second


@pytest.mark.slow
def test_an_ab_test_keeps_its_callers_refuses_other_deployments_and_needs_evidence(
    cloud: Instance, photos: list[bytes], champion: str
) -> None:
    version, another = stage_challenger(cloud, "good"), stage_challenger(cloud, "good")

    with Traffic(cloud, photos) as traffic:
        arn = deploy(cloud, version=version, strategy="ab_test", bake_seconds=45, check_seconds=5)
        test = shifted(cloud, arn)
        refused = deploy(cloud, version=another)
        eventually("refusal", lambda: execution(cloud, refused)["status"] != "RUNNING")
        done = output(cloud, arn)

    ended = execution(cloud, refused)
    assert (ended["status"], ended["error"]) == ("FAILED", "AbTestInProgressError")
    assert arn in ended["cause"]
    assert done["result"]["outcome"] == "rolled_back"
    assert "not shown to be better" in done["result"]["reasons"][0]
    share = len(traffic.of(version)) / len(traffic.asked)
    assert 0.2 < share < 0.6
    for one in traffic.of(version):
        assert choose_variant(test, one.caller).version == version
    assert_no_request_failed(traffic)
    assert_left_alone(cloud, champion, version)


@pytest.mark.slow
def test_the_alarm_on_the_challenger_rolls_it_back_between_two_checks(
    cloud: Instance, photos: list[bytes], champion: str
) -> None:
    version = stage_challenger(cloud, "broken")

    with Traffic(cloud, photos) as traffic:
        # Most callers are the challenger's: five of them a minute are what the alarm waits for, and
        # a slow machine answers few.
        arn = deploy(cloud, version=version, canary_weight=0.9, check_seconds=3600,
                     bake_seconds=7200)  # fmt: skip
        shifted(cloud, arn)
        eventually("the rollback", lambda: pointer(cloud).deployment is None, 600)

    moved_by = pointer(cloud).updated_by
    assert moved_by.rpartition(":")[2].startswith("alarm-")
    assert_no_request_failed(traffic)
    assert output(cloud, moved_by)["result"]["moved_version"] == version
    assert_left_alone(cloud, champion, version)
    stop(cloud, arn)


# After the first ones something new has happened; the others come with EXHAUSTIVE=1.
STATES = ["StageVariant", "ShiftTraffic", "WaitForEvidence", "Promote"]
OTHER_STATES = ["ScoreGoldenPhotos", "AnnounceChallenger", "CheckCanary", "MoveAlias"]


@pytest.mark.slow
@pytest.mark.parametrize("state", [*STATES, *(OTHER_STATES if EXHAUSTIVE else [])])
def test_a_deployment_cut_off_after_any_state_leaves_one_consistent_pointer(
    cloud: Instance, champion: str, state: str
) -> None:
    version = stage_challenger(cloud, "good")
    arn = deploy(cloud, version=version, bake_seconds=3, check_seconds=1)

    eventually(f"the end of {state}", lambda: state in exited(cloud, arn), 90)
    stop(cloud, arn)
    eventually("no challenger", lambda: pointer(cloud).deployment is None, 60)

    promoted = state in {"Promote", "MoveAlias"}
    now = pointer(cloud)
    allowed = {version} if promoted else {version, champion}  # it may have got further meanwhile
    assert now.champion.version in allowed
    assert [variant.weight for variant in now.variants] == [1.0]
    eventually(
        "the registry",
        lambda: aliases(cloud)["champion"] == pointer(cloud).champion.version,
        60,
    )
