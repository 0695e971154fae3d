"""A stand-in for an MLflow server that SageMaker manages: it takes signed requests alone."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import urlsplit

from mlflow.protos.model_registry_pb2 import ModelRegistryService
from mlflow.protos.service_pb2 import MlflowService
from mlflow.utils.rest_utils import _REST_API_PATH_PREFIX, extract_all_api_info_for_service

APP_ARN = "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-app/app-ABC"
RUN_ID = "0" * 31 + "a"
_RUN = {
    "info": {
        "run_id": RUN_ID,
        "run_uuid": RUN_ID,
        "experiment_id": "1",
        "status": "RUNNING",
        "lifecycle_stage": "active",
        "artifact_uri": f"s3://lake/mlflow/1/{RUN_ID}/artifacts",
    },
    "data": {},
}
_VERSION = {
    "name": "are-you-a-cat",
    "version": "1",
    "run_id": RUN_ID,
    "tags": [{"key": "deployment_state", "value": "rolled_back"}],
}
_EVERYTHING: dict[str, Any] = {
    "experiment": {
        "experiment_id": "1",
        "name": "cats",
        "lifecycle_stage": "active",
        "artifact_location": "s3://lake/mlflow/1",
    },
    "experiment_id": "1",
    "run": _RUN,
    "runs": [_RUN],
    "registered_model": {
        "name": "are-you-a-cat",
        "aliases": [
            {"alias": "champion", "version": "9"},
            {"alias": "challenger", "version": "2"},
        ],
    },
    "model_version": _VERSION,
    "model_versions": [_VERSION],
}
"""One answer to whatever is asked: MLflow's client takes what it knows of it."""

_NAMES = {
    endpoint: message.__name__
    for service in (MlflowService, ModelRegistryService)
    for message, endpoints in extract_all_api_info_for_service(
        service, _REST_API_PATH_PREFIX
    ).items()
    for endpoint in endpoints
}
"""MLflow's own names of its calls by path and method; IAM's are the same."""


class ManagedServer:
    """`knows`: whether experiment, runs and versions that are looked for are there."""

    def __init__(self) -> None:
        self.knows = True
        self.asked: set[str] = set()
        self.unsigned: list[str] = []

    def answer(self, method: str, path: str, headers: Any) -> tuple[int, dict[str, Any]]:
        scope = headers.get("Authorization", "").partition(" Credential=")[2].partition(",")[0]
        signed = scope.endswith("/eu-west-1/sagemaker/aws4_request")
        if not signed or headers.get("x-sm-mlflow-app-arn") != APP_ARN:
            self.unsigned.append(path)
            return 403, {"error_code": "PERMISSION_DENIED", "message": "not signed"}
        name = _NAMES[(urlsplit(path).path, method)]
        self.asked.add(name)
        if self.knows:
            return 200, _EVERYTHING
        if name == "GetExperimentByName":
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such experiment"}
        return 200, {} if name.startswith("Search") else _EVERYTHING


class _Handler(BaseHTTPRequestHandler):
    server_of: ClassVar[ManagedServer]

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, told = self.server_of.answer(self.command, self.path, self.headers)
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Says nothing."""


@contextmanager
def managed_server() -> Iterator[tuple[str, ManagedServer]]:
    """Its address, and what it has been asked."""
    server = ManagedServer()
    handler = type("Handler", (_Handler,), {"server_of": server})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}", server
        http.shutdown()
        thread.join()
