"""The function `predict` in this process, called as Lambda calls it.

A cold start imports it: nothing is imported here that the function does not need itself.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from lambdas.serving.handlers import predict


class Invocation:
    """What Lambda tells a handler of the invocation."""

    aws_request_id: Final = "benchmark"
    function_name: Final = "predict"
    memory_limit_in_mb: Final = 1_769
    invoked_function_arn: Final = "arn:aws:lambda:us-east-1:000000000000:function:predict"


def event(photo: bytes) -> dict[str, Any]:
    """API Gateway's proxy event for a photo as the body of `POST /predict`."""
    return {
        "resource": "/predict",
        "path": "/predict",
        "httpMethod": "POST",
        "headers": {"Content-Type": "image/jpeg", "x-api-key": "benchmark"},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "pathParameters": None,
        "requestContext": {
            "identity": {"apiKey": "benchmark", "sourceIp": "127.0.0.1"},
            "requestId": "benchmark",
            "stage": "v1",
        },
        "body": base64.b64encode(photo).decode(),
        "isBase64Encoded": True,
    }


def invoke(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The answer's body. Raises RuntimeError if it is an error."""
    response = predict.handler(dict(asked), Invocation())  # type: ignore[arg-type]
    if response["statusCode"] != 200:
        raise RuntimeError(f"the handler answered {response['statusCode']}: {response['body']}")
    answer: dict[str, Any] = json.loads(response["body"])
    return answer
