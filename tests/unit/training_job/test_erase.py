"""Erasing from a lake in moto's S3, with all its versions."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from PIL import Image

from areyouacat import lake
from areyouacat.lake import IndexRow, LabelRecord
from areyouacat.settings import BackboneSpec
from tests.unit.training_job.moto_lake import BUCKET, every_version, keys, moto_lake
from training_job import erase as erasing
from training_job.erase import main
from training_job.feature_cache import FeatureCache
from training_job.lake_store import S3Lake
from training_job.seed import main as seed
from training_job.versioned_lake import VersionedLake

VIEWS = ("original", "flipped")


def photo(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


PHOTOS = {lake.sha256_hex(photo(number)): photo(number) for number in range(3)}
ERASED, *OTHERS = PHOTOS


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    with moto_lake(monkeypatch, tmp_path) as client:
        yield client


@pytest.fixture
def caches(s3: Any, tiny_spec: BackboneSpec) -> list[FeatureCache]:
    return [FeatureCache(S3Lake(BUCKET), tiny_spec, view) for view in VIEWS]


@pytest.fixture
def full_lake(s3: Any, caches: list[FeatureCache], tiny_spec: BackboneSpec, tmp_path: Path) -> Any:
    """Three photos with rows, labels, features of two views; one shown on a run's sheet.

    The photo to be erased was overwritten and deleted once; so was a shard that names it.
    """
    for number, content in enumerate(PHOTOS.values()):
        file = tmp_path / "set" / ("cat" if number else "not_cat") / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    assert seed([str(tmp_path / "set")]) == 0
    vectors = {
        name: np.full(tiny_spec.embedding_dim, number, np.float16)
        for number, name in enumerate(PHOTOS)
    }
    for cache in caches:
        cache.store(vectors)
    key = lake.photo_key(ERASED)
    s3.delete_object(Bucket=BUCKET, Key=key)
    s3.put_object(Bucket=BUCKET, Key=key, Body=PHOTOS[ERASED])
    (index,) = keys(s3, lake.INDEX_PREFIX)
    s3.put_object(
        Bucket=BUCKET, Key=index, Body=s3.get_object(Bucket=BUCKET, Key=index)["Body"].read()
    )
    put_sheet(s3, "run1", [ERASED])
    put_sheet(s3, "run2", OTHERS)
    return s3


def put_sheet(s3: Any, run: str, shown: list[str] | None) -> None:
    folder = f"mlflow/1/{run}/artifacts/"
    s3.put_object(
        Bucket=BUCKET, Key=f"{folder}worst_mistakes.jpg", Body=b"picture of " + run.encode()
    )
    if shown is not None:
        listed = json.dumps(shown).encode()
        s3.put_object(Bucket=BUCKET, Key=f"{folder}worst_mistakes.json", Body=listed)


def records(s3: Any) -> list[IndexRow | LabelRecord]:
    def shards(prefix: str) -> list[bytes]:
        return [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys(s3, prefix)]

    rows = [row for shard in shards(lake.INDEX_PREFIX) for row in lake.load_shard(shard, IndexRow)]
    labels = [
        label
        for shard in shards(lake.LABELS_PREFIX)
        for label in lake.load_shard(shard, LabelRecord)
    ]
    return [*rows, *labels]


def traces(s3: Any) -> list[str]:
    """Keys of all versions that still hold the erased photo or name it.

    The tombstone and the empty object in the photo's place are no traces.
    """
    found = []
    for (key, _), content in every_version(s3).items():
        if key.startswith(lake.TOMBSTONES_PREFIX):
            continue
        if (key, content) == (lake.photo_key(ERASED), lake.ERASED_PHOTO):
            continue
        plain = gzip.decompress(content) if key.endswith(".gz") else content
        if ERASED in key or ERASED.encode() in plain or PHOTOS[ERASED] in plain:
            found.append(key)
    return found


def history(s3: Any, photo: str) -> list[tuple[str, int | None]]:
    """What S3 lists at a photo's key, delete markers included, with the sizes of versions."""
    found = s3.list_object_versions(Bucket=BUCKET, Prefix=lake.photo_key(photo))
    return [
        (kind, entry.get("Size"))
        for kind in ("Versions", "DeleteMarkers")
        for entry in found.get(kind, [])
    ]


ONLY_EMPTY = [("Versions", 0)]


def send(s3: Any, content: bytes) -> str:
    """A photo as the API stores it, before anybody labelled it."""
    photo = lake.sha256_hex(content)
    s3.put_object(
        Bucket=BUCKET,
        Key=lake.photo_key(photo),
        Body=content,
        IfNoneMatch="*",
        Tagging=f"{lake.ORIGIN_TAG}={lake.ORIGIN_REQUEST}",
    )
    return photo


