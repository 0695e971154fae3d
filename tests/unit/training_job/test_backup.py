"""Backing up a lake and two tables of moto's, and restoring them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from areyouacat import lake
from areyouacat.settings import SERVING
from tests.unit.training_job.backup_cloud import ITEMS, POINTER, SEEDED, SENT, Cloud, full_cloud
from tests.unit.training_job.moto_lake import BUCKET, moto_lake
from training_job import backup, restore
from training_job.backups.folder import JOURNAL, MANIFEST, BackupFolder, StoredObject
from training_job.backups.lake import LakeCopier
from training_job.backups.planning import make_plan, to_keep

NOW = datetime.now(UTC)
LATER = int((NOW + timedelta(days=9)).timestamp())


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    with moto_lake(monkeypatch, tmp_path) as s3:
        yield full_cloud(s3, tmp_path / "no-state", LATER)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "backup"


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that were fetched so far."""
    keys: list[str] = []
    fetch = LakeCopier.fetch

    def noting(self: LakeCopier, key: str, into: BackupFolder) -> StoredObject | None:
        keys.append(key)
        return fetch(self, key, into)

    monkeypatch.setattr(LakeCopier, "fetch", noting)
    return keys


def back_up(folder: Path, *words: str) -> int:
    return backup.main(["--to", str(folder), *words])


def put_back(folder: Path, *words: str) -> int:
    return restore.main(["--from", str(folder), *words])


