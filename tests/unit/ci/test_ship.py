"""A deployment that does not work is taken back."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from ci_tools import ship as shipping
from ci_tools.locks import ROOT
from ci_tools.ship import BROKEN, PUT_BACK, SHIPPED, RealSteps, ship


class World:
    """An account in memory. `deploys`, `working`: the commits that can be, and that then work."""

    def __init__(self, before: str | None, *, deploys: set[str], working: set[str]) -> None:
        self.stands = before
        self._deploys = deploys
        self._working = working
        self._trees = {ROOT: "new"}
        self.said: list[str] = []

    def deployed(self) -> str | None:
        return self.stands

    def deploy(self, tree: Path) -> bool:
        commit = self._trees[tree]
        if commit not in self._deploys:
            return False
        self.stands = commit
        return True

    def works(self) -> bool:
        return self.stands in self._working

    @contextlib.contextmanager
    def tree_of(self, commit: str) -> Iterator[Path]:
        self._trees[Path(commit)] = commit
        yield Path(commit)

    def ship(self) -> int:
        return ship(self, "new", self.said.append)


def test_what_works_stays() -> None:
    world = World("old", deploys={"new"}, working={"new"})

    assert world.ship() == SHIPPED
    assert world.stands == "new"


def test_what_does_not_work_is_replaced_by_what_was_there() -> None:
    world = World("old", deploys={"new", "old"}, working={"old"})

    assert world.ship() == PUT_BACK
    assert world.stands == "old"
    assert world.said[-1] == "old is deployed again, and works."


def test_an_update_that_cloudformation_undid_is_not_undone_again() -> None:
    world = World("old", deploys=set(), working={"old"})

    assert world.ship() == PUT_BACK
    assert world.said == ["new was not deployed; old stays."]


def test_a_deployment_that_fails_once_the_stack_stands_is_taken_back() -> None:
    class Late(World):
        def deploy(self, tree: Path) -> bool:
            return super().deploy(tree) and tree != ROOT

    world = Late("old", deploys={"new", "old"}, working={"new", "old"})

    assert world.ship() == PUT_BACK
    assert world.stands == "old"


def test_a_first_deployment_has_nothing_to_go_back_to() -> None:
    world = World(None, deploys={"new"}, working=set())

    assert world.ship() == BROKEN
    assert world.stands == "new"


def test_a_first_deployment_that_did_not_come_about_leaves_nothing() -> None:
    assert World(None, deploys=set(), working=set()).ship() == PUT_BACK


def test_a_commit_deployed_twice_cannot_replace_itself() -> None:
    world = World("new", deploys={"new"}, working=set())

    assert world.ship() == BROKEN


@pytest.mark.parametrize(("deploys", "working"), [({"new"}, {"old"}), ({"new", "old"}, set())])
def test_a_way_back_that_fails_is_told(deploys: set[str], working: set[str]) -> None:
    world = World("old", deploys=deploys, working=working)

    assert world.ship() == BROKEN
    assert world.said[-1].startswith("old could not be put back")


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    client = boto3.client("cloudformation", region_name="eu-west-1")
    monkeypatch.setattr(boto3, "client", lambda _: client)
    with Stubber(client) as stub:
        yield stub


def test_the_stack_says_which_commit_it_is(cloudformation: Stubber) -> None:
    stack = {
        "StackName": "AreYouACat",
        "StackStatus": "UPDATE_COMPLETE",
        "CreationTime": "2026-01-01T00:00:00Z",
        "Outputs": [{"OutputKey": "CodeRevision", "OutputValue": "abc"}],
    }
    cloudformation.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "AreYouACat"})

    assert RealSteps().deployed() == "abc"


def test_no_stack_is_no_commit_but_no_permission_is_no_answer(cloudformation: Stubber) -> None:
    cloudformation.add_client_error("describe_stacks", "ValidationError")
    cloudformation.add_client_error("describe_stacks", "AccessDenied")

    assert RealSteps().deployed() is None
    with pytest.raises(ClientError, match="AccessDenied"):
        RealSteps().deployed()


def test_a_tree_of_a_commit_is_there_and_then_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments],
            cwd=tmp_path, check=True, capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip

    git("init", "--quiet")
    (tmp_path / "file").write_text("old")
    git("add", "file")
    git("commit", "--quiet", "--message", "old")
    commit = git("rev-parse", "HEAD")
    (tmp_path / "file").write_text("new")
    monkeypatch.setattr(shipping, "ROOT", tmp_path)

    with RealSteps().tree_of(commit) as tree:
        assert (tree / "file").read_text() == "old"

    assert not tree.exists()
    assert len(git("worktree", "list").splitlines()) == 1
