"""Batch scoring on the running local cloud, through the command that people use."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from areyouacat.batches import rows_key, rows_prefix, summary_key
from areyouacat.lake import PHOTOS_PREFIX
from areyouacat.settings import BATCH, LABELS
from tests.integration.instance import Instance


def score(cloud: Instance, *options: str) -> str:
    """`make score`; gives what it printed, fails with it if it fails."""
    done = cloud.run("local_cloud.cli", "run", "--", "python", "-m", "training_job.score", *options)
    assert done.returncode == 0, done.stdout
    return done.stdout


def rows(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pyarrow.parquet.read_table(folder).to_pylist()
    return found


def stored_rows(cloud: Instance, batch: str) -> dict[str, Any]:
    """When each file of rows was written."""
    listed = cloud.client("s3").list_objects_v2(
        Bucket=cloud.endpoints["lake_bucket"], Prefix=rows_prefix(batch)
    )
    return {found["Key"]: found["LastModified"] for found in listed["Contents"]}


@pytest.fixture(scope="module")
def photos(starter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three photos of each label, and a file that is no photo."""
    folder = tmp_path_factory.mktemp("photos")
    for label in (LABELS.positive, LABELS.negative):
        (folder / label).mkdir()
        for file in sorted((starter / label).iterdir())[:3]:
            (folder / label / file.name).write_bytes(file.read_bytes())
    (folder / "notes.txt").write_text("Three of each.")
    return folder


def test_every_photo_of_a_folder_gets_the_answer_that_the_api_gives(
    trained: Instance, photos: Path, tmp_path: Path
) -> None:
    said = score(trained, "--source", str(photos), "--batch", "folder", "--to", str(tmp_path))

    found = {row["key"].partition("folder/")[2]: row for row in rows(tmp_path)}
    assert set(found) == {
        file.relative_to(photos).as_posix() for file in photos.rglob("*") if file.is_file()
    }
    assert found.pop("notes.txt")["error"] == "unreadable_image"
    assert "6 of 7 photos are scored, 1 could not be" in said
    for name, row in found.items():
        answer = trained.predict((photos / name).read_bytes())
        assert answer.status == 200
        assert row["probability"] == pytest.approx(answer.body["probability"], abs=1e-6)
        assert (row["label"], row["verdict"]) == (answer.body["label"], answer.body["verdict"])
        assert row["model_version"] == answer.body["model"]["version"]


def test_a_batch_goes_on_with_the_chunks_that_are_missing(
    trained: Instance, tmp_path: Path
) -> None:
    s3, lake = trained.client("s3"), trained.endpoints["lake_bucket"]
    keys = photo_keys(s3, lake)
    manifest = tmp_path / "list.txt"
    lines = [keys[number % len(keys)] for number in range(BATCH.photos_per_chunk + 5)]
    manifest.write_text("".join(f"s3://{lake}/{key}\n" for key in lines))
    version = trained.call("GET", "model").body["model"]["version"]
    asked = ("--batch", "listed")

    score(trained, *asked, "--manifest", str(manifest), "--model-version", version)
    first, second = sorted(before := stored_rows(trained, "listed"))
    s3.delete_object(Bucket=lake, Key=second)  # as if its function had failed for good
    score(trained, *asked, "--to", str(tmp_path / "rows"))

    after = stored_rows(trained, "listed")
    assert (first, second) == (rows_key("listed", "00000000"), rows_key("listed", "00000001"))
    assert after[first] == before[first]
    assert after[second] > before[second]
    assert [row["key"] for row in rows(tmp_path / "rows")] == lines
    summary = json.loads(s3.get_object(Bucket=lake, Key=summary_key("listed"))["Body"].read())
    assert (summary["scored"], summary["missing_chunks"]) == (len(lines), 0)


def photo_keys(s3: Any, lake: str) -> Sequence[str]:
    listed = s3.list_objects_v2(Bucket=lake, Prefix=PHOTOS_PREFIX, MaxKeys=40)["Contents"]
    return [found["Key"] for found in listed if found["Size"]]
