"""CheckpointConfig: what a job leaves, another one finds."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.local_cloud.sagemaker.tiny_cloud import BUCKET, Cloud, eventually, request

CONFIG = {"S3Uri": f"s3://{BUCKET}/checkpoints/one"}
# Counts how often it was started.
COUNT = """
from pathlib import Path
count = Path("{folder}/count")
count.write_text(str(int(count.read_text()) + 1 if count.exists() else 1))
"""


def test_a_job_finds_the_checkpoints_of_the_one_before(cloud: Cloud) -> None:
    cloud.script(COUNT.format(folder="/opt/ml/checkpoints"))

    for name in ("first", "second"):
        job = cloud.run(name, CheckpointConfig=CONFIG)
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")

    assert cloud.get("checkpoints/one/count") == b"2"
    assert job["CheckpointConfig"] == CONFIG
    assert "Checkpoints: 1 files from" in cloud.log("second")


def test_a_local_path_of_the_request_is_used(cloud: Cloud) -> None:
    cloud.script(COUNT.format(folder="/opt/ml/kept/here"))

    cloud.run("elsewhere", CheckpointConfig={**CONFIG, "LocalPath": "/opt/ml/kept/here"})

    assert cloud.get("checkpoints/one/count") == b"1"


def test_checkpoints_leave_while_the_job_runs_and_once_more_after_a_stop(
    open_cloud: Callable[..., Cloud],
) -> None:
    cloud = open_cloud(upload_seconds=0.1)
    cloud.script(
        "import signal, sys\nfrom pathlib import Path\n"
        "kept = Path('/opt/ml/checkpoints')\n(kept / 'one').write_text('1')\n"
        "def stop(*_):\n    (kept / 'last').write_text('2')\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\nprint('up', flush=True)\nsignal.pause()\n"
    )
    cloud.call("CreateTrainingJob", **request("live", CheckpointConfig=CONFIG))

    eventually(lambda: cloud.keys("checkpoints/one/") == ["one"], "the first checkpoint")
    assert cloud.describe("live")["TrainingJobStatus"] == "InProgress"
    cloud.call("StopTrainingJob", TrainingJobName="live")

    assert cloud.ended("live")["TrainingJobStatus"] == "Stopped"
    assert cloud.keys("checkpoints/one/") == ["last", "one"]


def test_a_failed_job_keeps_its_checkpoints(cloud: Cloud) -> None:
    cloud.script(COUNT.format(folder="/opt/ml/checkpoints") + "raise SystemExit(1)\n")

    job = cloud.run("fails", CheckpointConfig=CONFIG)

    assert job["FailureReason"] == "AlgorithmError: , exit code: 1"
    assert cloud.get("checkpoints/one/count") == b"1"


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"LocalPath": "/tmp/kept"}, "must be a folder of its own below /opt/ml"),  # noqa: S108
        ({"LocalPath": "/opt/ml"}, "must be a folder of its own below /opt/ml"),
        ({"LocalPath": "/opt/ml/model/kept"}, "not in /opt/ml/input"),
        ({"LocalPath": "/opt/ml/a/../../b"}, "must be a folder of its own below /opt/ml"),
        ({"S3Uri": "https://lake/checkpoints"}, "must have the form s3://"),
    ],
)
def test_a_place_that_checkpoints_cannot_have_is_refused(
    config: dict[str, Any], complaint: str, cloud: Cloud
) -> None:
    code, message = cloud.refused(
        "CreateTrainingJob", **request("bad", CheckpointConfig={**CONFIG, **config})
    )

    assert code == "ValidationException"
    assert complaint in message
