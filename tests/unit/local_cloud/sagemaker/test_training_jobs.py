"""Training jobs that really run: what a container gets, and what becomes of what it leaves."""

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local_cloud.sagemaker.tiny_cloud import (
    BUCKET,
    CREDENTIALS,
    IMAGE,
    REGION,
    Cloud,
    channel,
    client,
    eventually,
)

WRITE_MODEL = """
from pathlib import Path
model = Path("/opt/ml/model")
(model / "sub").mkdir()
(model / "model.json").write_text("{}")
(model / "sub" / "weights").write_text("w")
Path("/opt/ml/output/data/report.txt").write_text("fine")
"""
# Leaves what the container sees of its world in model.tar.gz.
REPORT = """
import json, os, sys
from pathlib import Path
root = Path("/opt/ml")
files = [path for path in root.rglob("*") if path.is_file()]
report = {
    "arguments": sys.argv[1:],
    "environment": dict(os.environ),
    "folder": sorted(path.name for path in Path.cwd().iterdir()),
    "opt_ml": {path.relative_to(root).as_posix(): path.read_text() for path in files},
}
(root / "model" / "report.json").write_text(json.dumps(report))
"""


def archive(cloud: Cloud, job: str, name: str) -> dict[str, str]:
    key = f"training/{job}/output/{name}.tar.gz"
    body = cloud.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        files = {entry.name: tar.extractfile(entry) for entry in tar if entry.isfile()}
        return {path: file.read().decode() for path, file in files.items() if file}


def report_of(cloud: Cloud, name: str, **members: Any) -> dict[str, Any]:
    cloud.script(REPORT)
    job = cloud.run(name, **members)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    report: dict[str, Any] = json.loads(archive(cloud, name, "model")["report.json"])
    return report


def test_a_job_uploads_its_model_and_output_and_ends_as_completed(cloud: Cloud) -> None:
    cloud.script(WRITE_MODEL)

    job = cloud.run("trains")

    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
    uri = f"s3://{BUCKET}/training/trains/output/model.tar.gz"
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": uri}
    model = archive(cloud, "trains", "model")
    assert model == {"model.json": "{}", "sub/weights": "w"}
    assert archive(cloud, "trains", "output") == {"report.txt": "fine"}


def test_a_job_goes_through_sagemakers_phases_and_is_billed_from_downloading(cloud: Cloud) -> None:
    cloud.script("")

    job = cloud.run("phases")

    steps = {step["Status"]: step for step in job["SecondaryStatusTransitions"]}
    phases = ["Pending", "Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert list(steps) == phases
    assert all(step["EndTime"] >= step["StartTime"] for step in steps.values())
    assert job["TrainingStartTime"] == steps["Downloading"]["StartTime"]
    billed = round(job["TrainingEndTime"] - job["TrainingStartTime"])
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"] == billed


def test_the_container_finds_its_configuration_in_opt_ml(cloud: Cloud) -> None:
    cloud.put("data/a.csv", "1")

    report = report_of(
        cloud,
        "configured",
        HyperParameters={"epochs": "3", "rate": "1e-3"},
        InputDataConfig=[{**channel("train", f"s3://{BUCKET}/data/"), "ContentType": "text/csv"}],
    )

    config = {
        name: json.loads(report["opt_ml"][f"input/config/{name}.json"])
        for name in ("hyperparameters", "inputdataconfig", "resourceconfig")
    }
    assert config["hyperparameters"] == {"epochs": "3", "rate": "1e-3"}
    assert config["inputdataconfig"] == {
        "train": {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
            "ContentType": "text/csv",
        }
    }
    assert config["resourceconfig"]["current_host"] == "algo-1"
    assert config["resourceconfig"]["hosts"] == ["algo-1"]
    assert config["resourceconfig"]["current_instance_type"] == "ml.m5.large"


def test_fast_file_is_downloaded_like_file_and_the_log_says_so(cloud: Cloud) -> None:
    cloud.put("data/a.csv", "1")
    cloud.script("print(open('/opt/ml/input/data/fast/a.csv').read() + ' read')")
    fast = {**channel("fast", f"s3://{BUCKET}/data/"), "InputMode": "FastFile"}

    cloud.run("fast", InputDataConfig=[fast, channel("slow", f"s3://{BUCKET}/data/")])

    log = cloud.log("fast")
    assert "1 read" in log
    assert log.count("FastFile is done as File") == 1
    assert "Channel fast: FastFile is done as File" in log


def test_channels_keep_the_layout_below_the_prefix(cloud: Cloud) -> None:
    for key in ("sets/v1/manifest.jsonl", "sets/v1/deep/er/b", "sets/v1/folder/", "photos/aa/1"):
        cloud.put(key, f"body of {key}")
    cloud.put("sets/channel.manifest", json.dumps([{"prefix": f"s3://{BUCKET}/"}, "photos/aa/1"]))

    report = report_of(
        cloud,
        "channels",
        InputDataConfig=[
            channel("dataset", f"s3://{BUCKET}/sets/v1/"),
            channel("photos", f"s3://{BUCKET}/sets/channel.manifest", "ManifestFile"),
        ],
    )

    data = {path: body for path, body in report["opt_ml"].items() if path.startswith("input/data")}
    assert data == {
        "input/data/dataset/manifest.jsonl": "body of sets/v1/manifest.jsonl",
        "input/data/dataset/deep/er/b": "body of sets/v1/deep/er/b",
        "input/data/photos/photos/aa/1": "body of photos/aa/1",
    }


def test_the_container_has_its_own_environment_and_not_the_developers(
    cloud: Cloud, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEVELOPERS_TOKEN", "private")
    (cloud.context / "notes.txt").write_text("not in the image")

    report = report_of(cloud, "environment", Environment={"LAKE_BUCKET": BUCKET})

    environment = report["environment"]
    expected = {
        "TRAINING_JOB_NAME": "environment",
        "TRAINING_JOB_ARN": cloud.describe("environment")["TrainingJobArn"],
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "LAKE_BUCKET": BUCKET,
        "FROM_DOCKERFILE": "yes",
        **CREDENTIALS,
    }
    assert expected.items() <= environment.items()
    assert "DEVELOPERS_TOKEN" not in environment
    assert "SAGEMAKER_BASE_DIR" not in environment
    assert not [name for name in environment if name.startswith("SM_")]
    assert report["folder"] == ["train.py"]


@pytest.mark.parametrize(
    ("algorithm", "arguments"),
    [
        ({}, ["train"]),
        ({"ContainerArguments": ["--fast"]}, ["--fast"]),
        ({"ContainerEntrypoint": ["python", "train.py"]}, []),
        (
            {"ContainerEntrypoint": ["python", "train.py", "a"], "ContainerArguments": ["b"]},
            ["a", "b"],
        ),
    ],
)
def test_the_argument_train_is_given_unless_the_request_has_its_own(
    cloud: Cloud, algorithm: dict[str, Any], arguments: list[str]
) -> None:
    base = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}

    report = report_of(cloud, "arguments", AlgorithmSpecification={**base, **algorithm})

    assert report["arguments"] == arguments


def test_without_compression_the_model_is_a_folder(cloud: Cloud) -> None:
    cloud.script(WRITE_MODEL)

    job = cloud.run(
        "plain",
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out", "CompressionType": "NONE"},
    )

    uri = f"s3://{BUCKET}/out/plain/output/model/"
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": uri}
    listed = cloud.s3.list_objects_v2(Bucket=BUCKET, Prefix="out/plain/output/")["Contents"]
    assert [entry["Key"] for entry in listed] == [
        "out/plain/output/model/model.json",
        "out/plain/output/model/sub/weights",
        "out/plain/output/output/report.txt",
    ]


def test_the_last_value_of_each_metric_is_described(cloud: Cloud) -> None:
    cloud.script("print('loss=0.5 acc=0.1')\nprint('loss=2.5e-1 acc=nan')\nprint('done')")

    job = cloud.run(
        "metrics",
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": "loss", "Regex": r"loss=(\S+)"},
                {"Name": "acc", "Regex": r"acc=(\S+)"},
                {"Name": "never", "Regex": r"never=(\S+)"},
            ],
        },
    )

    values = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert values == {"loss": 0.25, "acc": 0.1}


