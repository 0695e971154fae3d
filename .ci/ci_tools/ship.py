"""`make ship`: deploys this commit, and puts the one before back if the API then does not work.

What is put back is code and infrastructure. An update that fails half way is undone by
CloudFormation itself; what this undoes is one that went through and does not work. The model is
another matter: a deployment leaves the serving pointer alone, a bad model is taken back by its
own canary or by `make rollback`, and data stays what it is.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ci_tools import smoke
from ci_tools.locks import ROOT
from infra_cdk.endpoints import STACK

SHIPPED: Final = 0
PUT_BACK: Final = 1  # also where there was nothing to put back
BROKEN: Final = 2  # the commit before does not work either, or cannot be deployed


class Steps(Protocol):
    """What shipping is made of."""

    def deployed(self) -> str | None:
        """The commit that the stack says it is, or None: no stack, or one that does not say."""

    def deploy(self, tree: Path) -> bool:
        """Deploy a working tree; whether that went through."""

    def works(self) -> bool:
        """Whether the deployed API passes the smoke test."""

    def tree_of(self, commit: str) -> contextlib.AbstractContextManager[Path]:
        """A working tree of a commit."""


def ship(steps: Steps, commit: str, say: Callable[[str], object]) -> int:
    """Deploy `commit`, whose working tree this is; SHIPPED, PUT_BACK or BROKEN."""
    before = steps.deployed()
    if steps.deploy(ROOT) and steps.works():
        say(f"Deployed {commit}, and it works.")
        return SHIPPED
    now = steps.deployed()
    if now == before != commit:
        say(f"{commit} was not deployed; {before or 'nothing'} stays.")
        return PUT_BACK
    if before in {None, commit}:
        say(f"{commit} does not work, and no other commit is known to go back to.")
        return BROKEN
    say(f"{commit} does not work: {before} is put back.")
    with steps.tree_of(str(before)) as tree:
        if steps.deploy(tree) and steps.works():
            say(f"{before} is deployed again, and works.")
            return PUT_BACK
    say(f"{before} could not be put back. See docs/ci-cd.md.")
    return BROKEN


class RealSteps:
    """git, make and AWS."""

    def deployed(self) -> str | None:
        """From the stack's outputs. Raises ClientError where AWS does not let one ask."""
        try:
            (stack,) = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":  # CloudFormation's "not found"
                return None
            raise
        outputs = {
            output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])
        }
        return outputs.get("CodeRevision")

    def deploy(self, tree: Path) -> bool:
        """`make deploy`; the endpoints file is written where this tree has it."""
        state = os.environ.get("LOCAL_STATE_DIR") or str(ROOT / ".local")
        environment = {**os.environ, "LOCAL_STATE_DIR": state}
        return subprocess.run(["make", "deploy"], cwd=tree, env=environment).returncode == 0  # noqa: PLW1510

    def works(self) -> bool:
        """The smoke test."""
        return smoke.main([]) == 0

    @contextlib.contextmanager
    def tree_of(self, commit: str) -> Iterator[Path]:
        """A worktree of git's, gone afterwards. Raises CalledProcessError: no such commit here."""
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / "tree"
            subprocess.run(
                ["git", "worktree", "add", "--detach", str(tree), commit], cwd=ROOT, check=True
            )
            try:
                yield tree
            finally:
                subprocess.run(
                    ["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True
                )


def _say(line: str) -> None:
    """Into the log, and into the summary of the job where there is one."""
    print(line, flush=True)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a") as file:
            file.write(f"{line}\n\n")


def main() -> int:
    """Ship the commit that is checked out."""
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    try:
        return ship(RealSteps(), commit, _say)
    except (BotoCoreError, ClientError, subprocess.CalledProcessError) as error:
        _say(f"Shipping {commit} stopped: {error}")
        return BROKEN


if __name__ == "__main__":
    sys.exit(main())
