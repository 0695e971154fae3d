"""What the lake holds to choose from: model versions and data set versions."""

from __future__ import annotations

from typing import Any, Final

from botocore.exceptions import ClientError

from areyouacat.lake import dataset_prefix, model_prefix
from areyouacat.model_spec import MODEL_FILE, SPEC_FILE
from lambdas.shared.aws import error_code

_MISSING = frozenset({"404", "NoSuchKey"})
_MODELS: Final = f"{model_prefix('').rstrip('/')}/"
_DATASETS: Final = f"{dataset_prefix('').rstrip('/')}/"


class VersionStore:
    """The versions of one lake, by name."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """`s3` is a boto3 client; `bucket` is the lake."""
        self._s3 = s3
        self._bucket = bucket

    def model(self, version: str) -> tuple[bytes | None, bytes | None]:
        """`model.tflite` and `model.json` of a version, not yet verified; `None` what is absent."""
        prefix = model_prefix(version)
        return self._get(f"{prefix}{MODEL_FILE}"), self._get(f"{prefix}{SPEC_FILE}")

    def models(self) -> list[str]:
        """All model versions, the oldest first."""
        return sorted(self._folders(_MODELS), key=lambda name: (len(name), name))

    def datasets(self) -> list[str]:
        """All data set versions, by name."""
        return self._folders(_DATASETS)

    def _folders(self, prefix: str) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2")
        return [
            str(entry["Prefix"]).removeprefix(prefix).rstrip("/")
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/")
            for entry in page.get("CommonPrefixes", [])
        ]

    def _get(self, key: str) -> bytes | None:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise
        data: bytes = answer["Body"].read()
        return data