def test_the_log_is_live_in_cloudwatch_while_the_job_runs(cloud: Cloud, endpoint: str) -> None:
    cloud.script("print('first line')\nprint()\nimport signal\nsignal.pause()")
    logs = client("logs", endpoint)

    def messages() -> list[str]:
        group = "/aws/sagemaker/TrainingJobs"
        try:
            streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="live/")
        except logs.exceptions.ResourceNotFoundException:
            return []
        names = [stream["logStreamName"] for stream in streams["logStreams"]]
        assert all(name.startswith("live/algo-1-") for name in names)
        events = [logs.get_log_events(logGroupName=group, logStreamName=name) for name in names]
        return [event["message"] for page in events for event in page["events"]]

    cloud.create("live")

    eventually(lambda: "first line" in messages(), "the line is in CloudWatch")
    assert cloud.describe("live")["TrainingJobStatus"] == "InProgress"
    assert "first line" in cloud.log("live")


def test_a_disk_that_cannot_be_removed_is_told_and_changes_nothing_of_how_the_job_ended(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(shutil, "rmtree", refuse)
    cloud.script("")

    job = cloud.run("stays")

    assert job["TrainingJobStatus"] == "Completed"
    assert "is left over, remove it by hand" in caplog.text


def test_no_disk_is_left_even_if_the_job_made_it_read_only(cloud: Cloud) -> None:
    cloud.script(
        "from pathlib import Path\n"
        "sub = Path('/opt/ml/model/sub')\nsub.mkdir()\n(sub / 'w').touch()\nsub.chmod(0o500)"
    )

    job = cloud.run("tidy")

    assert job["TrainingJobStatus"] == "Completed"
    assert list(cloud.config.work_dir.iterdir()) == []


def test_only_as_many_jobs_run_as_configured_and_the_others_wait(
    open_cloud: Callable[..., Cloud],
) -> None:
    cloud = open_cloud(max_concurrent_jobs=1)
    cloud.script("print('runs')\nimport signal\nsignal.pause()")
    cloud.create("first")
    cloud.create("second")
    cloud.logs("first", "runs")

    second = cloud.describe("second")
    assert (second["TrainingJobStatus"], second["SecondaryStatus"]) == ("InProgress", "Pending")

    cloud.call("StopTrainingJob", TrainingJobName="first")
    cloud.logs("second", "runs")
