"""The training ledger in the control table: one item, written only over what was read."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from botocore.exceptions import ClientError

from areyouacat.errors import LedgerContentionError
from areyouacat.predictions import CONTROL_PARTITION_KEY, TRAINING_LEDGER_ID
from areyouacat.training_ledger import TrainingLedger
from lambdas.shared.aws import error_code

Answer = TypeVar("Answer")

_CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_ATTEMPTS: Final = 20
"""A failed attempt means that somebody else's has succeeded."""


class TrainingLedgerStore:
    """Reads and changes the ledger through a DynamoDB client."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        """`dynamodb` is a boto3 client; `table` the control table's name."""
        self._dynamodb = dynamodb
        self._table = table

    def read(self) -> tuple[TrainingLedger, int]:
        """The ledger as it stands, and the number of changes that led to it."""
        answer = self._dynamodb.get_item(TableName=self._table, Key=_KEY, ConsistentRead=True)
        item = answer.get("Item")
        if item is None:
            return TrainingLedger(), 0
        return TrainingLedger.from_json(item["ledger"]["S"]), int(item["revision"]["N"])

    def change(self, change: Callable[[TrainingLedger], tuple[TrainingLedger, Answer]]) -> Answer:
        """Apply `change`, which may be called again if somebody else was quicker; its answer.

        Raises:
            LedgerContentionError: too many others change it at once.
        """
        for _ in range(_ATTEMPTS):
            ledger, revision = self.read()
            changed, answer = change(ledger)
            if changed is ledger or self._write(changed, revision):
                return answer
        raise LedgerContentionError

    def _write(self, ledger: TrainingLedger, revision: int) -> bool:
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item={
                    **_KEY,
                    "ledger": {"S": ledger.to_json()},
                    "revision": {"N": str(revision + 1)},
                },
                ConditionExpression="attribute_not_exists(#id) OR revision = :seen",
                ExpressionAttributeNames={"#id": CONTROL_PARTITION_KEY},
                ExpressionAttributeValues={":seen": {"N": str(revision)}},
            )
        except ClientError as error:
            if error_code(error) == _CONDITION_FAILED:
                return False
            raise
        return True


_KEY: Final = {CONTROL_PARTITION_KEY: {"S": TRAINING_LEDGER_ID}}
