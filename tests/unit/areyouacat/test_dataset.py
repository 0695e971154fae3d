"""A data set version follows from the lake alone."""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, replace
from typing import Any

import pytest

from areyouacat import dataset_builder
from areyouacat.columns import IndexColumns, LabelColumns, photo_names
from areyouacat.dataset import Dataset, ManifestEntry, read_manifest, read_reference_inputs
from areyouacat.drift_features import input_features
from areyouacat.errors import (
    ConflictingLabelsError,
    EmptyLakeError,
    ImbalancedLabelsError,
    MissingLabelError,
    TooFewPhotosError,
)
from areyouacat.lake import FEEDBACK_SOURCE, IndexRow, LabelRecord
from areyouacat.settings import DATASET, LABELS

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


def build_dataset(
    rows: Iterable[IndexRow],
    labels: Iterable[LabelRecord],
    erased: Collection[str] = (),
    **options: Any,
) -> Dataset:
    return dataset_builder.build_dataset(
        IndexColumns(rows).first(), LabelColumns(labels).latest(), erased, **options
    )


def entries(dataset: Dataset) -> list[ManifestEntry]:
    return list(read_manifest(b"".join(dataset.manifest()).splitlines()))


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

    before = {e.photo: e.split for e in entries(build_dataset(rows, labels))}
    after = {
        e.photo: e.split for e in entries(build_dataset(rows + more_rows, labels + more_labels))
    }

    assert {photo: after[photo] for photo in before} == before


def test_the_latest_label_wins() -> None:
    rows, labels = lake(60)
    changed = label(rows[0], LABELS.negative, "feedback", DAY_2)

    dataset = build_dataset(rows, [changed, *labels])

    found = next(e for e in entries(dataset) if e.photo == rows[0].photo)
    assert (found.label, found.labelled_by) == (LABELS.negative, "feedback")


def test_a_relabelled_seed_photo_stays_in_its_split() -> None:
    rows, labels = lake(60)
    before = {e.photo: e.split for e in entries(build_dataset(rows, labels))}
    changed = [label(r, LABELS.negative, "feedback", DAY_2) for r in rows]
    changed[1:3] = [label(r, LABELS.positive, "feedback", DAY_2) for r in rows[1:3]]

    after = {e.photo: e.split for e in entries(build_dataset(rows, labels + changed))}

    assert after == before


def test_photos_from_feedback_go_to_train_and_recent_only() -> None:
    rows, labels = lake(60)
    fresh = [row(number, FEEDBACK_SOURCE, DAY_2) for number in range(500, 700)]
    said = [label(r, LABELS.positive, "feedback", DAY_2) for r in fresh]

    dataset = build_dataset(rows + fresh, labels + said)

    splits = {e.split for e in entries(dataset) if e.source == FEEDBACK_SOURCE}
    assert splits == {"train", "recent"}


def test_look_alikes_stand_on_one_side() -> None:
    rows, labels = lake(60)
    copies = [
        replace(row(number + 5000, at=DAY_2), perceptual_hash=r.perceptual_hash)
        for number, r in enumerate(rows)
    ]

    dataset = build_dataset(rows + copies, labels + [label(c, LABELS.positive) for c in copies])

    by_photo = {e.photo: e for e in entries(dataset)}
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

    assert len(dataset) == len(entries(dataset)) == 120


def test_a_manifest_is_json_lines_with_sorted_keys_in_the_order_of_the_photos() -> None:
    rows, labels = lake(3000)
    rows[0] = replace(rows[0], source='a "folder"\nwith é', width=10, brightness=0.0)

    manifest = b"".join(build_dataset(rows, labels).manifest())

    found = list(read_manifest(manifest.splitlines()))
    assert manifest == b"".join(
        json.dumps(asdict(entry), sort_keys=True).encode() + b"\n" for entry in found
    )
    assert [e.photo for e in found] == sorted(r.photo for r in rows)
    special = next(e for e in found if e.photo == rows[0].photo)
    assert (special.source, special.slices) == (rows[0].source, ("dark", "small"))


def test_a_summary_counts_what_the_manifest_holds() -> None:
    rows, labels = lake(60)
    rows[0] = replace(rows[0], width=10, brightness=0.0)
    rows[1] = replace(rows[1], brightness=0.0)
    changed = label(rows[2], LABELS.negative, "review", DAY_2)

    dataset = build_dataset(rows, [*labels, changed])

    summary = dataset.summary()
    manifest = b"".join(dataset.manifest())
    assert summary["manifest_sha256"] == hashlib.sha256(manifest).hexdigest()
    assert summary["photos"] == sum(sum(c.values()) for c in summary["counts"].values()) == 120
    assert summary["labelled_by"] == {"review": 1, "seed": 119}
    assert summary["sources"] == {"seeded": 120}
    assert summary["slices"] == {"dark": 2, "small": 1}
    assert summary["near_duplicates"] == 0
    assert summary["overruled_labels"] == {"photos": 1, "examples": [rows[2].photo]}
    assert summary["erased"] == 0


