"""Photos that the model was unsure about and nobody has labelled, from the predictions table."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer

from areyouacat.predictions import (
    FEEDBACK_LABEL,
    PREDICTED_BUCKET,
    PREDICTED_INDEX,
    Prediction,
    PredictionItem,
    time_buckets,
)
from areyouacat.settings import UNSURE
from ui import aws
from ui.configuration import Configuration

HOURS: Final = 72
"""How far back it looks."""
MOST: Final = 100
"""Photos that are found at once, the newest first."""
_PAGES: Final = 40
"""Answers of the table that are read at most: what a page may cost."""
NO_TABLE: Final = "The predictions table is not known. Run `make up` again, then reload this page."
_deserialize = TypeDeserializer().deserialize


class UnsurePhotos:
    """The predictions table. Calls raise `aws.AwsError`."""

    def __init__(self, configuration: Configuration, dynamodb: Any = None) -> None:
        """`dynamodb`: a boto3 client; by default the one of `configuration`."""
        if configuration.predictions_table is None:
            raise aws.AwsError(NO_TABLE)
        self._table = configuration.predictions_table
        self._dynamodb = dynamodb or aws.client(configuration, "dynamodb")

    def newest(self, now: datetime) -> tuple[Prediction, ...]:
        """The newest prediction of each photo, hour by hour backwards; by query, never by scan."""
        found: dict[str, Prediction] = {}
        left = _PAGES
        buckets = list(time_buckets(now - timedelta(hours=HOURS), now))
        for bucket in reversed(buckets):
            more: dict[str, Any] = {}
            while left > 0 and len(found) < MOST:
                page = self._page(bucket, more)
                left -= 1 if page["ScannedCount"] else 0  # an empty hour costs next to nothing
                for attributes in page["Items"]:
                    one = _prediction(attributes)
                    known = found.get(one.photo)
                    if known is None or known.predicted_at < one.predicted_at:
                        found[one.photo] = one
                if "LastEvaluatedKey" not in page:
                    break
                more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        return tuple(sorted(found.values(), key=lambda one: one.predicted_at, reverse=True))

    def _page(self, bucket: str, more: dict[str, Any]) -> dict[str, Any]:
        with aws.in_words():
            page: dict[str, Any] = self._dynamodb.query(
                TableName=self._table,
                IndexName=PREDICTED_INDEX,
                KeyConditionExpression="#bucket = :bucket",
                FilterExpression="#verdict = :unsure AND attribute_not_exists(#label)",
                ExpressionAttributeNames={
                    "#bucket": PREDICTED_BUCKET,
                    "#verdict": "verdict",
                    "#label": FEEDBACK_LABEL,
                },
                ExpressionAttributeValues={":bucket": {"S": bucket}, ":unsure": {"S": UNSURE}},
                ScanIndexForward=False,
                **more,
            )
        return page


def _prediction(attributes: dict[str, Any]) -> Prediction:
    plain = {name: _deserialize(value) for name, value in attributes.items()}
    return PredictionItem.from_item(plain).prediction
