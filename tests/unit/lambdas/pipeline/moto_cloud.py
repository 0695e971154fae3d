"""What the handlers under test reach through boto3."""

from dataclasses import dataclass
from typing import Any

from areyouacat.predictions import (
    CONTROL_PARTITION_KEY,
    FEEDBACK_AT,
    FEEDBACK_BUCKET,
    FEEDBACK_INDEX,
    PARTITION_KEY,
    PREDICTED_AT,
    PREDICTED_BUCKET,
    PREDICTED_INDEX,
)


@dataclass(frozen=True)
class Cloud:
    s3: Any
    dynamodb: Any
    stepfunctions: Any
    train_arn: str

    def start_execution(self, name: str) -> str:
        """An execution of train that runs until it is stopped."""
        answer = self.stepfunctions.start_execution(stateMachineArn=self.train_arn, name=name)
        return str(answer["executionArn"])


def create_tables(dynamodb: Any) -> None:
    dynamodb.create_table(
        TableName="control",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": CONTROL_PARTITION_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": CONTROL_PARTITION_KEY, "AttributeType": "S"}],
    )
    dynamodb.create_table(
        TableName="predictions",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": PARTITION_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in (
                PARTITION_KEY,
                FEEDBACK_BUCKET,
                FEEDBACK_AT,
                PREDICTED_BUCKET,
                PREDICTED_AT,
            )
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": bucket, "KeyType": "HASH"},
                    {"AttributeName": at, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for index, bucket, at in (
                (FEEDBACK_INDEX, FEEDBACK_BUCKET, FEEDBACK_AT),
                (PREDICTED_INDEX, PREDICTED_BUCKET, PREDICTED_AT),
            )
        ],
    )
