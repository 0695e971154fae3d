"""The JSON bodies that callers send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from areyouacat.contract import Label, Schema
from areyouacat.settings import IMAGES, LABELS


def _one_of(allowed: Sequence[str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return value

    return check


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class UploadRequest(_Request):
    """What kind of photo will be uploaded."""

    content_type: Annotated[
        str,
        AfterValidator(_one_of(IMAGES.media_types)),
        Schema("The photo's type", enum=list(IMAGES.media_types)),
    ]


class FeedbackRequest(_Request):
    """What a photo shows, says a person who has seen the prediction."""

    # No pattern: an id that cannot be is as unknown as one that is not there.
    prediction_id: Annotated[str, Field(min_length=1), Schema("As it was answered")]
    label: Annotated[Label, AfterValidator(_one_of(LABELS.all))]
