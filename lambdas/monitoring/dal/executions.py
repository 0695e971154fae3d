"""Starts executions of one state machine."""

from typing import Any

from botocore.exceptions import ClientError

from lambdas.shared.aws import error_code

_STARTED_BEFORE = "ExecutionAlreadyExists"


class StateMachine:
    """One state machine behind a Step Functions client."""

    def __init__(self, stepfunctions: Any, arn: str) -> None:
        """`stepfunctions` is a boto3 client."""
        self._stepfunctions = stepfunctions
        self._arn = arn

    def start(self, name: str, input_json: str) -> bool:
        """Start an execution; False if one of this name exists, which is as good."""
        try:
            self._stepfunctions.start_execution(
                stateMachineArn=self._arn, name=name, input=input_json
            )
        except ClientError as error:
            if error_code(error) == _STARTED_BEFORE:
                return False
            raise
        return True
