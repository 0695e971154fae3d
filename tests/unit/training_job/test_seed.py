from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from PIL import Image

from areyouacat import lake
from areyouacat.lake import IndexRow, LabelRecord
from tests.unit.training_job.moto_lake import BUCKET, keys, moto_lake
from training_job import seed as seeding
from training_job.seed import main
from training_job.seed_lake import Lake


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """An empty lake in an S3 that lives in this process."""
    with moto_lake(monkeypatch, tmp_path) as client:
        yield client


def photo(number: int, kind: str = "PNG") -> bytes:
    pixels = np.random.default_rng(number).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def zipped(file: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file


FILES = {f"{label}/{n}.png": photo(n) for n, label in enumerate(["cat", "cat", "not_cat"])}


def shards(s3: Any, prefix: str) -> list[bytes]:
    return [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys(s3, prefix)]


def rows(s3: Any) -> list[IndexRow]:
    return [
        row for shard in shards(s3, lake.INDEX_PREFIX) for row in lake.load_shard(shard, IndexRow)
    ]


def labels(s3: Any) -> list[LabelRecord]:
    return [
        record
        for shard in shards(s3, lake.LABELS_PREFIX)
        for record in lake.load_shard(shard, LabelRecord)
    ]


def test_photos_index_and_labels_reach_the_lake(s3: Any, tmp_path: Path) -> None:
    assert main([str(write(tmp_path / "set", FILES)), "--source", "holiday"]) == 0

    expected = {lake.sha256_hex(content): content for content in FILES.values()}
    for sha256, content in expected.items():
        stored = s3.get_object(Bucket=BUCKET, Key=lake.photo_key(sha256))["Body"].read()
        assert stored == content
    assert {row.photo for row in rows(s3)} == set(expected)
    assert {(row.source, row.width, row.height, row.format) for row in rows(s3)} == {
        ("holiday", 16, 12, "PNG")
    }
    said = {record.photo: (record.label, record.source) for record in labels(s3)}
    assert said == {
        lake.sha256_hex(content): (name.partition("/")[0], "seed")
        for name, content in FILES.items()
    }


def test_the_same_photos_again_add_nothing_be_they_in_a_folder_or_a_zip(
    s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(write(tmp_path / "set", FILES))])
    before = keys(s3)

    assert main([str(tmp_path / "set")]) == 0
    deep = {f"some/where/{name}": content for name, content in FILES.items()}
    assert main([str(zipped(tmp_path / "set.zip", deep))]) == 0

    assert keys(s3) == before
    assert "Added 0 photos and 0 labels from 3 files" in capsys.readouterr().out


def test_more_photos_than_fit_a_shard_fill_several(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeding, "SHARD_ROWS", 2)

    main([str(write(tmp_path / "set", FILES))])

    assert len(keys(s3, lake.INDEX_PREFIX)) == len(keys(s3, lake.LABELS_PREFIX)) == 2
    assert len(rows(s3)) == len(labels(s3)) == 3


def test_a_run_cut_short_before_its_shards_is_finished_by_the_next(s3: Any, tmp_path: Path) -> None:
    main([str(write(tmp_path / "set", FILES))])
    for key in keys(s3, lake.LABELS_PREFIX):
        s3.delete_object(Bucket=BUCKET, Key=key)

    assert main([str(tmp_path / "set")]) == 0

    assert len(labels(s3)) == 3
    assert len(rows(s3)) == 3


def test_a_photo_moved_to_the_other_folder_gets_a_new_label_record(s3: Any, tmp_path: Path) -> None:
    main([str(write(tmp_path / "set", FILES))])
    (tmp_path / "set/cat/1.png").rename(tmp_path / "set/not_cat/1.png")

    main([str(tmp_path / "set")])

    moved = sorted(
        (record.labelled_at, record.label)
        for record in labels(s3)
        if record.photo == lake.sha256_hex(FILES["cat/1.png"])
    )
    assert [label for _, label in moved] == ["cat", "not_cat"]
    assert len(rows(s3)) == 3


