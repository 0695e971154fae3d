"""The body of `POST /feedback`."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from areyouacat.errors import EmptyBodyError, InvalidRequestError
from areyouacat.settings import LABELS


def _known_label(label: str) -> str:
    if label not in LABELS.all:
        raise ValueError(f"must be one of {', '.join(LABELS.all)}")
    return label


class FeedbackRequest(BaseModel):
    """What a photo shows, says a person who has seen the prediction."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    prediction_id: Annotated[str, Field(min_length=1, max_length=128)]
    label: Annotated[str, AfterValidator(_known_label)]


def parse_feedback(body: str | None, *, is_base64: bool) -> FeedbackRequest:
    """The request in a proxy event's body.

    Raises:
        EmptyBodyError: there is no body.
        InvalidRequestError: not JSON, or not this shape; the message names every fault.
    """
    if not body:
        raise EmptyBodyError('The body is empty. Send {"prediction_id": ..., "label": ...}.')
    try:
        data = base64.b64decode(body, validate=True) if is_base64 else body.encode()
        return FeedbackRequest.model_validate_json(data)
    except ValidationError as error:
        raise InvalidRequestError(_faults(error)) from error
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidRequestError("The body is not JSON.") from error


def _faults(error: ValidationError) -> str:
    """`label: must be one of ...; extra: ...`, without the values that were sent."""
    return "; ".join(
        f"{'.'.join(map(str, fault['loc']))[:64] or 'body'}: "
        f"{fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    )
