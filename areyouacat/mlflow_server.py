"""The MLflow server's address: a URL, or the ARN of one that SageMaker manages.

Nothing of MLflow is imported here: its client reads what is set here.
"""

import logging
import os
from typing import Final

_TRACKING_URI: Final = "MLFLOW_TRACKING_URI"
_HEADERS: Final = "mlflow.tracking.request_header.registry"


def is_managed(uri: str) -> bool:
    """Whether SageMaker manages the server; its plugin for MLflow turns the ARN into requests."""
    return uri.startswith("arn:")


def page(uri: str, place: str) -> str:
    """The address of a page of the server's own UI; empty where a browser has none.

    Who wants to see a managed server asks AWS for a presigned URL, which serves once.
    """
    return "" if is_managed(uri) else f"{uri.rstrip('/')}/#/{place}"


def prepare_client(uri: str, *, retries: int, timeout_seconds: int | None = None) -> None:
    """What MLflow's client needs to be told, in this process, before it speaks to `uri`.

    `retries`, `timeout_seconds`: of one request, where the environment says nothing; the client's
    own defaults hide for minutes that a server is away. None: the client's own.
    """
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", str(retries))
    if timeout_seconds is not None:
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(timeout_seconds))
    if is_managed(uri):
        # SageMaker's plugin signs for the server that this names, whatever the client was given.
        os.environ[_TRACKING_URI] = uri
    else:
        # The plugin looks for an ARN in every address, and a request to a URL warns that it has
        # none.
        logging.getLogger(_HEADERS).setLevel(logging.ERROR)
