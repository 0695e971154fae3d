"""Tiny models, photos, and a lake that serves them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from areyouacat.lake import SERVING_POINTER_KEY, model_prefix, sha256_hex
from areyouacat.model_spec import ModelSpec, TfliteFile
from areyouacat.serving_pointer import CHAMPION, ServingPointer, Variant
from areyouacat.verdicts import Bands
from lambdas.serving.handlers import predict
from lambdas.serving.logic.loaded_model import ModelFiles

FIXTURES = Path(__file__).parents[3] / "fixtures"
LAKE = "lake-of-the-test"
NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def jpeg(grey: int, size: tuple[int, int] = (320, 240)) -> bytes:
    """A photo of one shade of grey, 0 to 255."""
    file = io.BytesIO()
    Image.new("RGB", size, (grey, grey, grey)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(scope="session")
def bright() -> bytes:
    """A photo that the tiny model takes for the positive label, the inverted one does not."""
    return jpeg(250)


@pytest.fixture(scope="session")
def dark() -> bytes:
    return jpeg(5)


def tiny_tflite(*, inverted: bool = False) -> bytes:
    name = "tiny_model_inverted" if inverted else "tiny_model"
    return (FIXTURES / f"{name}.tflite").read_bytes()


def tiny_spec(tflite: bytes, **changes: Any) -> ModelSpec:
    spec = ModelSpec(
        model_name="are-you-a-cat",
        mode="trained",
        threshold=0.5,
        bands=Bands(negative_to=0.35, positive_from=0.65),
        temperature=1.0,
        dataset_version="0123456789abcdef",
        training_job_name="train-1",
        mlflow_run_id="run-1",
        tflite=TfliteFile(sha256=sha256_hex(tflite), variant="float32"),
    )
    return replace(spec, **changes)


def tiny_files(*, inverted: bool = False, **changes: Any) -> ModelFiles:
    tflite = tiny_tflite(inverted=inverted)
    return ModelFiles(tflite, tiny_spec(tflite, **changes).to_json())


def variant_of(
    version: str, files: ModelFiles, *, role: str = CHAMPION, weight: float = 1.0
) -> Variant:
    prefix = model_prefix(version)
    return Variant(
        role=role,
        name="are-you-a-cat",
        version=version,
        weight=weight,
        key=f"{prefix}model.tflite",
        sha256=sha256_hex(files.tflite),
        model_json_key=f"{prefix}model.json",
        model_json_sha256=sha256_hex(files.spec),
    )


def pointer_of(*variants: Variant, previous: tuple[Variant, ...] = ()) -> ServingPointer:
    return ServingPointer(variants, previous, NOW, "test", "test")


@dataclass
class Lake:
    """Puts models and pointers where the function looks for them."""

    s3: Any

    def stage(self, version: str, files: ModelFiles, **variant: Any) -> Variant:
        """Uploads a model's files; the variant that names them."""
        staged = variant_of(version, files, **variant)
        self.s3.put_object(Bucket=LAKE, Key=staged.key, Body=files.tflite)
        self.s3.put_object(Bucket=LAKE, Key=staged.model_json_key, Body=files.spec)
        return staged

    def point(self, *variants: Variant, previous: tuple[Variant, ...] = ()) -> None:
        """Replaces the serving pointer."""
        pointer = pointer_of(*variants, previous=previous)
        self.s3.put_object(Bucket=LAKE, Key=SERVING_POINTER_KEY, Body=pointer.to_json())

    def spoil(self, variant: Variant) -> None:
        """Damages one byte of a model in the lake."""
        data = bytearray(self.s3.get_object(Bucket=LAKE, Key=variant.key)["Body"].read())
        data[len(data) // 2] ^= 0xFF
        self.s3.put_object(Bucket=LAKE, Key=variant.key, Body=bytes(data))

    def keys(self, prefix: str) -> list[str]:
        """What the lake holds under a prefix."""
        listed = self.s3.list_objects_v2(Bucket=LAKE, Prefix=prefix)
        return [entry["Key"] for entry in listed.get("Contents", [])]


@pytest.fixture
def lake(s3: Any) -> Lake:
    return Lake(s3)


@pytest.fixture
def fresh_process(cloud: None) -> Iterator[None]:
    """The predict function as a cold start finds it."""
    predict.answering.cache_clear()
    yield
    predict.answering.cache_clear()
