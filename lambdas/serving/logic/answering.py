"""One request from its photo to a stored prediction; a repeated one gets the same answer."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Protocol

from areyouacat.errors import NotFoundError
from areyouacat.metrics import DECODE_LATENCY, INFERENCE_LATENCY, WRITE_LATENCY
from areyouacat.predictions import Prediction
from lambdas.serving.logic.prediction import Asked, decoded, judge
from lambdas.serving.logic.request_identity import RequestIdentity
from lambdas.serving.logic.request_metrics import RequestRecord
from lambdas.serving.logic.sent_photo import PhotoRequest, Upload
from lambdas.serving.logic.serving_models import ServingModels


class Uploads(Protocol):
    """Where uploads are."""

    def read(self, key: str) -> Upload | None:
        """An upload, or `None` where there is none (any more)."""

    def forget(self, upload: Upload) -> None:
        """Deletes an upload, if it can."""


class Writer(Protocol):
    """Where photos and predictions are kept."""

    def storing(self, photo: str, data: bytes, image_format: str) -> AbstractContextManager[None]:
        """Stores a photo's bytes while the block runs, and has stored them when it ends."""

    def keep(self, prediction: Prediction) -> bool:
        """Stores a prediction; false if there is one of this id already."""

    def stored(self, prediction_id: str) -> Prediction | None:
        """The prediction of an id, if there is one."""


@dataclass(frozen=True, slots=True)
class Answering:
    """Everything that a request needs."""

    models: ServingModels
    uploads: Uploads
    writer: Writer

    def answer(
        self,
        request: PhotoRequest,
        identity: RequestIdentity,
        *,
        caller: str,
        at: datetime,
        record: RequestRecord,
    ) -> Prediction:
        """The stored prediction of this request; the photo is stored while the network runs.

        `caller`: keeps its variant. `record` learns what the metrics tell.

        Raises:
            RequestError: no photo that can be judged, no model, or the identity is taken.
        """
        upload = None
        data = request.data
        if data is None:
            upload = self.uploads.read(str(request.upload_key))
            if upload is None:
                return self._stored_or_missing(identity, record)
            data = upload.data
        lineup = self.models.lineup()
        refused = lineup.refused_to(caller)
        record.variant_failures = self.models.take_refusals() + (refused is not None)
        photo = decoded(data)
        record.stages[DECODE_LATENCY] = photo.decode_ms
        asked = Asked(identity.prediction_id, at, request.upload_key, identity.idempotency, refused)
        with self.writer.storing(photo.photo, data, photo.stats.format):
            judgement = judge(photo, lineup.for_caller(caller), asked)
            record.variant_failures += refused is None and judgement.failed is not None
            record.failed = judgement.failed
            record.stages[INFERENCE_LATENCY] = judgement.inference_ms
            started = perf_counter()
            prediction = self._kept(judgement.prediction, identity, record)
            if upload is not None:
                self.uploads.forget(upload)
        record.stages[WRITE_LATENCY] = (perf_counter() - started) * 1000
        record.prediction = prediction
        return prediction

    def _kept(
        self, prediction: Prediction, identity: RequestIdentity, record: RequestRecord
    ) -> Prediction:
        if self.writer.keep(prediction):
            return prediction
        stored = self.writer.stored(prediction.prediction_id)
        if stored is None:  # erased in between
            raise NotFoundError("The prediction of this request was erased. Send the photo anew.")
        record.repeated = True
        return identity.settle(stored, prediction.photo)

    def _stored_or_missing(self, identity: RequestIdentity, record: RequestRecord) -> Prediction:
        stored = self.writer.stored(identity.prediction_id)
        if stored is None:
            raise NotFoundError("There is no such upload. Ask POST /uploads for one.")
        record.repeated = True
        record.prediction = identity.settle(stored, None)
        return record.prediction
