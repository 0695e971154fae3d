"""The function `predict` in this process with a model at hand and writes that always succeed."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from areyouacat.serving_pointer import ServingPointer, Variant
from lambdas.serving.dal.photo_store import PhotoStore
from lambdas.serving.dal.prediction_writer import PredictionWriter
from lambdas.serving.dal.upload_store import UploadStore
from lambdas.serving.handlers import predict
from lambdas.serving.logic.answering import Answering
from lambdas.serving.logic.loaded_model import ModelFiles
from lambdas.serving.logic.serving_models import ServingModels
from lambdas.shared.predictions_table import PredictionsTable
from lambdas.shared.serving_pointer_store import StoredPointer


@contextmanager
def quiet() -> Iterator[None]:
    """The handler's metrics lines go nowhere."""
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


@contextmanager
def faked_writes(pointer: ServingPointer, files: ModelFiles) -> Iterator[None]:
    """Up to the clients everything is the function's own, and serves this pointer's champion."""
    clients = _Accepting()
    answering = Answering(
        models=ServingModels(_OnePointer(pointer), _OneModel(files)),
        uploads=UploadStore(clients, "none"),
        writer=PredictionWriter(PhotoStore(clients, "none"), PredictionsTable(clients, "none")),
    )
    with patch.object(predict, "answering", lambda: answering):
        yield


class _Accepting:
    """boto3's clients of S3 and DynamoDB, as far as a prediction writes to them."""

    def put_object(self, **_: object) -> dict[str, object]:
        return {}

    def put_item(self, **_: object) -> dict[str, object]:
        return {}


@dataclass(frozen=True, slots=True)
class _OnePointer:
    pointer: ServingPointer

    def read(self, known: StoredPointer | None = None) -> StoredPointer:
        return known or StoredPointer(self.pointer, "benchmark")


@dataclass(frozen=True, slots=True)
class _OneModel:
    files: ModelFiles

    def read(self, _variant: Variant) -> ModelFiles:
        return self.files