def test_what_was_lost_is_back_with_types_tags_and_binary_values(
    cloud: Cloud, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = cloud.state()

    assert back_up(folder) == 0
    cloud.lose()
    assert put_back(folder) == 0

    assert cloud.state() == before
    said = capsys.readouterr().out
    assert f"5 objects (0.0 MB), {ITEMS} items of predictions, 1 items of control" in said
    assert "make verify-registry" in said


def test_a_backup_is_for_its_owner_alone_and_each_content_is_there_once(
    cloud: Cloud, folder: Path
) -> None:
    back_up(folder)

    assert folder.stat().st_mode & 0o777 == 0o700
    contents = [file.read_bytes() for file in folder.rglob("contents/*/*")]
    assert contents.count(b"a model") == 1
    assert not (folder / JOURNAL).exists()


def test_the_second_time_only_what_is_new_is_fetched(
    cloud: Cloud, folder: Path, fetched: list[str]
) -> None:
    back_up(folder)
    cloud.put("models/1/model.tflite", b"another model")
    cloud.put("models/3/model.tflite", b"a third model")
    fetched.clear()

    assert back_up(folder) == 0

    assert sorted(fetched) == ["models/1/model.tflite", "models/3/model.tflite", POINTER]


def test_a_photo_that_was_labelled_since_keeps_its_new_tag(cloud: Cloud, folder: Path) -> None:
    back_up(folder)
    cloud.tag(SENT, lake.ORIGIN_FEEDBACK)
    before = cloud.state()

    back_up(folder)
    cloud.lose()
    put_back(folder)

    assert cloud.state() == before


def test_what_the_lake_has_no_more_leaves_the_backup(cloud: Cloud, folder: Path) -> None:
    back_up(folder)
    cloud.lose(lake.photo_key(SENT), tables=False)

    assert back_up(folder) == 0

    assert b"sent" not in [file.read_bytes() for file in folder.rglob("contents/*/*")]


def test_uploads_are_not_kept(cloud: Cloud, folder: Path, fetched: list[str]) -> None:
    cloud.put("uploads/1", b"read within minutes")

    assert back_up(folder) == 0

    assert "uploads/1" not in fetched


def test_an_object_that_goes_while_it_is_copied_is_no_harm(
    cloud: Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = LakeCopier.fetch

    def too_late(self: LakeCopier, key: str, into: BackupFolder) -> StoredObject | None:
        if key.startswith("models/2/"):
            cloud.s3.delete_object(Bucket=BUCKET, Key=key)
        return fetch(self, key, into)

    monkeypatch.setattr(LakeCopier, "fetch", too_late)

    assert back_up(folder) == 0
    assert json.loads((folder / MANIFEST).read_text())["objects"] == 4


def cut_short(monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """Let the connection break at a key."""
    fetch = LakeCopier.fetch

    def breaking(self: LakeCopier, key: str, into: BackupFolder) -> StoredObject | None:
        if key == at:
            raise OSError("the connection broke")
        return fetch(self, key, into)

    monkeypatch.setattr(LakeCopier, "fetch", breaking)


def test_a_backup_that_was_cut_short_is_none_and_goes_on(
    cloud: Cloud,
    folder: Path,
    fetched: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with monkeypatch.context() as broken:
        cut_short(broken, at=lake.photo_key(SENT))
        assert back_up(folder) == 1
    with (folder / JOURNAL).open("a") as journal:
        journal.write('{"key": "half a li')
    assert put_back(folder) == 2
    first = set(fetched)
    fetched.clear()

    assert back_up(folder) == 0

    # What other threads had in hand at that moment is fetched once more, and nothing else is.
    assert set(fetched) >= {POINTER, lake.photo_key(SENT)}
    assert first - set(fetched)
    assert first >= {POINTER, "models/1/model.tflite"}
    said = capsys.readouterr().err
    assert "it goes on" in said
    assert "no whole backup" in said


def test_an_update_that_was_cut_short_leaves_the_earlier_backup_whole(
    cloud: Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cloud.state()
    back_up(folder)
    cloud.put("models/1/model.tflite", b"another model")
    cloud.put("models/3/model.tflite", b"a third model")

    with monkeypatch.context() as broken:
        cut_short(broken, at="models/3/model.tflite")
        assert back_up(folder) == 1
    cloud.lose()
    assert put_back(folder) == 0

    assert cloud.state() == before


def test_a_lost_lake_does_not_empty_its_backup(
    cloud: Cloud, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = cloud.state()
    back_up(folder)
    cloud.lose(tables=False)

    assert back_up(folder) == 1

    assert "The backup holds 5 objects, there are 0 now" in capsys.readouterr().err
    assert put_back(folder) == 0
    assert cloud.state() == before
    cloud.lose()
    assert back_up(folder, "--even-if-smaller") == 0
    assert json.loads((folder / MANIFEST).read_text())["objects"] == 0


def test_a_folder_with_something_else_is_left_alone(
    cloud: Cloud, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.mkdir(parents=True)
    (folder / "letters.txt").write_text("dear")

    assert back_up(folder) == 2

    assert "letters.txt" in capsys.readouterr().err
    assert [file.name for file in folder.iterdir()] == ["letters.txt"]


def test_the_backup_of_another_lake_is_left_alone(
    cloud: Cloud,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    back_up(folder)
    monkeypatch.setenv("LAKE_BUCKET", "another")

    assert back_up(folder) == 2

    assert "of another lake, lake" in capsys.readouterr().err


def test_two_backups_at_once_do_not_share_a_folder(
    cloud: Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[int] = []
    fetch = LakeCopier.fetch

    def meanwhile(self: LakeCopier, key: str, into: BackupFolder) -> StoredObject | None:
        if key == POINTER and not codes:
            codes.append(back_up(folder))
        return fetch(self, key, into)

    monkeypatch.setattr(LakeCopier, "fetch", meanwhile)

    assert (back_up(folder), codes) == (0, [1])


@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_a_damaged_backup_is_found_before_anything_is_written(
    cloud: Cloud, folder: Path, capsys: pytest.CaptureFixture[str], harm: str
) -> None:
    back_up(folder)
    cloud.lose()
    (victim,) = (file for file in folder.rglob("contents/*/*") if file.read_bytes() == b"a model")
    if harm == "gone":
        victim.unlink()
    else:
        victim.write_bytes(b"a mOdel")

    assert put_back(folder) == 2

    assert f"1 files, the first of them {victim}. Nothing was written" in capsys.readouterr().err
    assert cloud.state() == ({}, {}, {})


def test_a_damaged_table_is_found_too(cloud: Cloud, folder: Path) -> None:
    back_up(folder)
    cloud.lose()
    tables = json.loads((folder / MANIFEST).read_text())["tables"]
    part = tables["predictions"]["parts"][0]["sha256"]
    (folder / "contents" / part[:2] / part).write_bytes(b"")

    assert put_back(folder) == 2

    assert cloud.state() == ({}, {}, {})


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 99}'])
def test_a_manifest_that_cannot_be_read_is_no_backup(cloud: Cloud, folder: Path, text: str) -> None:
    back_up(folder)
    (folder / MANIFEST).write_text(text)

    assert put_back(folder) == 2


def test_a_target_with_something_else_is_refused_unless_told(
    cloud: Cloud, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    back_up(folder)
    cloud.put("models/9/model.tflite", b"made since")
    cloud.put(POINTER, b"version 9")
    cloud.put_items("predictions", {"prediction 0": {}, "made since": {}})
    now = cloud.state()

    assert put_back(folder) == 2

    assert cloud.state() == now
    assert "2 objects such as models/9/model.tflite, items of predictions" in (
        capsys.readouterr().err
    )
    assert put_back(folder, "--force") == 0
    objects, predictions, _ = cloud.state()
    assert objects[POINTER][0] == b"version 1"
    assert objects["models/9/model.tflite"][0] == b"made since"
    assert predictions["prediction 0"]["photo"] == {"S": SEEDED}
    assert "made since" in predictions


def test_a_restore_that_was_cut_short_goes_on_and_the_pointer_comes_last(
    cloud: Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cloud.state()
    back_up(folder)
    cloud.lose()
    put = LakeCopier.put

    def breaking(self: LakeCopier, stored: StoredObject, *more: Any) -> bool:
        if stored.key == "models/2/model.tflite":
            raise OSError("the connection broke")
        return put(self, stored, *more)

    with monkeypatch.context() as broken:
        broken.setattr(LakeCopier, "put", breaking)
        assert put_back(folder) == 1
    assert "models/1/model.tflite" in cloud.objects()
    assert POINTER not in cloud.objects()

    assert put_back(folder) == 0
    assert cloud.state() == before


def test_the_same_bytes_written_in_parts_are_the_same_object(cloud: Cloud, folder: Path) -> None:
    at = {"Bucket": BUCKET, "Key": "training/model.tar.gz"}
    upload = cloud.s3.create_multipart_upload(**at)["UploadId"]
    part = cloud.s3.upload_part(**at, UploadId=upload, PartNumber=1, Body=b"archive")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    cloud.s3.complete_multipart_upload(**at, UploadId=upload, MultipartUpload=parts)
    back_up(folder)
    cloud.lose()
    assert put_back(folder) == 0

    assert put_back(folder) == 0


def test_a_pointer_that_moves_meanwhile_is_left_to_whoever_moved_it(
    cloud: Cloud,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    back_up(folder)
    cloud.lose()
    put = LakeCopier.put

    def moved(self: LakeCopier, stored: StoredObject, *more: Any) -> bool:
        if stored.key == POINTER:
            cloud.put(POINTER, b"version 5")
        return put(self, stored, *more)

    monkeypatch.setattr(LakeCopier, "put", moved)

    assert put_back(folder) == 1

    assert cloud.objects()[POINTER][0] == b"version 5"
    assert "somebody moved meanwhile" in capsys.readouterr().err


def test_what_was_erased_since_stays_erased(
    cloud: Cloud, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    back_up(folder)
    cloud.put(lake.tombstone_key(SEEDED), b"{}")
    cloud.put(lake.photo_key(SEEDED), lake.ERASED_PHOTO)
    cloud.lose("models/")

    assert put_back(folder, "--force") == 0

    objects, predictions, _ = cloud.state()
    assert objects[lake.photo_key(SEEDED)][0] == lake.ERASED_PHOTO
    assert sorted(predictions) == sorted(f"prediction {n}" for n in range(1, ITEMS))
    assert "make erase FINISH=1" in capsys.readouterr().out


def test_what_has_expired_meanwhile_stays_out(cloud: Cloud, folder: Path) -> None:
    back_up(folder)
    stored = {
        one.key: one
        for one in BackupFolder(folder).objects(BackupFolder(folder).manifest())  # type: ignore[arg-type]
    }
    later = NOW + timedelta(days=SERVING.photo_ttl_days + 1)

    plan = make_plan(stored, {}, set(), later)
    items = list(to_keep(cloud.items("predictions").values(), "predictions", frozenset(), later))

    kept = [write.stored.key for write in plan.writes]
    assert plan.expired == 1
    assert lake.photo_key(SENT) not in kept
    assert lake.photo_key(SEEDED) in kept
    assert items == []


def test_nothing_is_restored_beside_a_workflow_at_work(
    cloud: Cloud, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    back_up(folder)
    cloud.lose()
    states: Any = boto3.client("stepfunctions")
    machine = states.create_state_machine(
        name="train", definition="{}", roleArn="arn:aws:iam::123456789012:role/train"
    )["stateMachineArn"]
    states.start_execution(stateMachineArn=machine, name="at-it")
    file = tmp_path / "no-state" / "endpoints.json"
    known = json.loads(file.read_text())
    file.write_text(json.dumps({**known, "state_machines": {"train": machine}}))

    assert put_back(folder) == 2

    assert "The train workflow is at work: at-it" in capsys.readouterr().err
    assert cloud.objects() == {}


def test_nothing_is_begun_where_nothing_is_deployed(
    cloud: Cloud, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "no-state" / "endpoints.json").unlink()

    assert (back_up(folder), put_back(folder)) == (2, 2)
    assert not folder.exists()
