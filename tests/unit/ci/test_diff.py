"""`.ci/diff` with a CDK CLI of the test's own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ci_tools.locks import ROOT

CDK = """#!/bin/sh
echo "$PWD: $*" >>"$CALLS"
if [ "$1" = synth ]; then mkdir -p "$4" && touch "$4/AreYouACat.template.json"; fi
if [ "$1" = diff ]; then echo "[+] AWS::Lambda::Function"; exit "${DIFF_EXIT:-0}"; fi
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository of one commit with the script, and the CLI on a PATH beside it."""
    root = tmp_path / "tree"
    (root / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "diff", root / ".ci" / "diff")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "cdk").write_text(CDK)
    (tmp_path / "bin" / "cdk").chmod(0o755)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "first"]):
        subprocess.run([*git, *command], cwd=root, check=True)
    return root


def diff(tree: Path, *arguments: str, cdk_exit: int = 0) -> tuple[int, str, str]:
    """Exit code, the CLI's calls, the summary."""
    calls, summary = tree.parent / "calls", tree.parent / "summary"
    done = subprocess.run(
        [tree / ".ci" / "diff", *arguments],
        env={
            **os.environ,
            "PATH": f"{tree.parent / 'bin'}:{os.environ['PATH']}",
            "CALLS": str(calls),
            "GITHUB_STEP_SUMMARY": str(summary),
            "DIFF_EXIT": str(cdk_exit),
        },
        capture_output=True,
        check=False,
    )
    read = [file.read_text() if file.exists() else "" for file in (calls, summary)]
    return done.returncode, read[0], read[1]


def test_the_account_is_compared_with_unless_a_commit_is_named(tree: Path) -> None:
    code, calls, summary = diff(tree)

    assert code == 0
    assert "--template" not in calls
    assert "against the account" in summary
    assert "[+] AWS::Lambda::Function" in summary


def test_a_commit_is_synthesised_in_a_tree_of_its_own(tree: Path) -> None:
    code, calls, _ = diff(tree, "HEAD")

    synth, difference = calls.splitlines()
    assert code == 0
    assert not synth.startswith(f"{tree}: ")
    assert difference.startswith(f"{tree}: diff")
    assert "AreYouACat.template.json" in difference
    left = subprocess.run(["git", "worktree", "list"], cwd=tree, capture_output=True, check=True)
    assert len(left.stdout.splitlines()) == 1


def test_an_unknown_commit_is_no_failure(tree: Path) -> None:
    code, calls, summary = diff(tree, "0" * 40)

    assert code == 0
    assert "nothing to compare with" in summary
    assert [line.partition(": ")[2].split()[0] for line in calls.splitlines()] == ["synth"]


def test_both_sides_have_the_deployments_settings(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTINGS", "waf=true budget=50")

    _, calls, _ = diff(tree, "HEAD")

    assert calls.count("--context waf=true --context budget=50") == 2


def test_a_difference_that_cannot_be_told_fails(tree: Path) -> None:
    assert diff(tree, cdk_exit=1)[0] == 1
