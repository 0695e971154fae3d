"""Jobs that end before they want to: StopTrainingJob, MaxRuntimeInSeconds, a cloud that ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.records.jobs import Job, JobKey
from local_cloud.sagemaker.records.store import JobStore
from tests.unit.local_cloud.sagemaker.tiny_cloud import (
    ACCOUNT,
    BUCKET,
    REGION,
    Cloud,
    eventually,
    request,
)

WAIT = "print('waits')\nimport signal\nsignal.pause()"
SAVE_ON_SIGTERM = """
import signal, sys
from pathlib import Path
def save(*_):
    Path("/opt/ml/model/saved").touch()
    print("saved on SIGTERM")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("waits")
signal.pause()
"""
IGNORE_SIGTERM = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("waits")
while True:
    signal.pause()
"""


def stopped(cloud: Cloud, name: str) -> dict[str, object]:
    cloud.create(name)
    cloud.logs(name, "waits")
    cloud.call("StopTrainingJob", TrainingJobName=name)
    return cloud.ended(name)


def test_a_stopped_container_gets_sigterm_and_its_model_is_kept(cloud: Cloud) -> None:
    cloud.script(SAVE_ON_SIGTERM)

    job = stopped(cloud, "saves")

    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Stopped"
    assert "saved on SIGTERM" in cloud.log("saves")
    uri = f"s3://{BUCKET}/training/saves/output/model.tar.gz"
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": uri}
    assert "FailureReason" not in job


def test_a_container_that_ignores_sigterm_is_killed_after_the_grace(
    open_cloud: Callable[..., Cloud],
) -> None:
    cloud = open_cloud(stop_grace=0.2)
    cloud.script(IGNORE_SIGTERM)

    job = stopped(cloud, "stubborn")

    assert job["TrainingJobStatus"] == "Stopped"


def test_a_job_that_waits_is_stopped_without_ever_running(
    open_cloud: Callable[..., Cloud],
) -> None:
    cloud = open_cloud(max_concurrent_jobs=1)
    cloud.script(WAIT)
    cloud.create("first")
    cloud.create("second")
    cloud.logs("first", "waits")

    cloud.call("StopTrainingJob", TrainingJobName="second")
    assert cloud.describe("second")["TrainingJobStatus"] == "Stopped"

    cloud.call("StopTrainingJob", TrainingJobName="first")
    cloud.create("third")
    cloud.logs("third", "waits")
    assert not cloud.log_file("second").exists()


def test_stopping_twice_is_stopping_once_and_a_job_that_ended_cannot_be_stopped(
    cloud: Cloud,
) -> None:
    cloud.script(SAVE_ON_SIGTERM.replace("sys.exit(0)", "signal.pause()"))
    cloud.create("twice")
    cloud.logs("twice", "waits")

    cloud.call("StopTrainingJob", TrainingJobName="twice")
    cloud.logs("twice", "saved on SIGTERM")
    cloud.call("StopTrainingJob", TrainingJobName="twice")
    steps = cloud.describe("twice")["SecondaryStatusTransitions"]
    assert [step["Status"] for step in steps].count("Stopping") == 1
    cloud.service.close()

    code, message = cloud.refused("StopTrainingJob", TrainingJobName="twice")
    assert code == "ValidationException"
    assert message == "The request was rejected because the training job is in status Failed."


def test_a_job_over_its_maximum_runtime_is_stopped_as_exceeded(cloud: Cloud) -> None:
    cloud.script(SAVE_ON_SIGTERM)

    job = cloud.run("endless", StoppingCondition={"MaxRuntimeInSeconds": 1})

    assert job["TrainingJobStatus"] == "Stopped"
    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert "saved on SIGTERM" in cloud.log("endless")


def test_what_a_container_leaves_running_ends_with_it(cloud: Cloud, tmp_path: Path) -> None:
    # The child holds the FIFO open for itself, for ever.
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    cloud.script(
        "import os, subprocess, sys\n"
        "child = 'import os, sys; os.read(os.open(sys.argv[1], os.O_RDWR), 1)'\n"
        f"subprocess.Popen([sys.executable, '-c', child, {str(fifo)!r}], start_new_session=True)\n"
        f"os.open({str(fifo)!r}, os.O_WRONLY)\n"
    )

    job = cloud.run("parent")

    assert job["TrainingJobStatus"] == "Completed"
    assert list(cloud.config.work_dir.iterdir()) == []
    assert not has_reader(fifo)


def test_closing_the_cloud_stops_its_jobs_and_marks_them_failed(cloud: Cloud) -> None:
    cloud.script(SAVE_ON_SIGTERM)
    cloud.create("runs")
    cloud.logs("runs", "waits")

    cloud.restart()

    job = cloud.describe("runs")
    assert job["TrainingJobStatus"] == "Failed"
    reason = "InternalServerError: the local cloud stopped while the job ran"
    assert job["FailureReason"] == reason
    assert "saved on SIGTERM" in cloud.log("runs")
    assert not cloud.config.work_dir.exists()


def test_jobs_that_a_killed_cloud_left_behind_are_failed_when_it_starts_again(
    cloud_config: SageMakerConfig, open_cloud: Callable[..., Cloud]
) -> None:
    key = JobKey(ACCOUNT, REGION, "orphan")
    running = Job.created(key, request("orphan"), 1.0, {}).moved_to("Training", "", 2.0)
    JobStore(cloud_config.jobs_dir).create(running)
    (cloud_config.work_dir / "left" / "opt" / "ml").mkdir(parents=True)

    cloud = open_cloud()

    job = cloud.describe("orphan")
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: the local cloud stopped")
    assert not cloud.config.work_dir.exists()
    code, _ = cloud.refused("CreateTrainingJob", **request("orphan"))
    assert code == "ResourceInUse"


def test_a_job_does_not_outlive_a_cloud_that_was_killed(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    host = (
        "import sys\n"
        "from pathlib import Path\n"
        "from local_cloud.sagemaker.containers import container\n"
        "from local_cloud.sagemaker.control import JobControl\n"
        "opt = Path(sys.argv[1])\n"
        "job = container.Container(['cat', sys.argv[2]], {'PATH': '/usr/bin:/bin'}, opt, opt,\n"
        "                          container.best_isolation())\n"
        "container.run(job, JobControl(), grace=lambda _: 0.0,\n"
        "              on_line=print, on_stop=print)\n"
    )
    (tmp_path / "opt" / "ml").mkdir(parents=True)
    arguments = [sys.executable, "-c", host, str(tmp_path / "opt"), str(fifo)]
    process = subprocess.Popen(arguments)
    try:
        eventually(lambda: has_reader(fifo), "the job runs")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()

    eventually(lambda: not has_reader(fifo), "the job is gone")


def test_a_stop_while_the_image_is_prepared_ends_the_job_without_training(
    open_cloud: Callable[..., Cloud], tmp_path: Path
) -> None:
    slow_uv = tmp_path / "uv"
    slow_uv.write_text("#!/bin/sh\necho builds\nexec sleep 600\n")
    slow_uv.chmod(0o700)
    cloud = open_cloud(uv=slow_uv, environments_dir=tmp_path / "environments")
    cloud.create("early")
    cloud.logs("early", "builds")

    cloud.call("StopTrainingJob", TrainingJobName="early")

    job = cloud.ended("early")
    assert job["TrainingJobStatus"] == "Stopped"
    assert "TrainingStartTime" not in job
    assert [path.suffix for path in (tmp_path / "environments").iterdir()] == [".lock"]


def has_reader(fifo: Path) -> bool:
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True
