"""Events as SNS and EventBridge hand them to a function."""

import json
from typing import Any


def sns_event(*messages: str) -> dict[str, Any]:
    return {
        "Records": [
            {"EventSource": "aws:sns", "Sns": {"MessageId": str(number), "Message": message}}
            for number, message in enumerate(messages)
        ]
    }


def alarm(
    state: str = "ALARM",
    at: str = "2026-11-20T12:00:00.000+0000",
    name: str = "AreYouACat-FeedbackAccuracy",
) -> str:
    """CloudWatch's message about an alarm."""
    return json.dumps(
        {
            "AlarmName": name,
            "AlarmDescription": None,
            "NewStateValue": state,
            "NewStateReason": "Threshold Crossed: 0.5 < 0.75",
            "StateChangeTime": at,
            "Region": "EU (Ireland)",
            "OldStateValue": "OK",
            "Trigger": {"MetricName": "FeedbackAccuracy"},
        }
    )


def execution_ended(execution_arn: str, status: str = "ABORTED") -> dict[str, Any]:
    """EventBridge's event, as Step Functions' developer guide shows it."""
    return {
        "version": "0",
        "id": "315c1398-40ff-a850-213b-158f73e60175",
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": "123456789012",
        "time": "2026-11-20T12:00:00Z",
        "region": "eu-west-1",
        "resources": [execution_arn],
        "detail": {
            "executionArn": execution_arn,
            "stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:deploy",
            "name": execution_arn.rpartition(":")[2],
            "status": status,
            "startDate": 1795780800000,
            "stopDate": 1795780860000,
            "input": "{}",
            "output": None,
        },
    }
