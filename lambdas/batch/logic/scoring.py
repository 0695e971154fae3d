"""Photos to rows: each is read, decoded and scored by the serving code; none stops the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Final

import numpy as np
from numpy.typing import NDArray

from areyouacat.batches import Location
from areyouacat.errors import CorruptModelError, RequestError
from areyouacat.images import decode, to_model_input
from areyouacat.lake import sha256_hex
from areyouacat.serving_pointer import Variant
from areyouacat.verdicts import label, verdict
from lambdas.serving.logic.ahead import ahead
from lambdas.serving.logic.loaded_model import LoadedModel, ModelFiles, Scores, load_variant

READERS: Final = 16  # threads; S3 answers in tens of milliseconds, a photo is scored in about ten
_AHEAD: Final = 32  # photos held in memory at once, at most 20 MB each
MODEL_FAILED: Final = "model_failed"


@dataclass(frozen=True, slots=True)
class Unread:
    """A photo that could not be read: an error code as the API's, and what is the matter."""

    code: str
    message: str


Read = Callable[[Location], bytes | Unread]


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one photo. Either `error` and `message` are None, or the answer is.

    `photo`: SHA-256 of its bytes; `width` and `height`: upright, in pixels; `format`: Pillow's
    name. `probability`: of the positive label, [0, 1]. `verdict`: the label or `unsure`. `error`:
    the code that the API would answer, or why the photo could not be read.
    """

    bucket: str
    key: str
    model_version: str
    photo: str | None = None
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    format: str | None = None
    probability: float | None = None
    label: str | None = None
    verdict: str | None = None
    error: str | None = None
    message: str | None = None


class ModelCopies:
    """One model, as often as photos are scored at a time; one copy serves one thread at a time."""

    def __init__(self, variant: Variant, files: ModelFiles, copies: int) -> None:
        """Loads all copies. Raises `CorruptModelError`, as `load_variant`."""
        loaded = [load_variant(variant, files) for _ in range(copies)]
        self.variant = variant
        self.copies = copies
        self.spec = loaded[0].spec
        self._free: SimpleQueue[LoadedModel] = SimpleQueue()
        for model in loaded:
            self._free.put(model)

    def score(self, model_input: NDArray[np.float32]) -> Scores:
        """As `LoadedModel.score`, by a copy that nobody else uses meanwhile."""
        model = self._free.get()
        try:
            return model.score(model_input)
        finally:
            self._free.put(model)


def rows(photos: Iterable[Location], read: Read, model: ModelCopies) -> Iterator[Row]:
    """A row for each photo, in order. Raises only what `read` raises: nobody can read then.

    LiteRT and Pillow let go of Python's lock, so as many cores work as the model has copies.
    """
    found = ahead(
        lambda location: (location, read(location)), photos, threads=READERS, window=_AHEAD
    )
    yield from ahead(
        lambda each: _row(*each, model), found, threads=model.copies, window=2 * model.copies
    )


def _row(location: Location, data: bytes | Unread, model: ModelCopies) -> Row:
    row = Row(location.bucket, location.key, model.variant.version)
    if isinstance(data, Unread):
        return replace(row, error=data.code, message=data.message)
    row = replace(row, photo=sha256_hex(data), size_bytes=len(data))
    try:
        decoded = decode(data)
        probability = round(model.score(to_model_input(decoded)).probability, 6)
    except RequestError as error:
        return replace(row, error=error.code, message=str(error))
    except (CorruptModelError, RuntimeError) as error:
        return replace(row, error=MODEL_FAILED, message=str(error))
    return replace(
        row,
        width=decoded.width,
        height=decoded.height,
        format=decoded.format,
        probability=probability,
        label=label(probability, model.spec.threshold),
        verdict=verdict(probability, model.spec.bands),
    )
