"""Images that only a container engine can run.

There may be no engine where this runs, so that a program in its place notes what it is asked and
does it in a process: what is tested is what the engine is told, and what becomes of its answer.
"""

import json
import os
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local_cloud.sagemaker.tiny_cloud import Cloud, eventually, request

FOREIGN = "registry.example.com/team/foreign:3"
# `run` does the words after the image; `rm` kills what it finds under the name.
ENGINE = f"""#!{sys.executable}
import json, os, signal, subprocess, sys
from pathlib import Path
here = Path(__file__).parent
with (here / "asked").open("a") as asked:
    asked.write(json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[1] == "run":
    if (here / "broken").exists():
        print("no such image", file=sys.stderr)
        sys.exit(125)
    words = sys.argv[sys.argv.index("{FOREIGN}") + 1:]
    volumes = [a for b, a in zip(sys.argv, sys.argv[1:]) if b == "--volume"]
    os.environ["BASE"] = next(v.split(":")[0] for v in volumes if v.endswith(":/opt/ml"))
    os.execvp("sh", ["sh", "-c", *words])
"""


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    folder = tmp_path / "engine"
    folder.mkdir()
    program = folder / "docker"
    program.write_text(ENGINE)
    program.chmod(0o700)
    return program


@pytest.fixture
def cloud(open_cloud: Callable[..., Cloud], engine: Path) -> Cloud:
    return open_cloud(engine=str(engine), stop_grace=5.0)


def asked(engine: Path) -> list[list[str]]:
    return [json.loads(line) for line in (engine.parent / "asked").read_text().splitlines()]


def foreign(script: str, **members: Any) -> dict[str, Any]:
    algorithm = {
        "TrainingImage": FOREIGN,
        "TrainingInputMode": "File",
        "ContainerArguments": [script],
    }
    return {"AlgorithmSpecification": algorithm, **members}


def test_an_image_that_is_not_registered_is_run_by_the_engine(cloud: Cloud, engine: Path) -> None:
    script = 'echo "$WORD $AWS_ACCESS_KEY_ID" > "$BASE/model/said"'

    job = cloud.run("foreign", **foreign(script, Environment={"WORD": "secret-word"}))

    ran, removed = asked(engine)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert cloud.keys("training/foreign/output/") == ["model.tar.gz"]
    assert ran[:3] == ["run", "--rm", "--name"]
    assert ran[-2:] == [FOREIGN, script]
    assert ran[ran.index("--network") + 1] == "host"
    assert "WORD" in ran
    assert "secret-word" not in " ".join(ran)  # a command line can be read by every user
    assert removed == ["rm", "--force", ran[3]]


def test_a_path_of_the_request_is_the_containers_not_the_engines(
    cloud: Cloud, engine: Path
) -> None:
    cloud.run("path", **foreign("true", Environment={"PATH": "/opt/conda/bin"}))

    ran = asked(engine)[0]
    assert ran[ran.index("PATH=/opt/conda/bin") - 1] == "--env"
    assert "PATH" not in ran


@pytest.mark.parametrize(("user", "told"), [(0, []), (1000, ["1000:1000"])])
def test_docker_writes_as_the_user_who_removes_it(
    user: int, told: list[str], cloud: Cloud, engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: user)
    monkeypatch.setattr(os, "getgid", lambda: user)

    cloud.run("owner", **foreign("true"))

    ran = asked(engine)[0]
    assert [after for word, after in pairwise(ran) if word == "--user"] == told


def test_a_stopped_job_leaves_no_container(cloud: Cloud, engine: Path) -> None:
    cloud.call("CreateTrainingJob", **request("stops", **foreign("echo up; exec sleep 600")))
    cloud.logs("stops", "up")

    cloud.call("StopTrainingJob", TrainingJobName="stops")

    assert cloud.ended("stops")["TrainingJobStatus"] == "Stopped"
    eventually(lambda: asked(engine)[-1][0] == "rm", "the container is removed")


def test_an_entry_point_and_network_isolation_are_the_engines_to_keep(
    cloud: Cloud, engine: Path
) -> None:
    members = foreign("true", EnableNetworkIsolation=True)
    members["AlgorithmSpecification"]["ContainerEntrypoint"] = ["bash", "-c"]

    cloud.run("isolated", **members)

    ran = asked(engine)[0]
    assert ran[ran.index("--network") + 1] == "none"
    assert ran[ran.index("--entrypoint") + 1] == "bash"
    assert ran[-3:] == [FOREIGN, "-c", "true"]
    assert "AWS_ACCESS_KEY_ID" not in ran


def test_an_engine_that_cannot_run_the_image_is_no_fault_of_the_algorithm(
    cloud: Cloud, engine: Path
) -> None:
    (engine.parent / "broken").touch()

    job = cloud.run("broken", **foreign("true"))

    assert job["FailureReason"].startswith("ClientError: The container engine could not run")
    assert "no such image" in cloud.log("broken")


def test_a_registered_image_does_not_need_the_engine(cloud: Cloud, engine: Path) -> None:
    cloud.script("")

    assert cloud.run("registered")["TrainingJobStatus"] == "Completed"
    assert not os.path.lexists(engine.parent / "asked")
