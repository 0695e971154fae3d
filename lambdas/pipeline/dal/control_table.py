"""The control table: who trains, and up to when feedback was taken over."""

from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from areyouacat.lake import parse_utc, utc_text
from areyouacat.predictions import CONTROL_PARTITION_KEY, FEEDBACK_WATERMARK_ID, TRAIN_LEASE_ID
from lambdas.shared.aws import error_code

_CONDITION_FAILED = "ConditionalCheckFailedException"
_HOLDER = "holder"
_UP_TO = "up_to"


class ControlTable:
    """Reads and writes the control table through a DynamoDB client."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        """`dynamodb` is a boto3 client; `table` the table's name."""
        self._dynamodb = dynamodb
        self._table = table

    def lease_holder(self) -> str | None:
        """ARN of the execution that holds the training lease, or None if it is free."""
        return self._read(TRAIN_LEASE_ID, _HOLDER)

    def take_lease(self, holder: str, reason: str, at: datetime, *, over: str | None) -> bool:
        """Take the lease if it is free, already `holder`'s, or `over`'s; one conditional write.

        Returns False if somebody else holds it. However many callers race, one is told True.
        """
        condition = "attribute_not_exists(#id) OR #holder = :holder"
        values = {":holder": {"S": holder}}
        if over is not None:
            condition += " OR #holder = :over"
            values[":over"] = {"S": over}
        return self._conditional(
            self._dynamodb.put_item,
            Item={
                **_key(TRAIN_LEASE_ID),
                _HOLDER: {"S": holder},
                "reason": {"S": reason},
                "acquired_at": {"S": utc_text(at)},
            },
            ConditionExpression=condition,
            ExpressionAttributeNames={"#id": CONTROL_PARTITION_KEY, "#holder": _HOLDER},
            ExpressionAttributeValues=values,
        )

    def give_back_lease(self, holder: str) -> bool:
        """Free the lease if it is `holder`'s; False if it was not."""
        return self._conditional(
            self._dynamodb.delete_item,
            Key=_key(TRAIN_LEASE_ID),
            ConditionExpression="#holder = :holder",
            ExpressionAttributeNames={"#holder": _HOLDER},
            ExpressionAttributeValues={":holder": {"S": holder}},
        )

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

    def _conditional(self, write: Any, **arguments: Any) -> bool:
        try:
            write(TableName=self._table, **arguments)
        except ClientError as error:
            if error_code(error) == _CONDITION_FAILED:
                return False
            raise
        return True


def _key(control_id: str) -> dict[str, dict[str, str]]:
    return {CONTROL_PARTITION_KEY: {"S": control_id}}
