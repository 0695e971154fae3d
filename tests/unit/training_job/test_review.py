"""Labels that wait for a person: what is shown, and what a decision leaves in the lake."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from areyouacat.lake import (
    HeldLabel,
    LabelRecord,
    dump_shard,
    held_shard_key,
    label_shard_key,
    load_shard,
    photo_key,
    tombstone_key,
)
from areyouacat.review_queue import Decision, ReviewQueue, ReviewQueueError, chosen
from tests.unit.training_job.folder_lake import FolderLake
from training_job import review

A, B = "a" * 64, "b" * 64
NOON = "2026-11-20T12:00:00.000000Z"
LATER = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> FolderLake:
    return FolderLake(tmp_path / "lake")


def hold(lake: FolderLake, *held: HeldLabel) -> None:
    shard = dump_shard(held)
    lake.write(held_shard_key("2026-11-20", shard), shard)


def held(photo: str, label: str = "cat", at: str = NOON, reason: str = "waits") -> HeldLabel:
    return HeldLabel(photo, label, f"prediction/{photo[:4]}", at, reason)


def say(lake: FolderLake, photo: str, label: str, source: str, at: str = NOON) -> None:
    shard = dump_shard([LabelRecord(photo, label, source, "who", at)])
    lake.write(label_shard_key("2026-11-20", shard), shard)


def decide(
    lake: FolderLake, approved: Sequence[HeldLabel] = (), rejected: Sequence[HeldLabel] = ()
) -> None:
    ReviewQueue(lake).decide(Decision(tuple(approved), tuple(rejected), "ada", LATER))


def test_each_photo_waits_once_with_its_latest_label(lake: FolderLake) -> None:
    hold(lake, held(A, "cat"))
    hold(lake, held(A, "not_cat", "2026-11-20T13:00:00.000000Z"), held(B))

    waiting = ReviewQueue(lake).waiting()

    assert [(one.photo, one.label) for one in waiting] == [(B, "cat"), (A, "not_cat")]


def test_what_is_approved_is_a_label_of_that_person_and_waits_no_more(lake: FolderLake) -> None:
    hold(lake, held(A), held(B))

    decide(lake, approved=[held(A)])

    assert [one.photo for one in ReviewQueue(lake).waiting()] == [B]
    (key,) = lake.list_keys("labels/2026-11-21/")
    assert list(load_shard(lake.read(key), LabelRecord)) == [
        LabelRecord(A, "cat", "review", "ada", "2026-11-21T12:00:00.000000Z")
    ]


def test_what_is_rejected_waits_no_more_and_teaches_nothing(lake: FolderLake) -> None:
    hold(lake, held(A))

    decide(lake, rejected=[held(A)])

    assert ReviewQueue(lake).waiting() == []
    assert list(lake.list_keys("labels/")) == []


def test_what_somebody_says_after_a_rejection_waits_again(lake: FolderLake) -> None:
    hold(lake, held(A))
    decide(lake, rejected=[held(A)])

    hold(lake, held(A, "not_cat", "2026-11-22T12:00:00.000000Z"))

    assert [one.label for one in ReviewQueue(lake).waiting()] == ["not_cat"]


def test_a_label_that_the_lake_has_by_now_waits_for_nobody(lake: FolderLake) -> None:
    hold(lake, held(A))
    say(lake, A, "cat", "feedback")

    assert ReviewQueue(lake).waiting() == []


def test_a_label_against_the_lakes_own_waits(lake: FolderLake) -> None:
    hold(lake, held(A, "not_cat"))
    say(lake, A, "cat", "seed")

    assert [one.photo for one in ReviewQueue(lake).waiting()] == [A]


def test_an_erased_photo_waits_for_nobody(lake: FolderLake) -> None:
    hold(lake, held(A))
    lake.write(tombstone_key(A), b"{}")

    assert ReviewQueue(lake).waiting() == []


def test_photos_are_named_by_the_beginning_of_their_hash() -> None:
    waiting = [held(A), held(B)]

    assert chosen(waiting, ["aaa"]) == (held(A),)
    assert chosen(waiting, ["all"]) == (held(A), held(B))
    with pytest.raises(ReviewQueueError, match="'ccc'"):
        chosen(waiting, ["ccc"])


def test_a_damaged_shard_is_named(lake: FolderLake) -> None:
    lake.write("reviews/held/2026-11-20/x.jsonl.gz", b"no gzip")

    with pytest.raises(ReviewQueueError, match=r"reviews/held/2026-11-20/x\.jsonl\.gz"):
        ReviewQueue(lake).waiting()


def test_the_command_lists_reasons_and_draws_the_photos(
    lake: FolderLake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hold(lake, held(A, reason="people <disagree>"), held(B, reason="waits"))
    photo = io.BytesIO()
    Image.new("RGB", (300, 200), "green").save(photo, "PNG")
    lake.write(photo_key(A), photo.getvalue())
    page = tmp_path / "review.html"

    assert review.main(["--page", str(page)], ReviewQueue(lake)) == 0

    assert "1  people <disagree>" in capsys.readouterr().out
    drawn = page.read_text()
    assert drawn.count("<figure>") == 2
    assert drawn.count("data:image/jpeg;base64,") == 1  # the other photo is gone
    assert "people &lt;disagree&gt;" in drawn


def test_the_command_approves_and_rejects(
    lake: FolderLake, capsys: pytest.CaptureFixture[str]
) -> None:
    hold(lake, held(A), held(B))

    assert review.main(["--approve", "aaaa", "--reject", "bbbb"], ReviewQueue(lake)) == 0

    assert "Approved: 1, rejected: 1" in capsys.readouterr().out
    assert ReviewQueue(lake).waiting() == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--approve", "cccc"], "no held label waits"),
        (["--approve", "all", "--reject", "aaaa"], "approved and rejected at once: aaaaaaaaaa"),
    ],
)
def test_a_decision_that_makes_no_sense_changes_nothing(
    lake: FolderLake, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    hold(lake, held(A))

    assert review.main(arguments, ReviewQueue(lake)) == 2

    assert problem in capsys.readouterr().err
    assert len(ReviewQueue(lake).waiting()) == 1
