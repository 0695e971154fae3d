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
    cloudwatch: Any
    stepfunctions: Any
    train_arn: str
    deploy_arn: str

    def executions(self, machine_arn: str = "") -> list[dict[str, Any]]:
        """All executions of train, or of another workflow, with their inputs."""
        listed = self.stepfunctions.list_executions(stateMachineArn=machine_arn or self.train_arn)[
            "executions"
        ]
        return [
            self.stepfunctions.describe_execution(executionArn=execution["executionArn"])
            for execution in listed
        ]


def create_control(dynamodb: Any) -> None:
    dynamodb.create_table(
        TableName="control",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": CONTROL_PARTITION_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": CONTROL_PARTITION_KEY, "AttributeType": "S"}],
    )


def create_predictions(dynamodb: Any) -> None:
    indexes = {
        PREDICTED_INDEX: (PREDICTED_BUCKET, PREDICTED_AT),
        FEEDBACK_INDEX: (FEEDBACK_BUCKET, FEEDBACK_AT),
    }
    dynamodb.create_table(
        TableName="predictions",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": PARTITION_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in (PARTITION_KEY, *(key for keys in indexes.values() for key in keys))
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
            for index, (bucket, at) in indexes.items()
        ],
    )