def test_what_people_said_since_is_not_argued_with(s3: Any, tmp_path: Path) -> None:
    main([str(write(tmp_path / "set", FILES))])
    feedback = LabelRecord(
        lake.sha256_hex(FILES["cat/0.png"]), "not_cat", "feedback", "x", "2999-01-01T00:00:00Z"
    )
    shard = lake.dump_shard([feedback])
    key = lake.label_shard_key("2999-01-01", shard)
    s3.put_object(Bucket=BUCKET, Key=key, Body=shard)

    main([str(tmp_path / "set")])

    assert len(labels(s3)) == 4


def send(s3: Any, content: bytes) -> str:
    """A photo as the API stores it: it will expire. Its key."""
    key = lake.photo_key(lake.sha256_hex(content))
    tag = f"{lake.ORIGIN_TAG}={lake.ORIGIN_REQUEST}"
    s3.put_object(Bucket=BUCKET, Key=key, Body=content, Tagging=tag)
    return key


def test_a_photo_that_came_with_a_request_no_longer_expires_once_it_is_seeded(
    s3: Any, tmp_path: Path
) -> None:
    seeded, other = send(s3, FILES["cat/0.png"]), send(s3, photo(9))

    assert main([str(write(tmp_path / "set", FILES))]) == 0

    assert s3.get_object_tagging(Bucket=BUCKET, Key=seeded)["TagSet"] == []
    assert len(s3.get_object_tagging(Bucket=BUCKET, Key=other)["TagSet"]) == 1
    assert len(rows(s3)) == 3


