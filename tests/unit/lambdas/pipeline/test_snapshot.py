import gzip
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from areyouacat.dataset import ManifestEntry, read_manifest, read_reference_inputs
from areyouacat.errors import (
    DatasetError,
    EmptyLakeError,
    MissingLabelError,
    UnreadableShardError,
)
from areyouacat.lake import (
    HeldLabel,
    dump_shard,
    features_prefix,
    index_shard_key,
    label_shard_key,
    load_shard,
    photo_key,
    tombstone_key,
)
from areyouacat.predictions import PredictionItem
from areyouacat.settings import BACKBONE
from lambdas.pipeline.logic.snapshot import FIRST_LOOK_BACK, OVERLAP, Snapshot, snapshot
from tests.unit.lambdas.pipeline.factories import (
    NOON,
    index_row,
    label_record,
    labelled_item,
    photo_hash,
)
from tests.unit.lambdas.pipeline.fakes import MemoryLake

FEATURES = features_prefix(BACKBONE.hash)


class MemoryFeedback:
    """Feedback in memory; remembers what it was asked for."""

    def __init__(self, *items: PredictionItem) -> None:
        self.items = list(items)
        self.asked: list[tuple[datetime, datetime]] = []

    def labelled_between(self, start: datetime, end: datetime) -> Iterable[PredictionItem]:
        self.asked.append((start, end))
        return [i for i in self.items if i.feedback and start <= i.feedback.at <= end]


class MemoryWatermark:
    def __init__(self, up_to: datetime | None = None) -> None:
        self.up_to = up_to

    def feedback_watermark(self) -> datetime | None:
        return self.up_to

    def move_feedback_watermark(self, up_to: datetime) -> None:
        self.up_to = up_to


NOTHING_NEW = (MemoryFeedback(), MemoryWatermark())


def manifest(lake: MemoryLake, made: Snapshot) -> list[ManifestEntry]:
    lines = lake.objects[f"datasets/{made.version}/manifest.jsonl"].splitlines()
    return list(read_manifest(lines))


def seeded_lake(**labels: str) -> MemoryLake:
    index = dump_shard(index_row(name) for name in labels)
    records = dump_shard(label_record(name, label) for name, label in labels.items())
    day = "2026-11-20"
    return MemoryLake({index_shard_key(day, index): index, label_shard_key(day, records): records})


@pytest.fixture
def lake() -> MemoryLake:
    lake = seeded_lake(tom="cat", felix="cat", rock="not_cat")
    lake.objects[photo_key(photo_hash("new"))] = b"sent to the API, and labelled"
    return lake


def test_the_lake_becomes_a_data_set_version_named_by_its_content(lake: MemoryLake) -> None:
    made = snapshot(lake, MemoryFeedback(), MemoryWatermark(), NOON)

    assert made.mode == "bootstrap"
    assert made.dataset_s3_uri == f"s3://lake/datasets/{made.version}/"
    assert made.manifest_sha256.startswith(made.version)
    entries = manifest(lake, made)
    assert {entry.photo: entry.label for entry in entries} == {
        photo_hash("tom"): "cat",
        photo_hash("felix"): "cat",
        photo_hash("rock"): "not_cat",
    }
    assert json.loads(lake.objects[made.summary_key])["counts"] == made.counts
    inputs = read_reference_inputs(lake.objects[f"datasets/{made.version}/reference_inputs.csv"])
    assert set(inputs) == {e.photo for e in entries if e.split in {"train", "validation"}}


def test_a_repetition_gives_the_same_version_and_adds_nothing(lake: MemoryLake) -> None:
    feedback = MemoryFeedback(labelled_item("new"))
    watermark = MemoryWatermark()
    first = snapshot(lake, feedback, watermark, NOON)
    objects = dict(lake.objects)

    second = snapshot(lake, feedback, watermark, NOON)

    assert second.version == first.version
    assert lake.objects == objects