def test_the_reference_is_of_train_and_validation_and_says_how_its_photos_are() -> None:
    rows, labels = lake(60)
    rows[0] = replace(rows[0], brightness=0.75, width=4000)

    dataset = build_dataset(rows, labels)
    found = read_reference_inputs(dataset.reference_inputs())

    learnt = [e.photo for e in entries(dataset) if e.split in {"train", "validation"}]
    assert list(found) == sorted(learnt)
    by_photo = {one.photo: one for one in rows}
    for photo, inputs in found.items():
        assert inputs == pytest.approx(input_features(by_photo[photo]), rel=1e-6)


def test_a_reference_is_bounded_and_hardly_changes_as_the_lake_grows() -> None:
    small, large = (build_dataset(*lake(number)) for number in (300, 310))

    first, second = (set(read_reference_inputs(d.reference_inputs(50))) for d in (small, large))

    assert len(first) == len(second) == 50
    assert len(first & second) > 40
    assert not read_reference_inputs(small.reference_inputs(0))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"photo\n",
        b"photo,brightness,contrast,sharpness,size,aspect\nab,1,2\n",
        b"photo,brightness,contrast,sharpness,size,aspect\nab,1,2,3,4,dark\n",
        b"\xff",
    ],
)
def test_what_is_no_reference_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"reference_inputs|convert|decode"):
        read_reference_inputs(data)


def test_a_manifest_without_slices_is_read_too() -> None:
    line = (
        b'{"group":"a","label":"cat","labelled_by":"seed","photo":"a","source":"s","split":"test"}'
    )

    assert next(read_manifest([line])).slices == ()


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b'{"photo": "a", "lable": "cat"}', b"\xff"])
def test_a_line_that_is_no_entry_is_refused(line: bytes) -> None:
    with pytest.raises((ValueError, TypeError)):
        list(read_manifest([line]))


def test_look_alikes_with_both_labels_are_listed_in_pairs() -> None:
    rows, labels = lake(60)
    twin = replace(row(5000, at=DAY_2), perceptual_hash=rows[0].perceptual_hash)
    triplet = replace(row(5001, at=DAY_2), perceptual_hash=rows[0].perceptual_hash)
    harmless = replace(row(5002, at=DAY_2), perceptual_hash=rows[1].perceptual_hash)

    found = build_dataset(
        [*rows, twin, triplet, harmless],
        [
            *labels,
            label(twin, LABELS.positive),
            label(triplet, LABELS.negative),
            label(harmless, LABELS.negative),
        ],
    ).summary()

    assert found["near_duplicates"] == 3
    (pair,) = found["look_alikes"].pop("examples")
    assert pair[0] in {rows[0].photo, twin.photo}
    assert pair[1] == triplet.photo
    assert found["look_alikes"] == {
        "groups": 2,
        "photos": 5,
        "largest_group": 3,
        "with_both_labels": 1,
    }


def test_at_most_ten_pairs_of_look_alikes_are_listed() -> None:
    rows, labels = lake(60)
    twins = [replace(row(5000 + n), perceptual_hash=r.perceptual_hash) for n, r in enumerate(rows)]
    opposite = [label(t, LABELS.all[(n + 1) % 2]) for n, t in enumerate(twins)]

    found = build_dataset(rows + twins, labels + opposite).summary()["look_alikes"]

    assert found["with_both_labels"] == 120
    assert len(found["examples"]) == 10


def test_an_erased_photo_is_in_no_data_set_and_is_counted() -> None:
    rows, labels = lake(60)

    dataset = build_dataset(rows, labels, erased={rows[0].photo, row(9000).photo})

    assert rows[0].photo not in {e.photo for e in entries(dataset)}
    assert len(dataset) == 119
    assert dataset.summary()["erased"] == 2


def test_an_erased_founder_leaves_its_look_alikes_to_the_next() -> None:
    rows, labels = lake(60)
    twin = replace(row(5000, at=DAY_2), perceptual_hash=rows[0].perceptual_hash)

    dataset = build_dataset(
        [*rows, twin], [*labels, label(twin, LABELS.positive)], erased=[rows[0].photo]
    )

    assert next(e for e in entries(dataset) if e.photo == twin.photo).group == twin.photo


