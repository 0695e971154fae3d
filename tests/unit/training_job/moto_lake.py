"""A versioned lake in an S3 that lives in this process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

BUCKET = "lake"


@contextmanager
def moto_lake(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Any]:
    """An S3 client; the environment names the lake, and nothing of a real cloud."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "MLFLOW_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("LAKE_BUCKET", BUCKET)
    monkeypatch.setenv("LOCAL_STATE_DIR", str(folder / "no-state"))
    with mock_aws():
        client: Any = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


def keys(s3: Any, prefix: str = "") -> list[str]:
    """The keys that a plain listing gives."""
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return [str(entry["Key"]) for entry in found]


def every_version(s3: Any) -> dict[tuple[str, str], bytes]:
    """All bytes that the bucket still holds, by key and version id."""
    found = s3.list_object_versions(Bucket=BUCKET).get("Versions", [])
    return {
        (entry["Key"], entry["VersionId"]): s3.get_object(
            Bucket=BUCKET, Key=entry["Key"], VersionId=entry["VersionId"]
        )["Body"].read()
        for entry in found
    }
