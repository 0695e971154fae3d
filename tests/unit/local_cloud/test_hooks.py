"""What is touched of MiniStack's inside is as it was."""

import json
from pathlib import Path

import pytest

from tests.unit.local_cloud.gateway_process import run_in_cloud


def test_nothing_that_the_hooks_touch_has_moved(tmp_path: Path) -> None:
    asked = run_in_cloud(
        "from local_cloud.ministack_version import moved; print('\\n'.join(moved()))", tmp_path
    )

    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.strip() == "", "check these and what touches them:\n" + asked.stdout


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("importlib.metadata.version = lambda _: '9.9'", "version: is 9.9, was "),
        ("del stepfunctions._run_sub_machine", "stepfunctions:_run_sub_machine: is gone"),
        ("del iam_evaluator._is_root_key", "iam_evaluator:_is_root_key: is gone"),
        ("iam_evaluator._is_root_key = lambda key, extra: 1", "_is_root_key: is (key, extra), was"),
        ("iam_actions.SERVICE_TO_IAM_NAMESPACE = ()", "SERVICE_TO_IAM_NAMESPACE: is tuple, was"),
    ],
)
def test_a_change_inside_the_emulator_is_named(tmp_path: Path, change: str, told: str) -> None:
    asked = run_in_cloud(
        "import importlib.metadata\n"
        "from ministack.core import iam_actions, iam_evaluator\n"
        "from ministack.services import stepfunctions\n"
        "from local_cloud.ministack_version import moved\n"
        f"{change}\n"
        "print(moved())",
        tmp_path,
    )

    assert told in asked.stdout, asked.stderr


def test_another_version_is_refused_with_what_to_look_at(tmp_path: Path) -> None:
    asked = run_in_cloud(
        "import importlib.metadata\n"
        "importlib.metadata.version = lambda _: '9.9'\n"
        "from local_cloud.gateway import main\n"
        "main()",
        tmp_path,
    )

    assert asked.returncode == 1
    assert asked.stderr.startswith("MiniStack 9.9 is installed")
    assert "ministack.services.stepfunctions" in asked.stderr
    assert asked.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("status", "busy"),
    [
        ("CREATE_IN_PROGRESS", True),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", True),
        ("DELETE_IN_PROGRESS", True),
        ("REVIEW_IN_PROGRESS", False),
        ("CREATE_COMPLETE", False),
    ],
)
def test_a_stack_between_two_states_is_noticed(tmp_path: Path, status: str, busy: bool) -> None:
    asked = run_in_cloud(
        "import sys\n"
        "from local_cloud import ministack_hooks\n"
        "assert not ministack_hooks.stack_in_progress()\n"
        "from ministack.services import cloudformation\n"
        "cloudformation._stacks['a'] = {'StackStatus': 'CREATE_COMPLETE'}\n"
        "cloudformation._stacks['b'] = {'StackStatus': sys.argv[1]}\n"
        "print(ministack_hooks.stack_in_progress())",
        tmp_path,
        status,
    )

    assert asked.stdout.strip() == str(busy), asked.stderr


def test_buckets_that_the_state_does_not_know_are_removed_from_disk(tmp_path: Path) -> None:
    scoped = {"__scoped__": True, "data": {"000000000000\x00'lake'": {"created": "now"}}}
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "s3.json").write_text(
        json.dumps({"__ministack_format__": 2, "payload": {"buckets_meta": scoped}})
    )
    for bucket in ("lake", "newer"):
        (tmp_path / "s3" / "000000000000" / bucket).mkdir(parents=True)
        (tmp_path / "s3" / ".versions" / "000000000000" / bucket).mkdir(parents=True)

    asked = run_in_cloud(
        "import os\n"
        "from pathlib import Path\n"
        "from local_cloud import ministack_hooks\n"
        "data, state = Path(os.environ['S3_DATA_DIR']), Path(os.environ['STATE_DIR'])\n"
        "print(ministack_hooks.remove_unknown_buckets(data, state))",
        tmp_path,
    )

    assert asked.stdout.strip() == "['newer']", asked.stderr
    left = {str(folder.relative_to(tmp_path / "s3")) for folder in tmp_path.glob("s3/**/")}
    assert left == {
        ".",
        "000000000000",
        "000000000000/lake",
        ".versions",
        ".versions/000000000000",
        ".versions/000000000000/lake",
    }