def test_what_was_said_about_an_erased_photo_no_longer_matters() -> None:
    rows, labels = lake(60)
    said = [label(rows[0], "dog", at=DAY_2), label(rows[1], LABELS.positive)]

    dataset = build_dataset(rows, [*labels, *said], erased=[rows[0].photo, rows[1].photo])

    assert len(dataset) == 118


def test_an_erased_photo_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not a photo"):
        build_dataset(*lake(60), erased=["ABCD" * 16])


def test_a_photo_indexed_twice_counts_once_by_its_first_row() -> None:
    rows, labels = lake(60)
    again = [replace(r, source="again", ingested_at=DAY_2) for r in rows]

    dataset = build_dataset([*again, *rows], labels)

    assert dataset.summary()["sources"] == {"seeded": 120}


def test_photos_without_features_are_those_in_no_list() -> None:
    rows, labels = lake(60)
    dataset = build_dataset(rows, labels)
    lists = [bytes.fromhex(r.photo) for r in rows[:100]] + [bytes.fromhex(row(7777).photo), b""]

    missing = photo_names(dataset.photos[dataset.missing(lists)])

    assert missing == sorted(r.photo for r in rows[100:])


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

    assert next(e for e in entries(dataset) if e.photo == rows[0].photo).label == LABELS.negative


def test_a_label_that_settings_do_not_know_is_refused() -> None:
    rows, labels = lake(60)

    with pytest.raises(ConflictingLabelsError, match="dog"):
        build_dataset(rows, [*labels, label(rows[0], "dog", at=DAY_2)])


def test_many_conflicts_are_counted_and_ten_are_named() -> None:
    rows, labels = lake(60)

    with pytest.raises(ConflictingLabelsError, match=r"120 photos carry both") as caught:
        build_dataset(rows, labels + [label(r, LABELS.all[n % 2 - 1]) for n, r in enumerate(rows)])

    assert sum(r.photo in str(caught.value) for r in rows) == 10


def test_labels_that_differ_in_time_are_no_conflict() -> None:
    rows, labels = lake(60)
    earlier = [label(r, LABELS.negative, at="2025-01-01T00:00:00.000000Z") for r in rows]

    summary = build_dataset(rows, earlier + labels).summary()

    assert summary["overruled_labels"]["photos"] == 60


def test_far_more_of_one_label_is_named_with_how_many_are_enough() -> None:
    rows, labels = lake(60)
    more = [row(number) for number in range(1000, 1000 + 50 * 60)]
    said = [label(r, LABELS.positive) for r in more]

    with pytest.raises(ImbalancedLabelsError, match=r"more than 50 to one.*62 are enough"):
        build_dataset(rows + more, labels + said)


def test_the_limit_of_imbalance_itself_is_allowed() -> None:
    rows, labels = lake(60)
    more = [row(number) for number in range(1000, 1000 + 49 * 60)]

    dataset = build_dataset(rows + more, labels + [label(r, LABELS.positive) for r in more])

    assert dataset.mode == "trained"


def test_imbalance_does_not_stop_a_bootstrap() -> None:
    rows = [row(number) for number in range(3000)]
    labels = [label(r, LABELS.all[n > 0]) for n, r in enumerate(rows)]

    assert build_dataset(rows, labels).mode == "bootstrap"


def test_look_alikes_that_all_fall_on_one_side_are_too_few_photos() -> None:
    rows, labels = lake(60)
    alike = [
        replace(r, perceptual_hash="f" * 16) if n % 2 else r  # every negative one
        for n, r in enumerate(rows)
    ]

    with pytest.raises(TooFewPhotosError, match=rf"has 0 of '{LABELS.negative}'.*60 of 120"):
        build_dataset(alike, labels)


def test_photos_from_feedback_alone_leave_nothing_to_judge_by() -> None:
    rows, labels = lake(60)
    fresh = [replace(r, source=FEEDBACK_SOURCE) for r in rows]

    with pytest.raises(TooFewPhotosError, match="test has 0 of"):
        build_dataset(fresh, labels)


def test_a_split_with_just_enough_photos_passes() -> None:
    rows, labels = lake(60)
    counts = build_dataset(rows, labels).counts()
    fewest = min(counts[s][name] for s in ("train", "validation", "test") for name in LABELS.all)

    just = replace(DATASET, min_photos_per_split=fewest)
    assert build_dataset(rows, labels, rules=just).mode == "trained"
    with pytest.raises(TooFewPhotosError, match=f"needs {fewest + 1} photos"):
        build_dataset(rows, labels, rules=replace(just, min_photos_per_split=fewest + 1))


def test_few_photos_of_labels_that_the_backbone_does_not_know_are_too_few() -> None:
    rows, labels = lake(20)

    with pytest.raises(TooFewPhotosError, match="50 photos of each are needed"):
        build_dataset(rows, labels, prior={})
