"""The predictions table: one item per prediction, with the feedback it earned."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from areyouacat.lake import utc_text
from areyouacat.predictions import (
    CONTROL_PARTITION_KEY,
    CONTROL_TTL_ATTRIBUTE,
    COUNT_ATTRIBUTE,
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
    FeedbackCap,
    PredictionItem,
    time_bucket,
    time_buckets,
)
from lambdas.shared.aws import error_code

_CONDITION_FAILED = "ConditionalCheckFailedException"
_TRANSACTION_CANCELED = "TransactionCanceledException"
# Why one part of a transaction was not done.
_CONDITION = "ConditionalCheckFailed"
_CONFLICT = "TransactionConflict"
_TRIES = 6  # of a transaction that meets others on the same counter
_LONGEST_PAUSE_SECONDS = 0.02  # before the second try; twice as long before each further one
_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class FeedbackOutcome(Enum):
    """What a statement about a prediction changed."""

    RECORDED = "recorded"
    UNCHANGED = "unchanged"
    UNKNOWN_PREDICTION = "unknown_prediction"
    CAPPED = "capped"


class PredictionsTable:
    """Reads and writes the predictions table through a DynamoDB client."""

    def __init__(
        self,
        dynamodb: Any,
        table: str,
        *,
        control_table: str = "",
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`dynamodb` is a boto3 client; `table` the table's name.

        `control_table`: where feedback is counted; needed for feedback with caps only. `pause`
        waits so many seconds.
        """
        self._dynamodb = dynamodb
        self._table = table
        self._control_table = control_table
        self._pause = pause

    def put(self, item: Mapping[str, Any]) -> bool:
        """Stores a fresh prediction as `areyouacat.predictions.prediction_item` made it.

        Returns False, and leaves everything as it is, if there is one of this id already.
        """
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item={name: _serialize(_plain(value)) for name, value in item.items()},
                ConditionExpression="attribute_not_exists(#id)",
                ExpressionAttributeNames={"#id": PARTITION_KEY},
            )
        except ClientError as error:
            if error_code(error) == _CONDITION_FAILED:
                return False
            raise
        return True

    def delete(self, prediction_id: str) -> None:
        """Deletes a prediction with its feedback; one that is not there is deleted already."""
        self._dynamodb.delete_item(
            TableName=self._table, Key={PARTITION_KEY: _serialize(prediction_id)}
        )

    def get(self, prediction_id: str) -> PredictionItem | None:
        """The prediction as it stands, or `None`."""
        answer = self._dynamodb.get_item(
            TableName=self._table,
            Key={PARTITION_KEY: _serialize(prediction_id)},
            ConsistentRead=True,
        )
        return _to_record(answer["Item"]) if "Item" in answer else None

    def record_feedback(
        self, prediction_id: str, feedback: Feedback, caps: Sequence[FeedbackCap] = ()
    ) -> FeedbackOutcome:
        """Writes what a person said and counts it towards `caps`: all of it or nothing.

        The same label again changes nothing, not even the time, and is not counted; another label
        replaces the first. However many callers race, the item holds one label, the indexes list
        it once and no counter passes its limit. The item no longer expires.

        Raises:
            ClientError: DynamoDB refused, or others kept the same counter busy at every try.
        """
        writes = [
            self._feedback_update(prediction_id, feedback),
            *(self._count_update(cap) for cap in caps),
        ]
        for attempt in range(_TRIES):
            if attempt:
                longest = _LONGEST_PAUSE_SECONDS * 2 ** (attempt - 1)
                self._pause(random.uniform(0, longest))  # noqa: S311 # spreads callers, no secret
            try:
                self._dynamodb.transact_write_items(TransactItems=writes)
            except ClientError as error:
                outcome = self._refusal(prediction_id, _cancellation_reasons(error))
                if outcome is not None:
                    return outcome
                if attempt == _TRIES - 1 or _CONFLICT not in _cancellation_reasons(error):
                    raise
            else:
                break
        return FeedbackOutcome.RECORDED

    def withdraw_feedback(self, prediction_id: str, expires_at: int) -> bool:
        """Takes what a person said off a prediction and out of the index, in one step.

        `expires_at`: epoch seconds; the item expires again, as one without feedback does. Returns
        False, and leaves everything as it is, where nothing was said or no such prediction is.
        """
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key={PARTITION_KEY: _serialize(prediction_id)},
                UpdateExpression="REMOVE #label, #at, #bucket SET #ttl = :ttl",
                ConditionExpression="attribute_exists(#label)",
                ExpressionAttributeNames={
                    "#label": FEEDBACK_LABEL,
                    "#at": FEEDBACK_AT,
                    "#bucket": FEEDBACK_BUCKET,
                    "#ttl": TTL_ATTRIBUTE,
                },
                ExpressionAttributeValues={":ttl": _serialize(expires_at)},
            )
        except ClientError as error:
            if error_code(error) == _CONDITION_FAILED:
                return False
            raise
        return True

    def _refusal(self, prediction_id: str, reasons: Sequence[str]) -> FeedbackOutcome | None:
        """Which condition stopped the transaction; None if none did."""
        if reasons[:1] == [_CONDITION]:
            known = self.get(prediction_id) is not None
            return FeedbackOutcome.UNCHANGED if known else FeedbackOutcome.UNKNOWN_PREDICTION
        return FeedbackOutcome.CAPPED if _CONDITION in reasons else None

    def _feedback_update(self, prediction_id: str, feedback: Feedback) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._table,
                "Key": {PARTITION_KEY: _serialize(prediction_id)},
                "UpdateExpression": (
                    "SET #label = :label, #at = :at, #bucket = :bucket REMOVE #ttl"
                ),
                "ConditionExpression": (
                    "attribute_exists(#id) AND (attribute_not_exists(#label) OR #label <> :label)"
                ),
                "ExpressionAttributeNames": {
                    "#id": PARTITION_KEY,
                    "#label": FEEDBACK_LABEL,
                    "#at": FEEDBACK_AT,
                    "#bucket": FEEDBACK_BUCKET,
                    "#ttl": TTL_ATTRIBUTE,
                },
                "ExpressionAttributeValues": {
                    ":label": _serialize(feedback.label),
                    ":at": _serialize(utc_text(feedback.at)),
                    ":bucket": _serialize(time_bucket(feedback.at, prediction_id)),
                },
            }
        }

    def _count_update(self, cap: FeedbackCap) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._control_table,
                "Key": {CONTROL_PARTITION_KEY: _serialize(cap.control_id)},
                "UpdateExpression": "ADD #count :one SET #ttl = :ttl",
                "ConditionExpression": "attribute_not_exists(#count) OR #count < :limit",
                "ExpressionAttributeNames": {
                    "#count": COUNT_ATTRIBUTE,
                    "#ttl": CONTROL_TTL_ATTRIBUTE,
                },
                "ExpressionAttributeValues": {
                    ":one": _serialize(1),
                    ":limit": _serialize(cap.limit),
                    ":ttl": _serialize(cap.expires_at),
                },
            }
        }

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


def _cancellation_reasons(error: ClientError) -> list[str]:
    """Why each write of a transaction was not done; empty where something else went wrong."""
    if error_code(error) != _TRANSACTION_CANCELED:
        return []
    reasons = error.response.get("CancellationReasons", [])
    return [str(reason.get("Code", "")) for reason in reasons]


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
