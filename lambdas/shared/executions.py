"""Step Functions executions: do they still run?"""

from typing import Any

from botocore.exceptions import ClientError

from lambdas.shared.aws import error_code

_UNKNOWN = frozenset({"ExecutionDoesNotExist", "InvalidArn"})


class Executions:
    """Looks executions up through a Step Functions client."""

    def __init__(self, stepfunctions: Any) -> None:
        """`stepfunctions` is a boto3 client."""
        self._stepfunctions = stepfunctions

    def status(self, execution_arn: str) -> str | None:
        """DescribeExecution's `status`, or None if there is no such execution (any more)."""
        try:
            answer = self._stepfunctions.describe_execution(executionArn=execution_arn)
        except ClientError as error:
            if error_code(error) in _UNKNOWN:
                return None
            raise
        return str(answer["status"])
