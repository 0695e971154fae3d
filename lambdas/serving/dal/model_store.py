"""Model files in the lake, as the serving pointer names them."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from areyouacat.errors import CorruptModelError
from areyouacat.serving_pointer import Variant
from lambdas.serving.logic.loaded_model import ModelFiles
from lambdas.shared.aws import error_code

_MISSING = frozenset({"404", "NoSuchKey"})


class ModelStore:
    """Reads the files of served models from one lake."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """`s3` is a boto3 client; `bucket` is the lake."""
        self._s3 = s3
        self._bucket = bucket

    def read(self, variant: Variant) -> ModelFiles:
        """The bytes of a variant's two files, not yet verified.

        Raises:
            CorruptModelError: one of them is not there.
        """
        return ModelFiles(tflite=self._get(variant.key), spec=self._get(variant.model_json_key))

    def _get(self, key: str) -> bytes:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) in _MISSING:
                raise CorruptModelError(f"the lake has no {key}; deploy again") from error
            raise
        data: bytes = answer["Body"].read()
        return data
