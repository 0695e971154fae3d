from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from areyouacat.batches import Progress, progress_key, rows_key
from training_job import score
from training_job.score import (
    BatchProgress,
    NothingToScoreError,
    main,
    new_id,
    placed_file,
    placed_folder,
)

LAKE = "lake-of-the-test"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=LAKE)
        yield client


@pytest.fixture
def known(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, dict[str, Any]]]:
    """Executions that would have been started: workflow and input."""
    started: list[tuple[str, dict[str, Any]]] = []

    def start(machine: str, given: str, wait: Any) -> int:
        del wait
        started.append((machine, json.loads(given)))
        return 0

    endpoints = {"lake_bucket": LAKE, "region": "us-east-1", "state_machines": {"batch": "arn"}}
    (tmp_path / "endpoints.json").write_text(json.dumps(endpoints))
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("LAKE_BUCKET", raising=False)
    monkeypatch.setattr(score, "start_and_follow", start)
    return started


def keys(s3: Any) -> set[str]:
    return {found["Key"] for found in s3.list_objects_v2(Bucket=LAKE).get("Contents", ())}


def test_a_folders_files_are_put_into_the_lake_as_they_lie(s3: Any, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.jpg", "deep/b.png", ".DS_Store"):
        (tmp_path / name).write_bytes(name.encode())

    address = placed_folder(s3, LAKE, "autumn", str(tmp_path), lambda _: None)

    assert address == f"s3://{LAKE}/batch-input/autumn/"
    assert keys(s3) == {"batch-input/autumn/a.jpg", "batch-input/autumn/deep/b.png"}


def test_an_address_stays_as_it_is(s3: Any) -> None:
    assert placed_folder(s3, LAKE, "autumn", "s3://other/photos/", print) == "s3://other/photos/"
    assert placed_file(s3, LAKE, "autumn", "s3://other/list.txt") == "s3://other/list.txt"
    assert keys(s3) == set()


@pytest.mark.parametrize("make", ["nothing", "empty folder", "hidden file"])
def test_a_folder_without_photos_is_refused(s3: Any, tmp_path: Path, make: str) -> None:
    folder = tmp_path / "photos"
    if make != "nothing":
        folder.mkdir()
    if make == "hidden file":
        (folder / ".a.jpg").write_bytes(b"1")

    with pytest.raises(NothingToScoreError, match="no photo"):
        placed_folder(s3, LAKE, "autumn", str(folder), lambda _: None)


def test_two_batches_of_one_second_have_different_ids() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    ids = {new_id(now) for _ in range(20)}

    assert len(ids) > 1
    assert all(one.startswith("20260102T030405Z-") for one in ids)


def test_what_is_asked_is_what_the_workflow_is_told(
    known: list[tuple[str, dict[str, Any]]], tmp_path: Path
) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("s3://other/a.jpg\n")

    codes = [
        main(["--source", "s3://other/photos/", "--batch", "autumn", "--model-version", "3"]),
        main(["--manifest", str(listed), "--batch", "winter"]),
        main(["--batch", "autumn"]),
    ]

    assert codes == [0, 0, 0]
    assert known == [
        ("batch", {"batch_id": "autumn", "source": "s3://other/photos/", "model_version": "3"}),
        (
            "batch",
            {"batch_id": "winter", "manifest": f"s3://{LAKE}/batch-input/winter/list.txt"},
        ),
        ("batch", {"batch_id": "autumn"}),
    ]


def test_rows_are_brought_into_a_folder_that_one_names(
    known: list[tuple[str, dict[str, Any]]], s3: Any, tmp_path: Path
) -> None:
    s3.put_object(Bucket=LAKE, Key=rows_key("autumn", "00000000"), Body=b"rows")

    main(["--batch", "autumn", "--to", str(tmp_path / "rows")])

    assert (tmp_path / "rows" / "00000000.parquet").read_bytes() == b"rows"


@pytest.mark.parametrize(
    "arguments",
    [["--source", "/no/such/folder"], ["--manifest", "/no/such/file"]],
)
def test_nothing_is_started_where_nothing_is_there(
    known: list[tuple[str, dict[str, Any]]],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    assert main(arguments) == 2

    assert known == []
    assert "/no/such/" in capsys.readouterr().err


def test_asking_nothing_says_what_can_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])

    assert ended.value.code == 2
    assert "--source" in capsys.readouterr().err


def test_progress_tells_of_planning_then_of_chunks(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score, "PROGRESS_SECONDS", 0.0)
    monkeypatch.setattr(score, "POLL_SECONDS", 0.0)
    lines: list[str] = []
    look = BatchProgress(s3, LAKE, "autumn", lines.append)

    look()
    for progress in (Progress(4, 1000, "k"), Progress(8, 2000, "m", whole=True)):
        body = json.dumps(asdict(progress))
        s3.put_object(Bucket=LAKE, Key=progress_key("autumn"), Body=body)
        look()
    s3.put_object(Bucket=LAKE, Key=rows_key("autumn", "00000000"), Body=b"")
    look()
    look()

    assert [line.strip(" |") for line in lines] == [
        "planning: 1,000 photos so far",
        "0 of 8 chunks scored (2,000 photos)",
        "1 of 8 chunks scored (2,000 photos)",
    ]
