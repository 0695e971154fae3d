"""The predictions table: one item per prediction, with the feedback it earned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from areyouacat.lake import utc_text
from areyouacat.predictions import (
    FEEDBACK_AT,
    FEEDBACK_BUCKET,
    FEEDBACK_INDEX,
    FEEDBACK_LABEL,
    PARTITION_KEY,
    PREDICTED_AT,
    PREDICTED_BUCKET,
    PREDICTED_INDEX,
    TTL_ATTRIBUTE,
    Feedback,
    PredictionItem,
    time_bucket,
    time_buckets,
)
from lambdas.shared.aws import error_code

_CONDITION_FAILED = "ConditionalCheckFailedException"
_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class FeedbackOutcome(Enum):
    """What a statement about a prediction changed."""

    RECORDED = "recorded"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    UNKNOWN_PREDICTION = "unknown_prediction"


class PredictionsTable:
    """Reads and writes the predictions table through a DynamoDB client."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        """`dynamodb` is a boto3 client; `table` the table's name."""
        self._dynamodb = dynamodb
        self._table = table

    def put(self, item: Mapping[str, Any]) -> None:
        """Stores a fresh prediction as `areyouacat.predictions.prediction_item` made it."""
        self._dynamodb.put_item(
            TableName=self._table,
            Item={name: _serialize(_plain(value)) for name, value in item.items()},
        )

    def get(self, prediction_id: str) -> PredictionItem | None:
        """The prediction as it stands, or `None`."""
        answer = self._dynamodb.get_item(
            TableName=self._table,
            Key={PARTITION_KEY: _serialize(prediction_id)},
            ConsistentRead=True,
        )
        return _to_record(answer["Item"]) if "Item" in answer else None

    def record_feedback(self, prediction_id: str, feedback: Feedback) -> FeedbackOutcome:
        """Writes what a person said, in one conditional update.

        The same label again changes nothing, not even the time; another label replaces the first.
        However many callers race, the item holds one label and the indexes list it once. The item
        no longer expires.
        """
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key={PARTITION_KEY: _serialize(prediction_id)},
                UpdateExpression="SET #label = :label, #at = :at, #bucket = :bucket REMOVE #ttl",
                ConditionExpression=(
                    "attribute_exists(#id) AND (attribute_not_exists(#label) OR #label <> :label)"
                ),
                ExpressionAttributeNames={
                    "#id": PARTITION_KEY,
                    "#label": FEEDBACK_LABEL,
                    "#at": FEEDBACK_AT,
                    "#bucket": FEEDBACK_BUCKET,
                    "#ttl": TTL_ATTRIBUTE,
                },
                ExpressionAttributeValues={
                    ":label": _serialize(feedback.label),
                    ":at": _serialize(utc_text(feedback.at)),
                    ":bucket": _serialize(time_bucket(feedback.at, prediction_id)),
                },
                ReturnValues="ALL_OLD",
            )
        except ClientError as error:
            if error_code(error) != _CONDITION_FAILED:
                raise
            known = self.get(prediction_id) is not None
            return FeedbackOutcome.UNCHANGED if known else FeedbackOutcome.UNKNOWN_PREDICTION
        replaced = FEEDBACK_LABEL in answer.get("Attributes", {})
        return FeedbackOutcome.REPLACED if replaced else FeedbackOutcome.RECORDED

    def predicted_between(self, start: datetime, end: datetime) -> Iterator[PredictionItem]:
        """Predictions made from `start` to `end`, both included, hour by hour."""
        return self._between(PREDICTED_INDEX, PREDICTED_BUCKET, PREDICTED_AT, start, end)

    def labelled_between(self, start: datetime, end: datetime) -> Iterator[PredictionItem]:
        """Predictions whose feedback came from `start` to `end`, both included, hour by hour."""
        return self._between(FEEDBACK_INDEX, FEEDBACK_BUCKET, FEEDBACK_AT, start, end)

    def _between(
        self, index: str, partition: str, sort: str, start: datetime, end: datetime
    ) -> Iterator[PredictionItem]:
        pages = self._dynamodb.get_paginator("query")
        for bucket in time_buckets(start, end):
            for page in pages.paginate(
                TableName=self._table,
                IndexName=index,
                KeyConditionExpression="#bucket = :bucket AND #at BETWEEN :start AND :end",
                ExpressionAttributeNames={"#bucket": partition, "#at": sort},
                ExpressionAttributeValues={
                    ":bucket": _serialize(bucket),
                    ":start": _serialize(utc_text(start)),
                    ":end": _serialize(utc_text(end)),
                },
            ):
                yield from map(_to_record, page["Items"])


def _plain(value: Any) -> Any:
    """DynamoDB's numbers are decimals; a float becomes the decimal that prints the same."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, list):
        return [_plain(element) for element in value]
    return value


def _to_record(attributes: Mapping[str, Any]) -> PredictionItem:
    return PredictionItem.from_item(
        {name: _deserialize(value) for name, value in attributes.items()}
    )
