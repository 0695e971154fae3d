from collections.abc import Collection, Iterable
from datetime import timedelta

from areyouacat.columns import LabelColumns
from areyouacat.lake import HeldLabel, IndexRow, LabelRecord, load_shard
from areyouacat.predictions import PredictionItem
from lambdas.pipeline.logic import feedback
from lambdas.pipeline.logic.feedback import Takeover
from lambdas.pipeline.logic.review import KnownLabels
from tests.unit.lambdas.pipeline.factories import NOON, labelled_item, photo_hash


def take_over(
    items: Iterable[PredictionItem], gone: Collection[str] = (), *, approval: bool = False
) -> Takeover:
    """Into a lake that knows no label."""
    nothing = KnownLabels(LabelColumns().latest())
    return feedback.take_over(items, nothing, gone, approval=approval)


def rows(takeover: Takeover) -> list[IndexRow]:
    shards = [data for key, data in takeover.shards.items() if key.startswith("index/")]
    return [row for shard in shards for row in load_shard(shard, IndexRow)]


def labels(takeover: Takeover) -> list[LabelRecord]:
    shards = [data for key, data in takeover.shards.items() if key.startswith("labels/")]
    found = [record for shard in shards for record in load_shard(shard, LabelRecord)]
    assert found == list(takeover.labels)
    return found


def held(takeover: Takeover) -> list[HeldLabel]:
    shards = [data for key, data in takeover.shards.items() if key.startswith("reviews/held/")]
    return [record for shard in shards for record in load_shard(shard, HeldLabel)]


def test_a_labelled_prediction_becomes_an_index_row_and_a_label() -> None:
    takeover = take_over([labelled_item("a", said="not_cat", brightness=0.125)])

    (row,) = rows(takeover)
    assert (row.photo, row.source, row.brightness) == (photo_hash("a"), "feedback", 0.125)
    assert labels(takeover) == [
        LabelRecord(
            photo=photo_hash("a"),
            label="not_cat",
            source="feedback",
            who="prediction/prediction-of-a",
            labelled_at="2026-11-20T12:00:00.000000Z",
        )
    ]


def test_each_day_has_shards_of_its_own() -> None:
    takeover = take_over(
        [labelled_item("a"), labelled_item("b", said_at=NOON + timedelta(hours=12))]
    )

    assert sorted(key.rsplit("/", 1)[0] for key in takeover.shards) == [
        "index/2026-11-20",
        "index/2026-11-21",
        "labels/2026-11-20",
        "labels/2026-11-21",
    ]


def test_a_photo_labelled_often_counts_once_by_its_latest_prediction() -> None:
    later = labelled_item("a", said_at=NOON + timedelta(minutes=1), prediction_id="second")

    takeover = take_over([later, labelled_item("a", prediction_id="first")])

    assert [record.who for record in labels(takeover)] == ["prediction/second"]


def test_a_held_photo_is_indexed_and_waits_with_label_and_reason() -> None:
    items = [
        labelled_item("a", said="cat", prediction_id="p1"),
        labelled_item("a", said="not_cat", prediction_id="p2"),
    ]

    takeover = take_over(items)

    assert takeover == take_over(reversed(items))
    assert labels(takeover) == []
    assert [row.photo for row in rows(takeover)] == [photo_hash("a")]
    assert held(takeover) == [
        HeldLabel(
            photo=photo_hash("a"),
            label="not_cat",
            who="prediction/p2",
            labelled_at="2026-11-20T12:00:00.000000Z",
            reason="people disagree: 1 say cat, 1 say not_cat",
        )
    ]
    assert takeover.held == 1


def test_the_same_items_give_the_same_shards_in_whatever_order() -> None:
    items = [labelled_item(name) for name in "abc"]

    assert take_over(items).shards == take_over(reversed(items)).shards


def test_a_label_that_settings_do_not_know_is_refused_and_named() -> None:
    takeover = take_over([labelled_item("a", said="dog"), labelled_item("b")])

    assert takeover.refused == ("prediction-of-a",)
    assert [record.photo for record in labels(takeover)] == [photo_hash("b")]


def test_no_feedback_makes_no_shards() -> None:
    assert take_over([labelled_item("a", said=None)]) == Takeover({}, (), 0, (), 0)


def test_nothing_of_a_photo_that_is_gone_is_taken_over() -> None:
    takeover = take_over([labelled_item("a"), labelled_item("b")], gone={photo_hash("a")})

    assert [row.photo for row in rows(takeover)] == [photo_hash("b")]
    assert [record.photo for record in labels(takeover)] == [photo_hash("b")]
    assert len(takeover.labels) == 1


def test_photos_that_are_gone_are_counted_once_however_often_they_were_labelled() -> None:
    items = [
        labelled_item("a", prediction_id="p1"),
        labelled_item("a", prediction_id="p2"),
        labelled_item("b", said=None),
        labelled_item("c"),
    ]

    takeover = take_over(items, gone={photo_hash("a"), photo_hash("b"), photo_hash("unheard of")})

    assert takeover.gone == 1
