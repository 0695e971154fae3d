"""Stopped, killed with -9, started again: it finishes, and never with half a state."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud.supervisor import poll
from tests.integration.instance import APP_PYTHON, ROOT, Instance

pytestmark = pytest.mark.slow


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    """A state folder in which nothing has run yet."""
    fresh = Instance(tmp_path / "cloud")
    try:
        yield fresh
    finally:
        fresh.close()


def eventually(what: str, condition: Callable[[], Any], seconds: float = 300.0) -> None:
    if not any(condition() for _ in poll(seconds)):
        raise AssertionError(f"waited {seconds:.0f} s for {what}")


def started(instance: Instance, *options: str) -> "subprocess.Popen[bytes]":
    """`make up`, left to itself."""
    return subprocess.Popen(
        [APP_PYTHON, "-m", "local_cloud.cli", "up", *options],
        cwd=ROOT,
        env=instance.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_everything(instance: Instance) -> None:
    """`kill -9` of all of it at once, as a power cut would."""
    for pid in instance.processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    eventually("the end of all processes", lambda: not instance.processes(), seconds=30)


def stack_id(instance: Instance) -> str:
    stacks = instance.client("cloudformation").describe_stacks(StackName="AreYouACat")["Stacks"]
    return str(stacks[0]["StackId"])


def photo_in_lake(instance: Instance) -> bytes:
    s3, lake = instance.client("s3"), instance.endpoints["lake_bucket"]
    return bytes(s3.get_object(Bucket=lake, Key="photos/ab/test")["Body"].read())


def put_photo(instance: Instance) -> None:
    s3, lake = instance.client("s3"), instance.endpoints["lake_bucket"]
    s3.put_object(Bucket=lake, Key="photos/ab/test", Body=b"bytes")


def test_down_stops_everything_and_up_goes_on_from_there(instance: Instance) -> None:
    instance.up("--no-starter")
    put_photo(instance)
    before = stack_id(instance)

    down = instance.run("local_cloud.cli", "down")

    assert down.returncode == 0, down.stdout
    assert instance.processes() == []
    assert "anew" not in instance.up("--no-starter")
    assert (stack_id(instance), photo_in_lake(instance)) == (before, b"bytes")


def test_killed_after_it_was_saved_whole_nothing_is_lost(instance: Instance) -> None:
    instance.up("--no-starter")
    put_photo(instance)
    before = stack_id(instance)

    kill_everything(instance)

    assert "anew" not in instance.up("--no-starter")
    assert (stack_id(instance), photo_in_lake(instance)) == (before, b"bytes")
    assert instance.call("GET", "health").status == 200


def test_killed_in_the_middle_of_the_deployment_it_starts_anew_and_finishes(
    instance: Instance,
) -> None:
    log = instance.state / "logs" / "deploy.log"
    first = started(instance, "--no-starter")
    eventually(
        "the deployment to create resources",
        lambda: log.exists() and "AreYouACat | " in log.read_text(errors="replace"),
    )

    kill_everything(instance)
    first.wait(timeout=30)

    instance.up("--no-starter")
    assert instance.call("GET", "health").status == 200


def test_killed_in_the_middle_of_the_first_training_it_trains_to_the_end(
    instance: Instance,
) -> None:
    jobs = instance.state / "logs" / "training"
    first = started(instance)
    eventually("a training job", lambda: jobs.exists() and any(jobs.iterdir()), seconds=600)

    kill_everything(instance)
    first.wait(timeout=30)

    said = instance.up()
    assert "the API says cat" in said
    assert "the API says not_cat" in said
    assert instance.call("GET", "model").body["model"]["version"] == "1"


def test_only_the_command_killed_its_work_is_taken_up_by_the_next(instance: Instance) -> None:
    first = started(instance, "--no-starter")
    eventually("the gateway", (instance.state / "credentials.json").exists)

    first.kill()
    first.wait(timeout=30)

    instance.up("--no-starter")
    assert instance.call("GET", "health").status == 200


def test_a_second_up_beside_a_working_one_is_refused_in_one_sentence(instance: Instance) -> None:
    first = started(instance, "--no-starter")
    eventually("the first to begin", (instance.state / "run" / "lock").exists)
    eventually("its lock", (instance.state / "ports.json").exists)

    second = instance.run("local_cloud.cli", "up", "--no-starter")

    assert second.returncode == 1
    assert "Another make up or make down" in second.stdout
    assert first.wait(timeout=300) == 0