def test_new_feedback_is_in_the_data_set(lake: MemoryLake) -> None:
    feedback = MemoryFeedback(labelled_item("new", said="not_cat"))

    made = snapshot(lake, feedback, MemoryWatermark(), NOON)

    entries = manifest(lake, made)
    (entry,) = [entry for entry in entries if entry.photo == photo_hash("new")]
    assert (entry.label, entry.source) == ("not_cat", "feedback")
    assert entry.split in {"train", "recent"}
    assert made.feedback_labels == 1
    assert len(made.taken_over.labels) == 1


def test_feedback_taken_over_before_stays_in_the_data_set(lake: MemoryLake) -> None:
    watermark = MemoryWatermark()
    snapshot(lake, MemoryFeedback(labelled_item("new")), watermark, NOON)

    later = snapshot(lake, MemoryFeedback(), watermark, NOON + timedelta(days=30))

    assert later.feedback_labels == 1
    assert len(later.taken_over.labels) == 0


def test_where_a_person_has_to_approve_new_feedback_is_held_and_teaches_nothing(
    lake: MemoryLake,
) -> None:
    watermark = MemoryWatermark()

    made = snapshot(lake, MemoryFeedback(labelled_item("new")), watermark, NOON, approval=True)

    assert (len(made.taken_over.labels), made.taken_over.held) == (0, 1)
    assert made.feedback_labels == 0
    (key,) = [key for key in lake.objects if key.startswith("reviews/held/2026-11-20/")]
    (held,) = load_shard(lake.objects[key], HeldLabel)
    assert (held.photo, held.label, held.reason) == (
        photo_hash("new"),
        "cat",
        "waits for a person's approval",
    )


def test_what_a_person_approves_is_in_the_next_data_set(lake: MemoryLake) -> None:
    watermark = MemoryWatermark()
    snapshot(lake, MemoryFeedback(labelled_item("new")), watermark, NOON, approval=True)
    approved = dump_shard([replace(label_record("new", "cat"), source="review")])
    lake.objects[label_shard_key("2026-11-21", approved)] = approved

    made = snapshot(lake, MemoryFeedback(), watermark, NOON + timedelta(days=1), approval=True)

    (entry,) = [entry for entry in manifest(lake, made) if entry.photo == photo_hash("new")]
    assert (entry.label, entry.source, entry.labelled_by) == ("cat", "feedback", "review")
    assert entry.split in {"train", "recent"}


def test_feedback_is_asked_for_from_a_little_before_the_watermark(lake: MemoryLake) -> None:
    feedback = MemoryFeedback()
    watermark = MemoryWatermark(NOON - timedelta(days=2))

    snapshot(lake, feedback, watermark, NOON)

    assert feedback.asked == [(NOON - timedelta(days=2) - OVERLAP, NOON)]
    assert watermark.up_to == NOON


def test_the_first_snapshot_looks_back_some_days(lake: MemoryLake) -> None:
    feedback = MemoryFeedback()

    snapshot(lake, feedback, MemoryWatermark(), NOON)

    assert feedback.asked == [(NOON - FIRST_LOOK_BACK, NOON)]


def test_an_interrupted_snapshot_leaves_the_watermark(lake: MemoryLake) -> None:
    feedback = MemoryFeedback(labelled_item("new"))
    watermark = MemoryWatermark()
    version = snapshot(lake, feedback, watermark, NOON).version
    watermark.up_to = None
    lake.fails_at = f"datasets/{version}/channel.manifest"

    with pytest.raises(ConnectionError):
        snapshot(lake, feedback, watermark, NOON)

    assert watermark.up_to is None


def channel(lake: MemoryLake, uri: str) -> list[object]:
    parsed: list[object] = json.loads(lake.objects[lake.key(uri)])
    return parsed


def test_the_channel_names_only_photos_whose_features_are_missing(lake: MemoryLake) -> None:
    lake.objects[f"{FEATURES}one.txt"] = f"{photo_hash('tom')}\n{photo_hash('rock')}\n".encode()
    lake.objects[f"{FEATURES}one.npz"] = b"vectors"

    made = snapshot(lake, MemoryFeedback(), MemoryWatermark(), NOON)

    assert made.missing_features == 1
    assert channel(lake, made.channel_manifest_s3_uri) == [
        {"prefix": "s3://lake/"},
        photo_key(photo_hash("felix")),
    ]


