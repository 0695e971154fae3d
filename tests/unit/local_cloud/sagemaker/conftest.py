"""The tiny cloud's fixtures: S3 and CloudWatch Logs are moto's, in this process."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from local_cloud.sagemaker.service import SageMakerConfig
from tests.unit.local_cloud.sagemaker.tiny_cloud import BUCKET, CREDENTIALS, REGION, Cloud, client


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared, so that the tests build the tiny image's environment once."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def s3(endpoint: str) -> Iterator[Any]:
    s3 = client("s3", endpoint)
    s3.create_bucket(Bucket=BUCKET)
    yield s3
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for entry in page.get("Contents", ()):
            s3.delete_object(Bucket=BUCKET, Key=entry["Key"])


def uv() -> str:
    """The project's uv: where there is none, these tests fail; they do not vanish."""
    return os.environ.get("UV") or shutil.which("uv") or str(Path(".venvs/uv/bin/uv").resolve())


@pytest.fixture
def cloud_config(tmp_path: Path, endpoint: str, environments: Path) -> SageMakerConfig:
    images = tmp_path / "images.json"
    context = tmp_path / "image"
    context.mkdir()
    (context / "requirements.txt").write_text("")
    entry = {
        "repository": "tiny",
        "context": str(context),
        "sources": ["train.py"],
        "requirements": "requirements.txt",
        "command": ["python", "train.py"],
        "environment": {"FROM_DOCKERFILE": "yes"},
    }
    images.write_text(json.dumps([entry]))
    return SageMakerConfig(
        state_dir=tmp_path / "state",
        images_file=images,
        endpoint_url=endpoint,
        region=REGION,
        role_credentials=lambda *_: dict(CREDENTIALS),
        uv=uv(),
        environments_dir=environments,
        shutdown_grace=0.5,
    )


@pytest.fixture
def open_cloud(
    cloud_config: SageMakerConfig, tmp_path: Path, s3: Any
) -> Iterator[Callable[..., Cloud]]:
    """Opens clouds with changed settings; all are closed at the end."""
    opened: list[Cloud] = []

    def open_one(**changes: Any) -> Cloud:
        opened.append(Cloud(replace(cloud_config, **changes), tmp_path / "image", s3))
        return opened[-1]

    yield open_one
    for cloud in opened:
        cloud.service.close()


@pytest.fixture
def cloud(open_cloud: Callable[..., Cloud]) -> Cloud:
    return open_cloud()
