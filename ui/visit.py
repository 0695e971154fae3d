"""What a person asked in one visit, and what became of it; the page only draws it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from PIL import Image

from areyouacat.lake import sha256_hex
from ui import photos, words
from ui.answers import Prediction
from ui.api_errors import (
    ApiError,
    NoModelYetError,
    PhotoRefusedError,
    UnknownPredictionError,
)
from ui.client import Api

KEPT: Final = 60
"""Photos that a visit remembers; the oldest leave first."""


@dataclass
class Asked:
    """One photo of a visit. Exactly one of `prediction`, `problem` and `erased` is set.

    `name`: SHA-256 of its bytes. `title`: what the person calls it. `photo`: its bytes, kept while
    the question may be asked again. `shown`: the photo for the screen, `None` if it cannot be
    opened. `label`: what the person said it shows. `problem`, `trouble`: a sentence on why there is
    no answer, and on why the last gesture had no effect. `erased`: a sentence on what is gone.
    """

    name: str
    title: str
    photo: bytes
    shown: Image.Image | None = None
    prediction: Prediction | None = None
    label: str | None = None
    problem: str | None = None
    may_retry: bool = False
    trouble: str | None = None
    erased: str | None = None


class Visit:
    """The photos of one visit in the order in which they were asked, each once."""

    def __init__(self) -> None:
        """Nothing asked yet."""
        # All visitors share one API key; by this each keeps the model that answers.
        self.session: Final = str(uuid.uuid4())
        self._asked: dict[str, Asked] = {}

    def __iter__(self) -> Iterator[Asked]:
        """The newest first."""
        return reversed(list(self._asked.values()))

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._asked)

    def knows(self, photo: bytes) -> bool:
        """Whether these bytes were asked in this visit."""
        return sha256_hex(photo) in self._asked

    def get(self, name: str | None) -> Asked | None:
        """A photo by its name."""
        return self._asked.get(name or "")

    def ask(self, api: Api, photo: bytes, title: str) -> Asked:
        """The API's answer to a photo, or why there is none; asked again, nothing is sent again.

        Raises `NoModelYetError`, after which the photo is as if never asked.
        """
        name = sha256_hex(photo)
        if name not in self._asked:
            one = Asked(name, title, photo)
            self._predict(api, one)
            self._asked[name] = one
            while len(self._asked) > KEPT:
                del self._asked[next(iter(self._asked))]
        return self._asked[name]

    def ask_again(self, api: Api, one: Asked) -> None:
        """Another attempt at a photo without an answer."""
        if one.prediction is None and one.may_retry:
            try:
                self._predict(api, one)
            except NoModelYetError as error:
                one.problem, one.may_retry = str(error), True

    def say(self, api: Api, one: Asked, label: str) -> None:
        """Tell the API what the photo shows; `one.label` if it took it, else `one.trouble`."""
        if one.prediction is None:
            return
        one.trouble = None
        try:
            api.feedback(one.prediction.prediction_id, label)
        except ApiError as error:
            one.trouble = str(error)
        else:
            one.label = label

    def withdraw(self, api: Api, one: Asked) -> None:
        """Take back what was said, as if nothing had been."""
        if one.prediction is None or one.label is None:
            return
        one.trouble = None
        try:
            api.withdraw(one.prediction.prediction_id)
        except ApiError as error:
            one.trouble = str(error)
        else:
            one.label = None

    def erase(self, api: Api, one: Asked) -> None:
        """Have photo, answer and feedback erased for good."""
        if one.prediction is None:
            return
        one.trouble = None
        try:
            photo_erased = api.erase(one.prediction.prediction_id)
        except UnknownPredictionError as error:
            gone = str(error)
        except ApiError as error:
            one.trouble = str(error)
            return
        else:
            gone = words.erased(photo_erased=photo_erased)
        one.erased, one.prediction, one.shown, one.label = gone, None, None, None

    def _predict(self, api: Api, one: Asked) -> None:
        one.problem, one.may_retry = None, False
        try:
            one.prediction = api.predict(photos.to_send(one.photo), session=self.session)
        except NoModelYetError:
            raise
        except ApiError as error:
            one.problem = str(error)
            one.may_retry = not isinstance(error, PhotoRefusedError)
        one.shown = photos.to_show(one.photo)
        if not one.may_retry:
            one.photo = b""
