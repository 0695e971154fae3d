"""The predictions that a benchmark puts into a table."""

from datetime import UTC, datetime

from boto3.dynamodb.types import TypeDeserializer

from areyouacat.predictions import PREDICTED_BUCKET, TTL_ATTRIBUTE, PredictionItem, time_bucket
from areyouacat.settings import UNSURE
from benchmarks.stored_predictions import WINDOW, Item, items

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROWS = 2_500


def made() -> list[Item]:
    return list(items(ROWS, NOW, "4", ["a" * 64, "b" * 64]))


def read(item: Item) -> PredictionItem:
    values = {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
    return PredictionItem.from_item(values)


def test_each_is_a_prediction_of_its_own_in_the_day_and_in_its_partition() -> None:
    found = [read(item) for item in made()]

    assert len({one.prediction.prediction_id for one in found}) == ROWS
    for one, item in zip(found, made(), strict=True):
        assert NOW - WINDOW <= one.prediction.predicted_at < NOW
        bucket = time_bucket(one.prediction.predicted_at, one.prediction.prediction_id)
        assert item[PREDICTED_BUCKET] == {"S": bucket}
        assert one.prediction.model_version == "4"


def test_one_in_a_hundred_has_a_label_and_does_not_expire() -> None:
    for item in made():
        assert (read(item).feedback is None) == (TTL_ATTRIBUTE in item)
    assert sum(read(item).feedback is not None for item in made()) == ROWS // 100


def test_some_are_hard_to_tell() -> None:
    unsure = sum(read(item).prediction.verdict == UNSURE for item in made())

    assert 0 < unsure < ROWS // 5