def test_the_features_of_another_backbone_do_not_count(lake: MemoryLake) -> None:
    lake.objects["features/another/one.txt"] = photo_hash("tom").encode()

    assert snapshot(lake, MemoryFeedback(), MemoryWatermark(), NOON).missing_features == 3


def test_the_channel_is_never_empty(lake: MemoryLake) -> None:
    names = "\n".join(photo_hash(name) for name in ("tom", "felix", "rock"))
    lake.objects[f"{FEATURES}all.txt"] = names.encode()

    made = snapshot(lake, MemoryFeedback(), MemoryWatermark(), NOON)

    assert made.missing_features == 0
    assert len(channel(lake, made.channel_manifest_s3_uri)) == 2


def test_an_empty_lake_stops_with_a_remedy() -> None:
    with pytest.raises(EmptyLakeError, match="make seed"):
        snapshot(MemoryLake(), MemoryFeedback(), MemoryWatermark(), NOON)


def test_one_label_alone_stops_with_the_missing_one_named() -> None:
    with pytest.raises(MissingLabelError, match="not_cat"):
        snapshot(seeded_lake(tom="cat"), MemoryFeedback(), MemoryWatermark(), NOON)


def rewritten(**changes: object) -> bytes:
    values = {**index_row("x").to_dict(), **changes}
    return gzip.compress(json.dumps(values).encode())


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x1f\x8b",
        b"not gzip",
        dump_shard([index_row("x")])[:-9],
        gzip.compress(b"{"),
        gzip.compress(b"[]"),
        gzip.compress(b"7"),
        gzip.compress(b"\xff"),
        dump_shard([label_record("x", "cat")]),
        rewritten(photo="short"),
        rewritten(perceptual_hash=None),
        rewritten(ingested_at="yesterday"),
        rewritten(ingested_at=None),
        rewritten(source=["a"]),
        rewritten(width="wide"),
    ],
)
def test_a_damaged_shard_stops_with_its_key(lake: MemoryLake, damage: bytes) -> None:
    lake.objects["index/2026-11-21/bad.jsonl.gz"] = damage

    with pytest.raises(UnreadableShardError, match=r"1 of the lake's 2 shards.*11-21/bad\.jsonl"):
        snapshot(lake, MemoryFeedback(), MemoryWatermark(), NOON)


def test_damaged_label_shards_are_counted_and_ten_are_named(lake: MemoryLake) -> None:
    for number in range(12):
        lake.objects[f"labels/2026-11-21/bad{number:02d}.jsonl.gz"] = b"damage"

    with pytest.raises(UnreadableShardError, match=r"12 of the lake's 13 shards.*bad09.*…") as told:
        snapshot(lake, MemoryFeedback(), MemoryWatermark(), NOON)

    assert "bad10" not in str(told.value)


def test_a_shard_that_is_deleted_while_it_is_listed_is_passed_over(lake: MemoryLake) -> None:
    expected = snapshot(lake, MemoryFeedback(), MemoryWatermark(), NOON).version
    lake.deleted_since_listed.add("index/2026-11-21/gone.jsonl.gz")

    assert snapshot(lake, MemoryFeedback(), MemoryWatermark(), NOON).version == expected


def test_many_shards_are_read_in_order_and_all() -> None:
    names = {f"photo {number}": ("cat", "not_cat")[number % 2] for number in range(40)}
    parts = [seeded_lake(**{name: label}) for name, label in names.items()]
    lake = MemoryLake({key: data for part in parts for key, data in part.objects.items()})

    made = snapshot(lake, MemoryFeedback(), MemoryWatermark(), NOON)

    assert made.version == snapshot(seeded_lake(**names), *NOTHING_NEW, NOON).version
    assert made.missing_features == 40


def test_an_erased_photo_is_left_out(lake: MemoryLake) -> None:
    lake.objects[tombstone_key(photo_hash("felix"))] = b""

    made = snapshot(lake, MemoryFeedback(), MemoryWatermark(), NOON)

    assert {entry.photo for entry in manifest(lake, made)} == {
        photo_hash("tom"),
        photo_hash("rock"),
    }
    assert json.loads(lake.objects[made.summary_key])["erased"] == 1
    assert photo_key(photo_hash("felix")) not in channel(lake, made.channel_manifest_s3_uri)


