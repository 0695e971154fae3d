"""A data set version follows from the lake alone."""

import hashlib
from dataclasses import replace

import pytest

from areyouacat.dataset import build_dataset, read_manifest
from areyouacat.errors import ConflictingLabelsError, EmptyLakeError, MissingLabelError
from areyouacat.lake import FEEDBACK_SOURCE, IndexRow, LabelRecord
from areyouacat.settings import LABELS

DAY_1 = "2026-01-01T00:00:00.000000Z"
DAY_2 = "2026-01-02T00:00:00.000000Z"


def row(number: int, source: str = "seeded", at: str = DAY_1) -> IndexRow:
    digest = hashlib.sha256(f"photo {number}".encode()).hexdigest()
    looks = hashlib.sha256(f"looks {number}".encode()).hexdigest()[:16]
    return IndexRow(digest, 1000, 300, 200, "JPEG", 0.5, 0.2, 0.01, looks, source, at)


def label(of: IndexRow, name: str, source: str = "seed", at: str = DAY_1) -> LabelRecord:
    return LabelRecord(of.photo, name, source, "tester", at)


def lake(per_label: int) -> tuple[list[IndexRow], list[LabelRecord]]:
    rows = [row(number) for number in range(2 * per_label)]
    labels = [label(r, LABELS.all[n % 2]) for n, r in enumerate(rows)]
    return rows, labels


def test_the_same_lake_gives_the_same_version_in_whatever_order() -> None:
    rows, labels = lake(60)

    one = build_dataset(rows, labels).summary()
    other = build_dataset(reversed(rows), reversed(labels)).summary()

    assert one == other


def test_a_new_label_gives_another_version() -> None:
    rows, labels = lake(60)
    extra = row(999)

    before = build_dataset(rows, labels).summary()["version"]
    after = build_dataset([*rows, extra], [*labels, label(extra, LABELS.positive)])

    assert after.summary()["version"] != before


def test_a_photo_keeps_its_split_when_the_lake_grows() -> None:
    rows, labels = lake(60)
    more_rows = [row(number, at=DAY_2) for number in range(1000, 1400)]
    more_labels = [label(r, LABELS.positive) for r in more_rows]

    before = {e.photo: e.split for e in build_dataset(rows, labels).entries}
    after = {
        e.photo: e.split for e in build_dataset(rows + more_rows, labels + more_labels).entries
    }

    assert {photo: after[photo] for photo in before} == before


def test_the_latest_label_wins() -> None:
    rows, labels = lake(60)
    changed = label(rows[0], LABELS.negative, "feedback", DAY_2)

    entries = build_dataset(rows, [changed, *labels]).entries

    found = next(e for e in entries if e.photo == rows[0].photo)
    assert (found.label, found.labelled_by) == (LABELS.negative, "feedback")


def test_a_relabelled_seed_photo_stays_in_its_split() -> None:
    rows, labels = lake(60)
    before = {e.photo: e.split for e in build_dataset(rows, labels).entries}
    changed = [label(r, LABELS.negative, "feedback", DAY_2) for r in rows]
    changed[1:3] = [label(r, LABELS.positive, "feedback", DAY_2) for r in rows[1:3]]

    after = {e.photo: e.split for e in build_dataset(rows, labels + changed).entries}

    assert after == before


def test_photos_from_feedback_go_to_train_and_recent_only() -> None:
    rows, labels = lake(60)
    fresh = [row(number, FEEDBACK_SOURCE, DAY_2) for number in range(500, 700)]
    said = [label(r, LABELS.positive, "feedback", DAY_2) for r in fresh]

    dataset = build_dataset(rows + fresh, labels + said)

    splits = {e.split for e in dataset.entries if e.source == FEEDBACK_SOURCE}
    assert splits == {"train", "recent"}


def test_look_alikes_stand_on_one_side() -> None:
    rows, labels = lake(60)
    copies = [
        replace(row(number + 5000, at=DAY_2), perceptual_hash=r.perceptual_hash)
        for number, r in enumerate(rows)
    ]

    dataset = build_dataset(rows + copies, labels + [label(c, LABELS.positive) for c in copies])

    by_photo = {e.photo: e for e in dataset.entries}
    for original, copy in zip(rows, copies, strict=True):
        assert by_photo[copy.photo].split == by_photo[original.photo].split
        assert by_photo[copy.photo].group == original.photo


def test_too_few_of_one_label_is_bootstrap() -> None:
    rows, labels = lake(50)

    assert build_dataset(rows, labels).mode == "trained"
    assert build_dataset(rows[1:], labels[1:]).mode == "bootstrap"


def test_unlabelled_photos_and_labels_without_photo_are_left_out() -> None:
    rows, labels = lake(60)
    unlabelled, unindexed = row(8000), row(9000)

    dataset = build_dataset([*rows, unlabelled], [*labels, label(unindexed, LABELS.positive)])

    assert len(dataset.entries) == 120


def test_the_manifest_reads_back() -> None:
    dataset = build_dataset(*lake(60))

    assert tuple(read_manifest(dataset.manifest())) == dataset.entries
    assert sum(sum(c.values()) for c in dataset.counts().values()) == 120


def test_an_empty_lake_is_named() -> None:
    with pytest.raises(EmptyLakeError, match="make seed"):
        build_dataset([], [])


def test_a_label_without_any_photo_is_named() -> None:
    rows, _ = lake(60)

    with pytest.raises(MissingLabelError, match=LABELS.negative):
        build_dataset(rows, [label(r, LABELS.positive) for r in rows])


def test_contradicting_labels_of_one_date_are_listed() -> None:
    rows, labels = lake(60)

    with pytest.raises(ConflictingLabelsError, match=rows[0].photo):
        build_dataset(rows, [*labels, label(rows[0], LABELS.negative)])


def test_a_later_label_settles_a_contradiction() -> None:
    rows, labels = lake(60)
    contradiction = label(rows[0], LABELS.negative)
    settled = label(rows[0], LABELS.negative, at=DAY_2)

    dataset = build_dataset(rows, [*labels, contradiction, settled])

    assert next(e for e in dataset.entries if e.photo == rows[0].photo).label == LABELS.negative


def test_a_label_that_settings_do_not_know_is_refused() -> None:
    rows, labels = lake(60)

    with pytest.raises(ConflictingLabelsError, match="dog"):
        build_dataset(rows, [*labels, label(rows[0], "dog", at=DAY_2)])