def test_an_erased_photo_is_passed_over_before_anything_is_asked_of_its_key(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    erased = lake.sha256_hex(FILES["cat/0.png"])
    s3.put_object(Bucket=BUCKET, Key=lake.tombstone_key(erased), Body=b"")
    asked: list[str] = []
    put_photo = Lake.put_photo

    def put(self: Lake, sha256: str, data: bytes) -> bool:
        asked.append(sha256)
        return put_photo(self, sha256, data)

    monkeypatch.setattr(Lake, "put_photo", put)

    assert main([str(write(tmp_path / "set", FILES))]) == 0

    assert len(asked) == 2
    assert erased not in asked
    assert "1 photos stay out: they were erased" in capsys.readouterr().out


def test_a_photo_erased_while_seeding_runs_stays_out(
    s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    erased = lake.sha256_hex(FILES["cat/0.png"])
    # Its tombstone came after seeding had read them.
    s3.put_object(Bucket=BUCKET, Key=lake.photo_key(erased), Body=lake.ERASED_PHOTO)

    assert main([str(write(tmp_path / "set", FILES))]) == 0

    assert "1 photos stay out: they were erased" in capsys.readouterr().out
    assert erased not in {row.photo for row in rows(s3)}
    assert erased not in {record.photo for record in labels(s3)}
    assert s3.head_object(Bucket=BUCKET, Key=lake.photo_key(erased))["ContentLength"] == 0


class Contended:
    """S3 while another writer is at the same key, for the first few puts of photos."""

    def __init__(self, s3: Any, conflicts: int) -> None:
        self._s3, self._left = s3, conflicts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def put_object(self, **request: Any) -> Any:
        if self._left:
            self._left -= 1
            answer: Any = {
                "Error": {"Code": "ConditionalRequestConflict"},
                "ResponseMetadata": {"HTTPStatusCode": 409},
            }
            raise ClientError(answer, "PutObject")
        return self._s3.put_object(**request)


def test_a_photo_that_another_writer_is_at_is_put_again(s3: Any) -> None:
    data = FILES["cat/0.png"]
    key = send(s3, data)

    assert Lake(Contended(s3, 2), BUCKET).put_photo(lake.sha256_hex(data), data)

    assert s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"] == []


def test_a_key_that_is_never_free_is_an_error(s3: Any) -> None:
    with pytest.raises(ClientError, match="ConditionalRequestConflict"):
        Lake(Contended(s3, 99), BUCKET).put_photo("0" * 64, b"x")


def test_a_few_unreadable_files_are_named_and_left_out(
    s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = {f"cat/{n}.png": photo(n) for n in range(10)}

    code = main([str(write(tmp_path / "set", {**many, "not_cat/x.jpg": b"no photo"}))])

    assert code == 0
    assert "left out: not_cat/x.jpg: The bytes cannot be read" in capsys.readouterr().out
    assert len(rows(s3)) == 10


def test_many_unreadable_files_fail_the_run_and_ten_are_named(
    s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = {f"cat/{n}.jpg": b"" for n in range(12)}

    code = main([str(write(tmp_path / "set", {**FILES, **broken}))])

    said = capsys.readouterr()
    assert code == 1
    assert said.out.count("left out: ") == 10
    assert "and 2 more" in said.out
    assert "right folder" in said.err
    assert len(rows(s3)) == 3


def test_a_photo_in_both_label_folders_keeps_one_label_however_often_it_is_seeded(
    s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = {f"cat/{n}.png": photo(n) for n in range(6)}
    write(tmp_path / "set", {**many, "not_cat/same.png": photo(0)})

    for _ in range(2):
        assert main([str(tmp_path / "set")]) == 0

    assert "not_cat/same.png: the same photo is also a 'cat'" in capsys.readouterr().out
    assert len(labels(s3)) == 6


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"dogs/1.jpg": b"x", "cat/1.jpg": b"y"}, "'dogs' (1)"),
        ({"1.jpg": b"x"}, "'cat' or 'not_cat'"),
        ({"readme.txt": b"x"}, "No photos found"),
    ],
)
def test_photos_without_a_known_label_are_refused_before_anything_is_written(
    s3: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    files: dict[str, bytes],
    expected: str,
) -> None:
    code = main([str(write(tmp_path / "set", files))])

    assert code == 2
    assert expected in capsys.readouterr().err
    assert keys(s3) == []


def test_hidden_files_and_notes_beside_the_folders_are_passed_over(s3: Any, tmp_path: Path) -> None:
    extra = {"cat/.DS_Store": b"x", "__MACOSX/cat/._0.png": b"x", "LICENSE": b"words"}

    assert main([str(zipped(tmp_path / "set.zip", {**FILES, **extra}))]) == 0

    assert len(rows(s3)) == 3


def test_the_nearest_label_folder_decides(s3: Any, tmp_path: Path) -> None:
    nested = {"cat/not_cat/breeds/1.png": photo(1), "cat/2.png": photo(2)}

    main([str(write(tmp_path / "set", nested))])

    assert {record.photo: record.label for record in labels(s3)} == {
        lake.sha256_hex(photo(1)): "not_cat",
        lake.sha256_hex(photo(2)): "cat",
    }


def test_a_member_of_a_zip_that_is_damaged_is_left_out(s3: Any, tmp_path: Path) -> None:
    many = {f"cat/{n}.png": photo(n) for n in range(6)}
    file = zipped(tmp_path / "set.zip", many)
    content = bytearray(file.read_bytes())
    content[content.index(photo(3)) + 60] ^= 0xFF
    file.write_bytes(content)

    assert main([str(file)]) == 0

    assert len(rows(s3)) == 5


@pytest.mark.parametrize("content", [None, b"no zip"])
def test_what_is_neither_folder_nor_zip_is_refused(
    s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    file = tmp_path / "set.zip"
    if content is not None:
        file.write_bytes(content)

    assert main([str(file)]) == 2
    assert "set.zip" in capsys.readouterr().err


def test_without_a_lake_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("LAKE_BUCKET", raising=False)

    assert main([str(write(tmp_path / "set", FILES))]) == 2
    assert "make up" in capsys.readouterr().err


def test_a_lake_that_does_not_exist_is_one_sentence(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAKE_BUCKET", "elsewhere")

    assert main([str(write(tmp_path / "set", FILES))]) == 2
    assert "The lake cannot be reached or refused" in capsys.readouterr().err
