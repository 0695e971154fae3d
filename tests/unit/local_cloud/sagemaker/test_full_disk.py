"""A disk without room: the job is Failed with a reason, and whoever waits for it hears of it.

/dev/full refuses every byte as a full disk does; a link to it stands where the file would be.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_cloud.sagemaker.control import JobControl
from local_cloud.sagemaker.errors import DataOrImageError
from local_cloud.sagemaker.requests.channel import Channel
from local_cloud.sagemaker.requests.s3_location import S3Location
from local_cloud.sagemaker.running import last_words
from local_cloud.sagemaker.transfers.channels import fill_channel
from tests.unit.local_cloud.sagemaker.tiny_cloud import (
    ACCOUNT,
    BUCKET,
    REGION,
    Cloud,
    eventually,
    request,
)

FULL = Path("/dev/full")
NO_SPACE = "No space left on device"
REMEDY = "make room on it"


def record(cloud: Cloud, name: str) -> Path:
    """Where a job's record is written before it takes the place of the former one."""
    folder = cloud.config.jobs_dir / ACCOUNT / REGION / "training-job"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.tmp"


def test_a_channel_that_does_not_fit_fails_the_job_with_the_remedy(s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="data/photo", Body=b"x" * 10_000)
    (tmp_path / "photo").symlink_to(FULL)
    channel = Channel("photos", "S3Prefix", S3Location(BUCKET, "data/"), None)

    with pytest.raises(DataOrImageError) as refused:
        fill_channel(s3, channel, tmp_path, JobControl())

    assert refused.value.reason.startswith("ClientError: Data download failed for channel 'photos'")
    assert NO_SPACE in refused.value.reason
    assert REMEDY in refused.value.reason


def test_a_job_whose_progress_cannot_be_recorded_is_failed_and_says_why(
    cloud: Cloud, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    cloud.script(f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)")
    cloud.create("job")
    eventually(lambda: cloud.describe("job")["SecondaryStatus"] == "Training", "it trains")

    record(cloud, "job").symlink_to(FULL)
    go.touch()
    ended = cloud.ended("job")

    assert ended["TrainingJobStatus"] == "Failed"
    assert NO_SPACE in ended["FailureReason"]
    assert REMEDY in ended["FailureReason"]


def test_an_end_that_could_not_be_recorded_is_failed_after_a_restart_too(
    cloud: Cloud, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    cloud.script(f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)")
    cloud.create("job")
    eventually(lambda: cloud.describe("job")["SecondaryStatus"] == "Training", "it trains")
    record(cloud, "job").symlink_to(FULL)
    go.touch()
    cloud.ended("job")

    record(cloud, "job").unlink()
    cloud.restart()

    assert cloud.describe("job")["TrainingJobStatus"] == "Failed"


def test_a_job_that_cannot_be_recorded_is_refused_and_can_be_created_later(cloud: Cloud) -> None:
    cloud.script("")
    record(cloud, "job").symlink_to(FULL)

    status, body = cloud.service.handle("CreateTrainingJob", request("job"), ACCOUNT, REGION)

    assert (status, body["__type"]) == (500, "InternalFailure")
    assert NO_SPACE in body["message"]
    record(cloud, "job").unlink()
    assert cloud.run("job")["TrainingJobStatus"] == "Completed"


def test_a_log_file_that_takes_nothing_fails_no_job(
    open_cloud: Callable[..., Cloud], caplog: pytest.LogCaptureFixture
) -> None:
    cloud = open_cloud()
    cloud.script("for number in range(1000): print(number)")
    cloud.log_file("job").parent.mkdir(parents=True)
    cloud.log_file("job").symlink_to(FULL)

    assert cloud.run("job")["TrainingJobStatus"] == "Completed"
    assert caplog.text.count(NO_SPACE) == 1


def test_a_container_that_left_no_room_for_its_reason_is_told_as_a_full_disk() -> None:
    assert NO_SPACE in last_words.reason("", exit_code=1, free_bytes=0)
    assert last_words.reason("", exit_code=1, free_bytes=10**9) == ""
    assert last_words.reason("its own words", exit_code=1, free_bytes=0) == "its own words"
