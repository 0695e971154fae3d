"""boto3 clients: one of each per process, with timeouts that fit inside a function's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CONNECT_TIMEOUT_SECONDS = 2
READ_TIMEOUT_SECONDS = 10
MAX_ATTEMPTS = 3  # the first try included
MAX_POOL_CONNECTIONS = 32  # threads that may read the lake side by side

_made: Final[list[Any]] = []


@cache
def client(service: str) -> Any:
    """The process's client of `service` (`"s3"`, `"dynamodb"`, ...); thread-safe, as boto3's are.

    The endpoint and the credentials are the environment's own (`AWS_ENDPOINT_URL` and so on).
    """
    create: Callable[..., Any] = boto3.client  # its stubs want every service's name spelled out
    made = create(
        service,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": MAX_ATTEMPTS},
            max_pool_connections=MAX_POOL_CONNECTIONS,
        ),
    )
    _made.append(made)
    return made


def close_connections() -> None:
    """Closes every client's connections; the next call of each opens new ones."""
    for made in _made:
        made.close()


def error_code(error: ClientError) -> str:
    """The service's error code, such as `NoSuchKey`, or an HTTP status such as `304`."""
    return str(error.response.get("Error", {}).get("Code", ""))
