"""The command line's tools against a whole local cloud, with a model trained by `make up`."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from areyouacat import lake
from areyouacat.comparison_record import ComparisonRecord
from areyouacat.model_spec import MODEL_FILE, SPEC_FILE
from areyouacat.predictions import CONTROL_PARTITION_KEY, PARTITION_KEY
from tests.integration.instance import ROOT, Instance, eventually

pytestmark = pytest.mark.slow

LAUNCH_PYTHON = ROOT / ".venvs" / "launch" / "bin" / "python"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """The starter photos in the lake, version 1 serving."""
    instance = Instance(tmp_path_factory.mktemp("cloud"))
    try:
        instance.up()
        yield instance
    finally:
        instance.close()


def run(cloud: Instance, *words: str, python: str = "python") -> subprocess.CompletedProcess[str]:
    return cloud.run("local_cloud.cli", "run", "--", python, "-m", *words)


def lineage(cloud: Instance, *words: str) -> dict[str, Any]:
    done = run(cloud, "training_job.lineage", "--json", *words)
    assert done.returncode == 0, done.stdout
    found: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    return found


def test_the_lineage_of_the_model_that_serves_is_sound_and_leads_back(trained: Instance) -> None:
    found = lineage(trained, "--photos")

    assert found["is_sound"] is True
    assert found["problems"] == []
    assert found["serving"].startswith("champion")
    assert found["job"]["status"] == "Completed"
    assert found["execution"]["status"] == "SUCCEEDED"
    assert found["run"]["status"] == "FINISHED"
    assert found["requirements_sha256"]
    photo = found["dataset"]["photos"][0]["photo"]
    for way_back in (
        ["--photo", photo],
        ["--dataset", found["dataset"]["version"]],
        ["--job", found["job"]["name"]],
    ):
        (version,) = lineage(trained, *way_back)["versions"]
        assert version["version"] == found["version"]["version"]


def test_versions_are_compared_by_the_deployed_function_and_drawn(trained: Instance) -> None:
    s3, bucket = trained.client("s3"), trained.endpoints["lake_bucket"]
    for name in (MODEL_FILE, SPEC_FILE):  # a second version, of the same bytes
        s3.copy_object(
            Bucket=bucket,
            Key=f"{lake.model_prefix('2')}{name}",
            CopySource={"Bucket": bucket, "Key": f"{lake.model_prefix('1')}{name}"},
        )

    done = run(trained, "training_job.compare", "--versions", "2", "1", "--split", "all")
    refused = run(trained, "training_job.compare", "--versions", "1", "9")

    assert done.returncode == 0, done.stdout
    assert "| version 1" in done.stdout
    (folder,) = (trained.state / "comparisons").iterdir()
    found = ComparisonRecord.from_json((folder / lake.COMPARISON_JSON).read_bytes())
    one, copy = found.comparison.models
    assert one.figures == copy.figures
    assert one.figures["accuracy"].value > 0.9
    assert found.comparison.photos > 100
    assert (folder / "index.html").exists()
    assert (folder / "roc.png").read_bytes().startswith(b"\x89PNG")
    assert refused.returncode == 2
    assert "There is no model version 9 in the lake. There are: 1, 2." in refused.stdout


def test_an_erased_photo_leaves_the_lake_and_every_later_data_set(trained: Instance) -> None:
    s3, bucket = trained.client("s3"), trained.endpoints["lake_bucket"]
    (photo, *_) = (entry["photo"] for entry in lineage(trained, "--photos")["dataset"]["photos"])

    erased = run(trained, "training_job.erase", photo, "--yes")
    assert erased.returncode == 0, erased.stdout
    seeded = run(trained, "training_job.seed", str(trained.state / "starter"))
    assert "1 photos stay out" in seeded.stdout
    retrained = run(trained, "training_job.follow", "--machine", "train")
    assert retrained.returncode == 0, retrained.stdout

    held = s3.list_object_versions(Bucket=bucket, Prefix=lake.photo_key(photo))
    assert [version["Size"] for version in held["Versions"]] == [0]
    manifests = {
        entry["Key"]: photo.encode()
        in s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
        for entry in s3.list_objects_v2(Bucket=bucket, Prefix="datasets/")["Contents"]
        if entry["Key"].endswith("manifest.jsonl")
    }
    assert sorted(manifests.values()) == [False, True]


def test_a_job_launched_through_the_sdk_trains_and_registers_nothing(trained: Instance) -> None:
    done = run(trained, "training_job.launch", "epochs=3", python=str(LAUNCH_PYTHON))

    assert done.returncode == 0, done.stdout
    assert "Nothing was registered" in done.stdout
    jobs = trained.client("sagemaker").list_training_jobs(NameContains="areyouacat-launch-")
    (job,) = jobs["TrainingJobSummaries"]
    assert job["TrainingJobStatus"] == "Completed"
    described = trained.client("sagemaker").describe_training_job(
        TrainingJobName=job["TrainingJobName"]
    )
    assert described["HyperParameters"]["epochs"] == "3"
    back = run(trained, "training_job.lineage", "--job", job["TrainingJobName"])
    assert "No model version was made of it" in back.stdout


def emptied(cloud: Instance) -> None:
    """As after the loss of lake and tables."""
    known, s3, dynamodb = cloud.endpoints, cloud.client("s3"), cloud.client("dynamodb")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=known["lake_bucket"]):
        for entry in page.get("Contents", []):
            s3.delete_object(Bucket=known["lake_bucket"], Key=entry["Key"])
    for table, key in (
        (known["predictions_table"], PARTITION_KEY),
        (known["control_table"], CONTROL_PARTITION_KEY),
    ):
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                dynamodb.delete_item(TableName=table, Key={key: item[key]})


def test_what_was_lost_is_restored_from_a_backup_and_answers_as_before(
    trained: Instance, tmp_path: Path
) -> None:
    photo = next((trained.state / "starter" / "cat").iterdir()).read_bytes()
    said = trained.predict(photo).body
    stored = trained.call("GET", f"predictions/{said['prediction_id']}").body
    model = trained.call("GET", "model").body
    folder = str(tmp_path / "backup")

    kept = run(trained, "training_job.backup", "--to", folder)
    emptied(trained)
    eventually(
        "nobody to serve", lambda: trained.call("GET", "health").body["status"] == "no_model"
    )
    gone = trained.call("GET", f"predictions/{said['prediction_id']}")
    restored = run(trained, "training_job.restore", "--from", folder)

    assert kept.returncode == 0, kept.stdout
    assert gone.status == 404
    assert restored.returncode == 0, restored.stdout
    eventually("the model", lambda: trained.call("GET", "health").body["status"] == "ok")
    assert trained.call("GET", "model").body == model
    assert trained.call("GET", f"predictions/{said['prediction_id']}").body == stored
    again = trained.predict(photo).body
    assert (again["probability"], again["model"]) == (said["probability"], said["model"])
    verified = run(trained, "training_job.verify_registry", "--look")
    assert verified.returncode == 0, verified.stdout
    assert lineage(trained)["is_sound"] is True
