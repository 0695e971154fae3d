"""What is touched of MiniStack's inside is as it was; and what IAM knows of SageMaker."""

import json
from pathlib import Path

import pytest

from local_cloud.sagemaker_iam import passed_role, resource_arn, trusts_service
from tests.unit.local_cloud.gateway_process import run_in_cloud

SAGEMAKER = "sagemaker.amazonaws.com"


def test_nothing_that_the_hooks_touch_has_moved(tmp_path: Path) -> None:
    asked = run_in_cloud(
        "from local_cloud.ministack_version import moved; print('\\n'.join(moved()))", tmp_path
    )

    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.strip() == "", "check these, then ministack_hooks.py:\n" + asked.stdout


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("importlib.metadata.version = lambda _: '9.9'", "version: is 9.9, was "),
        ("del iam_evaluator._is_root_key", "iam_evaluator:_is_root_key: is gone"),
        ("iam_evaluator._is_root_key = lambda key, extra: 1", "_is_root_key: is (key, extra), was"),
        ("iam_actions.SERVICE_TO_IAM_NAMESPACE = ()", "SERVICE_TO_IAM_NAMESPACE: is tuple, was"),
    ],
)
def test_a_change_inside_the_emulator_is_named(tmp_path: Path, change: str, told: str) -> None:
    asked = run_in_cloud(
        "import importlib.metadata\n"
        "from ministack.core import iam_actions, iam_evaluator\n"
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


@pytest.mark.parametrize(
    ("action", "payload", "arn"),
    [
        ("CreateTrainingJob", {"TrainingJobName": "a"}, "training-job/a"),
        ("DescribeTrainingJob", {"TrainingJobName": "a"}, "training-job/a"),
        ("CreateProcessingJob", {"ProcessingJobName": "b"}, "processing-job/b"),
    ],
)
def test_a_request_is_checked_on_the_job_it_names(
    action: str, payload: dict[str, object], arn: str
) -> None:
    found = resource_arn(action, payload, "123456789012", "eu-west-1")

    assert found == f"arn:aws:sagemaker:eu-west-1:123456789012:{arn}"


def test_a_request_on_a_resource_by_arn_is_checked_on_that_arn() -> None:
    assert resource_arn("ListTags", {"ResourceArn": "arn:x"}, "1", "r") == "arn:x"


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("ListTrainingJobs", {"NameContains": "a"}),
        ("DescribeTrainingJob", {}),
        ("DescribeTrainingJob", {"TrainingJobName": 3}),
        ("DescribeTrainingJob", None),
    ],
)
def test_a_request_that_names_no_job_is_checked_on_all(
    action: str, payload: dict[str, object] | None
) -> None:
    assert resource_arn(action, payload, "1", "r") == "*"


def test_only_a_request_with_a_role_passes_one() -> None:
    assert passed_role({"RoleArn": "arn:aws:iam::1:role/job"}) == "arn:aws:iam::1:role/job"
    assert passed_role({"TrainingJobName": "a"}) is None


def trust(**statement: object) -> dict[str, object]:
    base = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": SAGEMAKER}}
    return {"Statement": [{**base, **statement}]}


@pytest.mark.parametrize(
    "document",
    [
        trust(),
        json.dumps(trust()),
        trust(Principal={"Service": ["lambda.amazonaws.com", SAGEMAKER]}),
        trust(Action=["sts:TagSession", "sts:AssumeRole"]),
    ],
)
def test_a_role_that_names_sagemaker_trusts_it(document: "str | dict[str, object]") -> None:
    assert trusts_service(document, SAGEMAKER)


@pytest.mark.parametrize(
    "document",
    [
        trust(Principal={"Service": "lambda.amazonaws.com"}),
        trust(Principal={"AWS": "*"}),
        trust(Principal="*"),
        trust(Action="sts:TagSession"),
        trust(Action=None),
        trust(Effect="Deny"),
        {},
        "",
        "not json",
        "[]",
    ],
)
def test_any_other_role_does_not(document: "str | dict[str, object]") -> None:
    assert not trusts_service(document, SAGEMAKER)


def test_a_denial_outweighs_an_allowance() -> None:
    allow, deny = trust()["Statement"], trust(Effect="Deny")["Statement"]
    assert isinstance(allow, list)
    assert isinstance(deny, list)

    assert not trusts_service({"Statement": [*allow, *deny]}, SAGEMAKER)
