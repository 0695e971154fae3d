"""What the first photo waits for, done before it comes: decoders, models, the table's client."""

from __future__ import annotations

import io
import uuid
from typing import Final

from PIL import Image

from areyouacat.errors import NoModelError
from lambdas.serving.logic.answering import Answering
from lambdas.serving.logic.prediction import decoded
from lambdas.shared.observability import logger

_SIZE: Final = (500, 375)


def prime(answering: Answering) -> None:
    """Decodes a photo, loads what the serving pointer names and runs it once; keeps nothing.

    Without a model yet, the rest is done.
    """
    answering.writer.stored(str(uuid.uuid4()))  # nobody's: it makes the client ready
    photo = decoded(_photo())
    try:
        lineup = answering.models.lineup()
    except NoModelError as error:
        logger.info("primed without a model", reason=str(error))
        return
    for model in lineup.models.values():
        model.score(photo.model_input)
    versions = sorted(variant.version for variant in lineup.models)
    logger.info("primed", model_versions=versions)


def _photo() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", _SIZE, "grey").save(file, "JPEG")
    return file.getvalue()
