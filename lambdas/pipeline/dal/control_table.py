"""The control table, as far as snapshots use it: up to when feedback was taken over."""

from datetime import datetime
from typing import Any

from areyouacat.lake import parse_utc, utc_text
from areyouacat.predictions import CONTROL_PARTITION_KEY, FEEDBACK_WATERMARK_ID

_UP_TO = "up_to"


class ControlTable:
    """Reads and writes the control table through a DynamoDB client."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        """`dynamodb` is a boto3 client; `table` the table's name."""
        self._dynamodb = dynamodb
        self._table = table

    def feedback_watermark(self) -> datetime | None:
        """The moment up to which feedback is in the lake, or None before the first snapshot."""
        text = self._read(FEEDBACK_WATERMARK_ID, _UP_TO)
        return parse_utc(text) if text else None

    def move_feedback_watermark(self, up_to: datetime) -> None:
        """Remember that all feedback before `up_to` is in the lake."""
        self._dynamodb.put_item(
            TableName=self._table,
            Item={**_key(FEEDBACK_WATERMARK_ID), _UP_TO: {"S": utc_text(up_to)}},
        )

    def _read(self, control_id: str, attribute: str) -> str | None:
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=_key(control_id), ConsistentRead=True
        )
        value = answer.get("Item", {}).get(attribute)
        return str(value["S"]) if value else None


def _key(control_id: str) -> dict[str, dict[str, str]]:
    return {CONTROL_PARTITION_KEY: {"S": control_id}}
