"""The champion as the lake describes it: the serving pointer and the `model.json` it names."""

from __future__ import annotations

from typing import Any

from areyouacat.errors import CorruptModelError
from areyouacat.lake import sha256_hex
from areyouacat.model_spec import ModelSpec
from areyouacat.serving_pointer import ServingPointer, Variant
from lambdas.shared.serving_pointer_store import ServingPointerStore, StoredPointer


class ChampionReader:
    """Reads one lake; what has not changed since the last time is not fetched again."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """`s3` is a boto3 client; `bucket` is the lake."""
        self._s3 = s3
        self._bucket = bucket
        self._pointers = ServingPointerStore(s3, bucket)
        self._stored: StoredPointer | None = None
        self._specs: dict[str, ModelSpec] = {}

    def pointer(self) -> ServingPointer | None:
        """The serving pointer of this moment, or `None` while nothing serves."""
        self._stored = self._pointers.read(self._stored)
        return self._stored.pointer if self._stored else None

    def spec(self, variant: Variant) -> ModelSpec:
        """The variant's `model.json`.

        Raises:
            CorruptModelError: it is not the file that was promoted.
        """
        if variant.model_json_sha256 not in self._specs:
            answer = self._s3.get_object(Bucket=self._bucket, Key=variant.model_json_key)
            data: bytes = answer["Body"].read()
            if sha256_hex(data) != variant.model_json_sha256:
                raise CorruptModelError(f"{variant.model_json_key} is not what was promoted")
            self._specs = {variant.model_json_sha256: ModelSpec.from_json(data)}
        return self._specs[variant.model_json_sha256]
