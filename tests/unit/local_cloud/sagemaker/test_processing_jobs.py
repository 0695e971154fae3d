"""Processing jobs that really run."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.parsers import JSONParser

from local_cloud.sagemaker.requests.shapes import service_model
from tests.unit.local_cloud.sagemaker.tiny_cloud import (
    BUCKET,
    IMAGE,
    Cloud,
    eventually,
    processing,
)

# Counts what it was given and says what it saw.
COUNT = """
import json, os, sys
from pathlib import Path
base = Path("/opt/ml")
report = {
    "arguments": sys.argv[1:],
    "inputs": {p.name: p.read_text() for p in (base / "processing/input").rglob("*.txt")},
    "config": json.loads((base / "config/processingjobconfig.json").read_text()),
    "resources": json.loads((base / "config/resourceconfig.json").read_text()),
    "word": os.environ.get("WORD"),
}
(base / "processing/output/deep").mkdir()
(base / "processing/output/deep/report.json").write_text(json.dumps(report))
(base / "output/message").write_text("counted")
"""


def s3_input(name: str, uri: str, **members: Any) -> dict[str, Any]:
    source = {
        "S3Uri": uri,
        "LocalPath": f"/opt/ml/processing/input/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    return {"InputName": name, "S3Input": {**source, **members}}


def s3_output(name: str, mode: str = "EndOfJob", **members: Any) -> dict[str, Any]:
    target = {
        "S3Uri": f"s3://{BUCKET}/out/{name}",
        "LocalPath": "/opt/ml/processing/output",
        "S3UploadMode": mode,
    }
    return {"OutputName": name, "S3Output": {**target, **members}}


def outputs(*configs: dict[str, Any]) -> dict[str, Any]:
    return {"Outputs": list(configs)}


def test_inputs_come_outputs_leave_and_the_container_knows_its_job(cloud: Cloud) -> None:
    cloud.script(COUNT)
    cloud.put("data/a.txt", "A")
    cloud.put("data/b.txt", "B")

    job = cloud.processed(
        "count",
        ProcessingInputs=[s3_input("texts", f"s3://{BUCKET}/data/")],
        ProcessingOutputConfig=outputs(s3_output("reports")),
        AppSpecification={"ImageUri": IMAGE, "ContainerArguments": ["--all"]},
        Environment={"WORD": "yes"},
    )

    report = json.loads(cloud.get("out/reports/deep/report.json"))
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["ExitMessage"] == "counted"
    assert job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert report["arguments"] == ["--all"]
    assert report["inputs"] == {"a.txt": "A", "b.txt": "B"}
    assert report["config"]["ProcessingJobArn"] == job["ProcessingJobArn"]
    assert report["config"]["ProcessingInputs"] == job["ProcessingInputs"]
    assert report["resources"] == {"current_host": "algo-1", "hosts": ["algo-1"]}
    assert report["word"] == "yes"
    assert not any(cloud.config.work_dir.iterdir())


def test_a_description_is_what_a_client_can_read(cloud: Cloud) -> None:
    cloud.script("")

    described = cloud.processed("plain")

    shape = service_model().operation_model("DescribeProcessingJob").output_shape
    assert shape is not None
    assert set(described) <= set(shape.members)
    answer = {"status_code": 200, "headers": {}, "body": json.dumps(described).encode()}
    parsed = JSONParser().parse(answer, shape)
    assert isinstance(parsed["CreationTime"], datetime)


def test_an_entry_point_of_the_request_takes_the_place_of_the_images(cloud: Cloud) -> None:
    cloud.script("")
    cloud.put("code/run.py", "import sys; print('ran', *sys.argv[1:])")
    entry = ["python3", "/opt/ml/processing/input/code/run.py"]

    job = cloud.processed(
        "script",
        ProcessingInputs=[s3_input("code", f"s3://{BUCKET}/code/run.py")],
        AppSpecification={
            "ImageUri": IMAGE,
            "ContainerEntrypoint": entry,
            "ContainerArguments": ["now"],
        },
    )

    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert "ran now" in cloud.log("script", "processing")


def test_a_continuous_output_is_there_before_the_job_ends(
    open_cloud: Callable[..., Cloud],
) -> None:
    cloud = open_cloud(upload_seconds=0.1)
    cloud.script(
        "import signal, sys\nfrom pathlib import Path\n"
        "Path('/opt/ml/processing/output/part').write_text('first')\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nprint('up', flush=True)\n"
        "signal.pause()\n"
    )
    members = {"ProcessingOutputConfig": outputs(s3_output("live", "Continuous"))}

    cloud.call("CreateProcessingJob", **processing("live", **members))

    eventually(lambda: cloud.keys("out/live/") == ["part"], "the first part is uploaded")
    described = cloud.call("DescribeProcessingJob", ProcessingJobName="live")
    assert described["ProcessingJobStatus"] == "InProgress"
    cloud.call("StopProcessingJob", ProcessingJobName="live")
    assert cloud.ended_processing("live")["ProcessingJobStatus"] == "Stopped"


def test_an_output_holds_the_files_of_its_folder_and_nothing_that_links_lead_to(
    cloud: Cloud, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("not the job's")
    cloud.script(
        "import os\nfrom pathlib import Path\nout = Path('/opt/ml/processing/output')\n"
        f"(out / 'link').symlink_to({str(tmp_path / 'secret')!r})\n"
        "os.mkfifo(out / 'pipe')\n(out / 'file').write_text('kept')\n"
    )

    job = cloud.processed("links", ProcessingOutputConfig=outputs(s3_output("links")))

    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert cloud.keys("out/links/") == ["file"]


def test_a_failed_job_says_why_and_uploads_nothing(cloud: Cloud) -> None:
    cloud.script(
        "from pathlib import Path\n"
        "Path('/opt/ml/processing/output/half').write_text('half')\n"
        "Path('/opt/ml/output/message').write_text('no labels in the window')\n"
        "raise SystemExit(4)\n"
    )

    job = cloud.processed("fails", ProcessingOutputConfig=outputs(s3_output("none")))

    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: , exit code: 4"
    assert job["ExitMessage"] == "no labels in the window"
    assert cloud.keys("out/none/") == []


@pytest.mark.parametrize(
    ("written", "told"),
    [(b"x" * 2000, "x" * 1024), (b"x" * 1023 + "\u00e4".encode() * 9, "x" * 1023)],
    ids=["long", "a character on the limit"],
)
def test_an_exit_message_is_cut_to_a_kilobyte(written: bytes, told: str, cloud: Cloud) -> None:
    cloud.script(f"open('/opt/ml/output/message', 'wb').write({written!r})")

    assert cloud.processed("talks")["ExitMessage"] == told


def test_an_exit_message_that_is_no_text_fails_the_job(cloud: Cloud) -> None:
    cloud.script(r"open('/opt/ml/output/message', 'wb').write(b'\xff\xfe')")

    job = cloud.processed("garbled")

    assert job["ProcessingJobStatus"] == "Failed"
    assert "is not UTF-8" in job["FailureReason"]


def test_what_the_application_manages_itself_is_not_moved(cloud: Cloud) -> None:
    cloud.script("")
    managed = {"InputName": "own", "AppManaged": True}
    target = {"OutputName": "own", "AppManaged": True}

    job = cloud.processed("own", ProcessingInputs=[managed], ProcessingOutputConfig=outputs(target))

    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")


def test_a_job_over_its_runtime_is_stopped(cloud: Cloud) -> None:
    cloud.script("import signal\nsignal.pause()")

    job = cloud.processed("long", StoppingCondition={"MaxRuntimeInSeconds": 1})

    assert job["ProcessingJobStatus"] == "Stopped"


def test_jobs_are_listed_apart_from_training_jobs_of_the_same_name(cloud: Cloud) -> None:
    cloud.script("")
    cloud.run("same")

    cloud.processed("same")

    (summary,) = cloud.call("ListProcessingJobs")["ProcessingJobSummaries"]
    assert summary["ProcessingJobName"] == "same"
    assert summary["ProcessingJobArn"].endswith(":processing-job/same")
    assert cloud.refused("CreateProcessingJob", **processing("same"))[0] == "ResourceInUse"


def test_an_input_that_is_not_there_fails_the_job_with_its_name(cloud: Cloud) -> None:
    job = cloud.processed("empty", ProcessingInputs=[s3_input("photos", f"s3://{BUCKET}/nothing/")])

    assert job["ProcessingJobStatus"] == "Failed"
    assert "'photos'" in job["FailureReason"]


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        (
            {"ProcessingInputs": [s3_input("a", "s3://b/k", LocalPath="/tmp/in")]},  # noqa: S108
            "must be a folder below /opt/ml/processing",
        ),
        (
            {"ProcessingInputs": [s3_input("a", "s3://b/k", LocalPath="/opt/ml/processing/../x")]},
            "must be a folder below /opt/ml/processing",
        ),
        (
            {"ProcessingInputs": [s3_input("a", "s3://b/k"), s3_input("a", "s3://b/l")]},
            "names must be unique",
        ),
        (
            {
                "ProcessingInputs": [
                    s3_input("a", "s3://b/k", LocalPath="/opt/ml/processing/x"),
                    s3_input("b", "s3://b/k", LocalPath="/opt/ml/processing/x"),
                ]
            },
            "same LocalPath",
        ),
        ({"ProcessingInputs": [{"InputName": "a"}]}, "must have an S3Input"),
        ({"ProcessingInputs": [s3_input("a", "https://b/k")]}, "must have the form s3://"),
        ({"ProcessingInputs": [s3_input("a", "s3://b/k", S3InputMode="Pipe")]}, "Pipe"),
        ({"ProcessingOutputConfig": outputs({"OutputName": "o"})}, "must have an S3Output"),
        (
            {
                "ProcessingResources": {
                    "ClusterConfig": {
                        "InstanceType": "ml.m5.large",
                        "InstanceCount": 2,
                        "VolumeSizeInGB": 1,
                    }
                }
            },
            "Set InstanceCount to 1",
        ),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_with_the_reason(
    members: dict[str, Any], complaint: str, cloud: Cloud
) -> None:
    code, message = cloud.refused("CreateProcessingJob", **processing("bad", **members))

    assert code in ("ValidationException", "ResourceLimitExceeded")
    assert complaint in message


@pytest.mark.parametrize("action", ["DescribeProcessingJob", "StopProcessingJob"])
def test_a_job_that_is_not_there_is_named_in_awss_words(action: str, cloud: Cloud) -> None:
    assert cloud.refused(action, ProcessingJobName="nobody") == (
        "ValidationException",
        "Could not find requested job with name: nobody",
    )