def test_feedback_on_an_erased_photo_writes_nothing(lake: MemoryLake) -> None:
    lake.objects[tombstone_key(photo_hash("new"))] = b""
    before = set(lake.objects)

    made = snapshot(lake, MemoryFeedback(labelled_item("new")), MemoryWatermark(), NOON)

    assert (len(made.taken_over.labels), made.taken_over.gone) == (0, 1)
    written = set(lake.objects) - before
    assert {key.split("/")[0] for key in written} == {"datasets"}


@pytest.mark.parametrize("bytes_left", [None, b""], ids=["expired", "erased"])
def test_feedback_on_a_photo_that_is_gone_is_counted_and_writes_nothing(
    lake: MemoryLake, bytes_left: bytes | None
) -> None:
    key = photo_key(photo_hash("new"))
    del lake.objects[key]
    if bytes_left is not None:
        lake.objects[key] = bytes_left
    before = set(lake.objects)
    watermark = MemoryWatermark()

    made = snapshot(lake, MemoryFeedback(labelled_item("new")), watermark, NOON)

    assert (len(made.taken_over.labels), made.taken_over.gone) == (0, 1)
    written = set(lake.objects) - before
    assert {key.split("/")[0] for key in written} == {"datasets"}
    assert watermark.up_to == NOON


def test_of_many_labelled_photos_those_that_are_there_are_taken_over(lake: MemoryLake) -> None:
    names = [f"photo {number}" for number in range(40)]
    for name in names[::2]:
        lake.objects[photo_key(photo_hash(name))] = b"bytes"

    made = snapshot(lake, MemoryFeedback(*map(labelled_item, names)), MemoryWatermark(), NOON)

    assert (len(made.taken_over.labels), made.taken_over.gone) == (20, 20)
    taken = {entry.photo for entry in manifest(lake, made) if entry.source == "feedback"}
    assert taken == {photo_hash(name) for name in names[::2]}


def test_a_lake_that_refuses_to_say_whether_photos_are_there_leaves_the_watermark(
    lake: MemoryLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_key: str) -> None:
        raise PermissionError("no right to ask")

    monkeypatch.setattr(lake, "size", refuse)
    watermark = MemoryWatermark()

    with pytest.raises(PermissionError):
        snapshot(lake, MemoryFeedback(labelled_item("new")), watermark, NOON)

    assert watermark.up_to is None


@pytest.mark.parametrize("name", ["", "readme", "A" * 64])
def test_a_tombstone_that_names_no_photo_stops_with_its_key(lake: MemoryLake, name: str) -> None:
    lake.objects[f"tombstones/{name}"] = b""

    with pytest.raises(DatasetError, match=f"tombstones/{name} names no photo"):
        snapshot(lake, MemoryFeedback(), MemoryWatermark(), NOON)


@pytest.mark.parametrize("damage", [b"\xff\xfe", b"no hash", photo_hash("tom")[:-1].encode()])
def test_a_damaged_feature_list_counts_as_not_stored(lake: MemoryLake, damage: bytes) -> None:
    lake.objects[f"{FEATURES}bad.txt"] = damage
    lake.objects[f"{FEATURES}good.txt"] = photo_hash("rock").encode()

    assert snapshot(lake, MemoryFeedback(), MemoryWatermark(), NOON).missing_features == 2


def test_the_counts_in_the_answer_stay_small_however_many_sources_there_are() -> None:
    rows = [index_row(f"photo {n}", source=f"folder number {n}") for n in range(3000)]
    said = [label_record(f"photo {n}", ("cat", "not_cat")[n % 2]) for n in range(3000)]
    lake = MemoryLake({"index/a": dump_shard(rows), "labels/a": dump_shard(said)})

    made = snapshot(lake, MemoryFeedback(), MemoryWatermark(), NOON)

    assert made.mode == "trained"
    assert len(repr(made)) < 2_000
