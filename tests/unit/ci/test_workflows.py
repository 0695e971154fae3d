"""What must hold of the workflows beyond what their linters see."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from ci_tools.locks import ROOT, npm_locks, python_locks

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text())
    return found


def jobs() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{file.stem}: {name}", job)
        for file in WORKFLOWS
        for name, job in read(file)["jobs"].items()
    ]


@pytest.mark.parametrize("file", [*WORKFLOWS, *ACTIONS], ids=lambda file: file.stem)
def test_every_action_is_pinned_by_its_commit_with_its_version(file: Path) -> None:
    used = re.findall(r"uses: (.*)", file.read_text())
    foreign = [line for line in used if not line.startswith("./")]

    pinned = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [line for line in foreign if not pinned.fullmatch(line)] == []


def test_one_action_has_one_commit_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for file in (*WORKFLOWS, *ACTIONS):
        for action, commit in re.findall(r"uses: ([\w-]+/[\w-]+)@(.*)", file.read_text()):
            pins.setdefault(action, set()).add(commit)

    assert len(pins) == 5
    assert {action for action, commits in pins.items() if len(commits) > 1} == set()


@pytest.mark.parametrize(("name", "job"), jobs(), ids=[name for name, _ in jobs()])
def test_only_the_deploying_job_may_ask_for_a_token(name: str, job: dict[str, Any]) -> None:
    wanted = {"contents": "read"} | ({"id-token": "write"} if name == "deploy: deploy" else {})

    assert job["permissions"] == wanted


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_gives_nothing_to_jobs_that_do_not_ask(file: Path) -> None:
    assert read(file)["permissions"] == {}
    assert "secrets." not in file.read_text()


def test_every_job_ends_some_time() -> None:
    assert [
        name for name, job in jobs() if "uses" not in job and "timeout-minutes" not in job
    ] == []


def test_the_deployment_waits_for_the_tests_and_the_environment() -> None:
    job = read(ROOT / ".github" / "workflows" / "deploy.yml")["jobs"]["deploy"]

    assert job["needs"] == ["test", "plan"]
    assert job["environment"] == "production"


def test_dependabot_looks_at_every_lock_file() -> None:
    updates = read(ROOT / ".github" / "dependabot.yml")["updates"]
    looked_at = {
        folder.resolve()
        for update in updates
        for pattern in update["directories"]
        for folder in (ROOT.glob(pattern.strip("/")) if pattern != "/" else [ROOT])
    }

    # The pip of the local jobs' environments moves with what it installs, by hand.
    unseen = {lock.parent for lock in (*python_locks(), *npm_locks())} - looked_at
    assert {folder.relative_to(ROOT).as_posix() for folder in unseen} == {
        "local_cloud/sagemaker/containers"
    }
