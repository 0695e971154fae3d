"""Jobs that fail, and the FailureReason that says whose fault it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local_cloud.sagemaker.tiny_cloud import (
    ACCOUNT,
    BUCKET,
    CREDENTIALS,
    IMAGE,
    Cloud,
    channel,
    request,
)


def failure(cloud: Cloud, name: str, **members: Any) -> str:
    job = cloud.run(name, **members)
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": ""}
    return str(job["FailureReason"])


def test_the_failure_file_is_the_reason(cloud: Cloud) -> None:
    cloud.script(
        "from pathlib import Path\n"
        "Path('/opt/ml/output/failure').write_text('too few photos')\nraise SystemExit(1)"
    )

    assert failure(cloud, "says-why") == "AlgorithmError: too few photos, exit code: 1"


def test_a_long_failure_file_is_cut_to_the_length_of_a_failure_reason(cloud: Cloud) -> None:
    cloud.script(
        "from pathlib import Path\n"
        "Path('/opt/ml/output/failure').write_text('é' * 5000)\nraise SystemExit(2)"
    )

    reason = failure(cloud, "long")

    assert len(reason) == 1024
    assert reason.startswith("AlgorithmError: éé")
    assert reason.endswith("é, exit code: 2")


def test_without_a_failure_file_the_exit_code_is_the_reason(cloud: Cloud) -> None:
    cloud.script("raise SystemExit(7)")

    assert failure(cloud, "silent") == "AlgorithmError: , exit code: 7"


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        (
            "SIGKILL",
            "the container was killed (SIGKILL), as the system does when memory runs out, "
            "exit code: 137",
        ),
        ("SIGABRT", "the container was ended by SIGABRT, exit code: 134"),
    ],
)
def test_a_container_that_a_signal_ends_says_so_with_the_exit_code_128_and_the_signal(
    cloud: Cloud, signal: str, said: str
) -> None:
    cloud.script(f"import os, signal\nos.kill(os.getpid(), signal.{signal})")

    assert failure(cloud, signal) == f"AlgorithmError: {said}"


def test_the_output_data_of_a_failed_job_is_kept(cloud: Cloud) -> None:
    cloud.script(
        "from pathlib import Path\nPath('/opt/ml/output/data/trace').touch()\nraise SystemExit(1)"
    )

    failure(cloud, "trace")

    listed = cloud.s3.list_objects_v2(Bucket=BUCKET, Prefix="training/trace/")["Contents"]
    assert [entry["Key"] for entry in listed] == ["training/trace/output/output.tar.gz"]


def test_a_command_that_does_not_exist_fails_with_127_and_a_log_that_names_it(
    cloud: Cloud,
) -> None:
    cloud.script("")
    algorithm = {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["no-such-program"],
    }

    reason = failure(cloud, "missing", AlgorithmSpecification=algorithm)

    assert reason == "AlgorithmError: , exit code: 127"
    assert "Cannot run no-such-program: No such file or directory" in cloud.log("missing")


def test_an_unknown_image_is_named_together_with_the_remedy(cloud: Cloud) -> None:
    image = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/team/other@sha256:00"
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}

    reason = failure(cloud, "unknown", AlgorithmSpecification=algorithm)

    assert reason.startswith(f"ClientError: Cannot pull the image '{image}'")
    assert "'team/other' (it has: tiny)" in reason
    assert f"Add an entry for it to {cloud.config.images_file}" in reason


@pytest.mark.parametrize("content", ["", "{}", '[{"repository": "tiny"}]', "[1]"])
def test_an_images_file_that_cannot_be_read_is_the_clouds_fault(cloud: Cloud, content: str) -> None:
    cloud.config.images_file.write_text(content)
    reason = failure(cloud, "images")

    if content == "{}":
        assert "(it has: none)" in reason
    else:
        assert reason.startswith("InternalServerError: Cannot read the images file")


def test_a_source_that_the_image_lacks_is_named(cloud: Cloud) -> None:
    entries = json.loads(cloud.config.images_file.read_text())
    entries[0]["sources"] = ["gone"]
    cloud.config.images_file.write_text(json.dumps(entries))

    reason = failure(cloud, "sources")

    assert reason.startswith("ClientError: The image 'tiny' is registered with the source 'gone'")


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        (f"s3://{BUCKET}/nothing/", f"No S3 objects found under S3 URL 's3://{BUCKET}/nothing/'"),
        ("s3://no-such-bucket/x/", "NoSuchBucket"),
    ],
)
def test_data_that_is_not_there_is_a_client_error(cloud: Cloud, uri: str, said: str) -> None:
    cloud.script("")

    reason = failure(cloud, "data", InputDataConfig=[channel("train", uri)])

    assert reason.startswith("ClientError: ")
    assert said in reason
    assert "channel 'train'" in reason


def test_artifacts_that_cannot_be_uploaded_are_a_client_error(cloud: Cloud) -> None:
    cloud.script("")

    reason = failure(cloud, "upload", OutputDataConfig={"S3OutputPath": "s3://no-such-bucket/"})

    assert reason.startswith("ClientError: Upload of artifacts to 's3://no-such-bucket/upload/")


def test_a_role_that_is_lost_after_the_job_was_created_is_a_client_error(
    open_cloud: Callable[..., Cloud],
) -> None:
    answers = [dict(CREDENTIALS)]
    cloud = open_cloud(role_credentials=lambda *_: answers.pop())

    reason = failure(cloud, "role")

    assert reason.startswith("ClientError: Cannot assume the role arn:aws:iam::")
    assert reason in cloud.log("role")


def test_requirements_that_cannot_be_installed_are_a_client_error(cloud: Cloud) -> None:
    (cloud.context / "requirements.txt").write_text("not a requirement\n")

    reason = failure(cloud, "requirements")

    assert reason.startswith("ClientError: The image's environment cannot be built")
    assert "not a requirement" in reason
    left = [path for path in cloud.config.environments.iterdir() if path.name.startswith(".")]
    assert left == []


def test_a_uv_that_is_not_there_is_named(open_cloud: Callable[..., Cloud], tmp_path: Path) -> None:
    cloud = open_cloud(uv="/no/such/uv", environments_dir=tmp_path / "environments")

    assert failure(cloud, "no-uv").startswith(
        "InternalServerError: Cannot run /no/such/uv: No such"
    )


def test_a_refused_role_refuses_the_job(open_cloud: Callable[..., Cloud]) -> None:
    def refuse(role_arn: str, session_name: str) -> dict[str, str]:
        raise PermissionError(f"{session_name} may not assume it")

    cloud = open_cloud(role_credentials=refuse)

    code, message = cloud.refused("CreateTrainingJob", **request("refused"))

    assert code == "ValidationException"
    assert message.startswith("Could not assume role arn:aws:iam::")
    assert "SageMaker may not assume it" in message
    assert cloud.call("ListTrainingJobs")["TrainingJobSummaries"] == []