def tags(s3: Any, photo: str) -> list[Any]:
    answer = s3.get_object_tagging(Bucket=BUCKET, Key=lake.photo_key(photo))
    found: list[Any] = answer["TagSet"]
    return found


def test_nothing_but_the_tombstone_remains_of_an_erased_photo_in_any_version(
    full_lake: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([ERASED, "--yes"]) == 0

    assert traces(full_lake) == []
    assert history(full_lake, ERASED) == ONLY_EMPTY
    assert keys(full_lake, lake.TOMBSTONES_PREFIX) == [lake.tombstone_key(ERASED)]
    said = capsys.readouterr().out
    assert "3 versions of photos" in said
    assert "1 index rows" in said
    assert "1 label records" in said
    assert "2 feature vectors" in said
    assert "1 picture sheets" in said


def test_the_same_bytes_cannot_be_stored_again(full_lake: Any) -> None:
    main([ERASED, "--yes"])

    with pytest.raises(ClientError, match="PreconditionFailed"):
        send(full_lake, PHOTOS[ERASED])


def test_a_photo_that_only_an_unlabelled_prediction_knows_is_erased_and_its_mark_never_expires(
    full_lake: Any,
) -> None:
    sent = send(full_lake, photo(7))

    assert main([sent, "--yes"]) == 0

    assert history(full_lake, sent) == ONLY_EMPTY
    assert tags(full_lake, sent) == []
    assert lake.tombstone_key(sent) in keys(full_lake, lake.TOMBSTONES_PREFIX)


def test_a_photo_that_expired_is_erased_with_its_delete_marker(full_lake: Any) -> None:
    sent = send(full_lake, photo(7))
    full_lake.delete_object(Bucket=BUCKET, Key=lake.photo_key(sent))

    assert main([sent, "--yes"]) == 0

    assert history(full_lake, sent) == ONLY_EMPTY


def test_a_photo_that_is_sent_between_the_plan_and_the_erasing_goes_too(full_lake: Any) -> None:
    unknown = lake.sha256_hex(photo(7))

    def send_meanwhile(_: str) -> bool:
        return bool(send(full_lake, photo(7)))

    assert main([unknown, "--even-if-unknown"], ask=send_meanwhile) == 0

    assert history(full_lake, unknown) == ONLY_EMPTY


def test_other_photos_keep_their_bytes_rows_labels_features_and_sheets(
    full_lake: Any, caches: list[FeatureCache]
) -> None:
    main([ERASED, "--yes"])

    for other in OTHERS:
        stored = full_lake.get_object(Bucket=BUCKET, Key=lake.photo_key(other))["Body"].read()
        assert stored == PHOTOS[other]
    assert sorted(record.photo for record in records(full_lake)) == sorted(OTHERS * 2)
    for cache in caches:
        vectors = cache.load(list(PHOTOS))
        assert {name: vector[0] for name, vector in vectors.items()} == {OTHERS[0]: 1, OTHERS[1]: 2}
    assert "mlflow/1/run2/artifacts/worst_mistakes.jpg" in keys(full_lake)
    assert keys(full_lake, "mlflow/1/run1/") == []


def test_all_photos_at_once_leave_no_empty_shards(full_lake: Any) -> None:
    assert main([*PHOTOS, "--yes"]) == 0

    assert keys(full_lake, lake.INDEX_PREFIX) == keys(full_lake, lake.LABELS_PREFIX) == []
    assert keys(full_lake, "features/") == []


def test_erasing_twice_is_erasing_once(full_lake: Any, capsys: pytest.CaptureFixture[str]) -> None:
    main([ERASED, "--yes"])
    before = every_version(full_lake)

    assert main([ERASED, "--yes"]) == 0

    assert every_version(full_lake) == before
    said = capsys.readouterr().out
    assert "They are in 0 stored versions" in said
    assert "Nothing was left to erase" in said


def erase_as_the_api_does(s3: Any, photo: str) -> None:
    """What DELETE /predictions/{prediction_id} leaves: shards, features and sheets untouched."""
    s3.put_object(Bucket=BUCKET, Key=lake.tombstone_key(photo), Body=b"")
    s3.put_object(Bucket=BUCKET, Key=lake.photo_key(photo), Body=lake.ERASED_PHOTO)
    found = s3.list_object_versions(Bucket=BUCKET, Prefix=lake.photo_key(photo))
    for entry in [*found["Versions"], *found.get("DeleteMarkers", [])]:
        if not entry["IsLatest"]:
            s3.delete_object(Bucket=BUCKET, Key=entry["Key"], VersionId=entry["VersionId"])


def test_finish_takes_away_what_is_left_of_a_photo_that_the_api_erased(
    full_lake: Any, caches: list[FeatureCache], capsys: pytest.CaptureFixture[str]
) -> None:
    erase_as_the_api_does(full_lake, ERASED)
    assert len(traces(full_lake)) > 0
    (mark,) = [v for v in every_version(full_lake) if v[0] == lake.photo_key(ERASED)]

    assert main(["--finish", "--yes"]) == 0

    assert traces(full_lake) == []
    assert mark in every_version(full_lake)
    assert {record.photo for record in records(full_lake)} == set(OTHERS)
    assert all(cache.load(list(PHOTOS)).keys() == set(OTHERS) for cache in caches)
    said = capsys.readouterr().out
    assert "1 index rows" in said
    assert "versions of photos" not in said


def test_finish_takes_every_photo_with_a_tombstone_and_a_second_time_finds_nothing(
    full_lake: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = send(full_lake, photo(7))
    for entombed in (ERASED, OTHERS[0], sent):
        full_lake.put_object(Bucket=BUCKET, Key=lake.tombstone_key(entombed), Body=b"")

    assert main(["--finish", "--yes"]) == 0
    before = every_version(full_lake)
    capsys.readouterr()
    assert main(["--finish", "--yes"]) == 0

    assert every_version(full_lake) == before
    assert "Nothing was left to erase" in capsys.readouterr().out
    for entombed in (ERASED, OTHERS[0], sent):
        assert history(full_lake, entombed) == ONLY_EMPTY
    assert {record.photo for record in records(full_lake)} == {OTHERS[1]}


def test_finish_leaves_a_photo_whose_tombstone_was_taken_away(full_lake: Any) -> None:
    full_lake.put_object(Bucket=BUCKET, Key=lake.tombstone_key(ERASED), Body=b"")
    full_lake.delete_object(Bucket=BUCKET, Key=lake.tombstone_key(ERASED))
    before = every_version(full_lake)

    assert main(["--finish", "--yes"]) == 0

    assert every_version(full_lake) == before


def test_finish_without_tombstones_touches_nothing(
    full_lake: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    before = every_version(full_lake)

    assert main(["--finish", "--yes"]) == 0

    assert every_version(full_lake) == before
    assert "nothing to finish" in capsys.readouterr().out


def test_finish_stops_at_a_tombstone_that_names_no_photo(
    full_lake: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    full_lake.put_object(Bucket=BUCKET, Key=lake.tombstone_key("readme"), Body=b"")

    assert main(["--finish", "--yes"]) == 2

    assert "tombstones/readme names no photo" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], [ERASED, "--finish"]])
def test_photos_are_either_named_or_those_to_be_finished(
    full_lake: Any, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    before = every_version(full_lake)

    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--yes"])

    assert ended.value.code == 2
    assert "FINISH=1" in capsys.readouterr().err
    assert every_version(full_lake) == before


class Killed(BaseException):
    """As if the process had ended here."""


@pytest.mark.parametrize("last_step", range(1, 17))
def test_a_run_killed_at_any_step_is_finished_by_the_next(
    full_lake: Any,
    caches: list[FeatureCache],
    monkeypatch: pytest.MonkeyPatch,
    last_step: int,
) -> None:
    steps = 0

    def counted(step: Any) -> Any:
        def run(*arguments: Any, **more: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps > last_step:
                raise Killed
            return step(*arguments, **more)

        return run

    with monkeypatch.context() as patch:
        for name in ("write", "write_once", "delete"):
            patch.setattr(VersionedLake, name, counted(getattr(VersionedLake, name)))
        with pytest.raises(Killed):
            main([ERASED, "--yes"])
    assert keys(full_lake, lake.TOMBSTONES_PREFIX) == [lake.tombstone_key(ERASED)]

    assert main([ERASED, "--yes"]) == 0

    assert traces(full_lake) == []
    assert history(full_lake, ERASED) == ONLY_EMPTY
    named = {record.photo for record in records(full_lake)}
    assert named == set(OTHERS)
    assert all(cache.load(list(PHOTOS)).keys() == set(OTHERS) for cache in caches)


def test_a_photo_can_be_named_by_its_file(full_lake: Any, tmp_path: Path) -> None:
    assert main([str(tmp_path / "set/not_cat/0.png"), "--yes"]) == 0

    assert traces(full_lake) == []


def test_a_photo_that_the_lake_does_not_know_is_refused_without_a_trace(
    full_lake: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    before = every_version(full_lake)

    assert main([ERASED, "f" * 64, "--yes"]) == 2

    assert every_version(full_lake) == before
    assert f"does not know {'f' * 64}" in capsys.readouterr().err


def test_an_unknown_photo_gets_its_tombstone_when_asked_for(full_lake: Any) -> None:
    assert main(["F" * 64, "--yes", "--even-if-unknown"]) == 0

    assert keys(full_lake, lake.TOMBSTONES_PREFIX) == [lake.tombstone_key("f" * 64)]
    assert history(full_lake, "f" * 64) == ONLY_EMPTY
    assert len(records(full_lake)) == 6


@pytest.mark.parametrize("argument", ["abc", "g" * 64, "/no/such/file", ""])
def test_what_is_neither_a_hash_nor_a_file_is_refused(
    s3: Any, capsys: pytest.CaptureFixture[str], argument: str
) -> None:
    assert main([argument, "--yes"]) == 2
    assert "neither a SHA-256" in capsys.readouterr().err


def test_without_a_yes_nothing_is_touched(
    full_lake: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = every_version(full_lake)

    assert main([ERASED], ask=lambda _: False) == 2
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main([ERASED]) == 2

    assert every_version(full_lake) == before
    assert "YES=1" in capsys.readouterr().err


def test_a_yes_erases(full_lake: Any) -> None:
    assert main([ERASED], ask=lambda _: True) == 0

    assert traces(full_lake) == []


def test_vectors_that_lost_their_list_are_found_by_themselves(full_lake: Any) -> None:
    for key in keys(full_lake, "features/"):
        if key.endswith(".txt"):
            full_lake.delete_object(Bucket=BUCKET, Key=key)
            versions = full_lake.list_object_versions(Bucket=BUCKET, Prefix=key)
            for kind in ("Versions", "DeleteMarkers"):
                for found in versions.get(kind, []):
                    full_lake.delete_object(Bucket=BUCKET, Key=key, VersionId=found["VersionId"])

    assert main([ERASED, "--yes"]) == 0

    assert keys(full_lake, "features/") == []


def test_feature_shards_that_cannot_say_what_they_hold_go_too(
    full_lake: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    full_lake.put_object(Bucket=BUCKET, Key="features/old/view/0123.npz", Body=b"damaged")

    assert main([ERASED, "--yes"]) == 0

    assert "features/old/view/0123.npz" not in keys(full_lake)
    assert "1 damaged feature shards" in capsys.readouterr().out


def test_an_index_shard_that_cannot_be_read_is_named_and_the_rest_is_erased(
    full_lake: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    full_lake.put_object(Bucket=BUCKET, Key="index/2026-01-01/0.jsonl.gz", Body=b"damaged")

    assert main([ERASED, "--yes"]) == 1

    assert "index/2026-01-01/0.jsonl.gz cannot be read" in capsys.readouterr().err
    assert history(full_lake, ERASED) == ONLY_EMPTY
    assert ERASED not in {
        record.photo
        for key in keys(full_lake, lake.LABELS_PREFIX)
        for record in lake.load_shard(
            full_lake.get_object(Bucket=BUCKET, Key=key)["Body"].read(), LabelRecord
        )
    }


def test_sheets_that_do_not_say_whom_they_show_are_named(
    full_lake: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    put_sheet(full_lake, "run3", None)

    assert main([ERASED, "--yes"]) == 0

    assert "look at them: run3" in capsys.readouterr().out
    assert "mlflow/1/run3/artifacts/worst_mistakes.jpg" in keys(full_lake)


def test_seeding_leaves_an_erased_photo_out_and_says_so(
    full_lake: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([ERASED, "--yes"])

    assert seed([str(tmp_path / "set")]) == 0

    assert "1 photos stay out: they were erased" in capsys.readouterr().out
    assert traces(full_lake) == []


def test_an_mlflow_that_does_not_answer_makes_the_erasing_incomplete(
    full_lake: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    assert main([ERASED, "--yes"]) == 1

    assert "start it and run the same command again" in capsys.readouterr().err
    assert traces(full_lake) == []


def test_a_training_under_way_is_told(
    full_lake: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(erasing, "running_trainings", lambda _endpoints: ["execution-7"])

    main([ERASED, "--yes"])

    assert "A training is under way (execution-7)" in capsys.readouterr().out


def test_without_a_lake_the_remedy_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("LAKE_BUCKET", raising=False)

    assert main([ERASED, "--yes"]) == 2
    assert "make up" in capsys.readouterr().err
