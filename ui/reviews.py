"""What the Label page asks a person, and what an answer leaves in the lake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from areyouacat.lake import HeldLabel, photo_key
from areyouacat.predictions import Prediction
from areyouacat.review_queue import Decision, ReviewQueue, ReviewQueueError
from ui import aws
from ui.lake import Lake
from ui.unsure import UnsurePhotos

_NOBODY: Final = ""


@dataclass(frozen=True)
class Question:
    """A photo, by its SHA-256. Either `held`, a caller's label, or `prediction`, an unsure one."""

    photo: str
    held: HeldLabel | None = None
    prediction: Prediction | None = None


@dataclass(frozen=True)
class Answer:
    """What a person said; `label` is `None` where nobody can tell.

    `written`: keys in the lake. `kept`: whether the photo was taken out of retention for it.
    """

    question: Question
    label: str | None
    written: tuple[str, ...]
    kept: bool


class Reviews:
    """Both queues. All calls raise `aws.AwsError`."""

    def __init__(self, lake: Lake, predictions: UnsurePhotos) -> None:
        """Reads and writes through both."""
        self._lake = lake
        self._queue = ReviewQueue(lake)
        self._predictions = predictions

    def held(self) -> tuple[Question, ...]:
        """Labels of callers that wait for a person, the oldest first."""
        with _in_words():
            return tuple(Question(one.photo, held=one) for one in self._queue.waiting())

    def unsure(self, now: datetime) -> tuple[Question, ...]:
        """Photos the model was unsure about that have no label, the newest first."""
        found = self._predictions.newest(now)
        with _in_words():
            left = self._queue.undecided(one.photo for one in found)
        return tuple(Question(one.photo, prediction=one) for one in found if one.photo in left)

    def photo(self, photo: str) -> bytes:
        """A photo's bytes; raises `lake.GoneError` if it is not there any more."""
        return self._lake.read(photo_key(photo))

    def answer(self, question: Question, label: str | None, who: str) -> Answer:
        """Write what a person says: a label that teaches, or that nobody can tell.

        A reviewer's label is written beside callers' feedback, not as such: it is not held, not
        capped, and does not count towards the accuracy among callers, which hard photos would bend.
        """
        said = question.held or HeldLabel(question.photo, _NOBODY, _NOBODY, _NOBODY, _NOBODY)
        now, kept = datetime.now(UTC), False
        with _in_words():
            if label is None:
                written = self._queue.decide(Decision((), (said,), who, now))
            else:
                if question.prediction is not None:
                    # First: a label without its photo teaches nothing.
                    self._queue.take_in(question.prediction)
                    kept = self._lake.keep(question.photo)
                written = self._queue.decide(Decision((replace(said, label=label),), (), who, now))
        return Answer(question, label, written, kept)

    def take_back(self, answer: Answer) -> None:
        """As if it had not been said; a data set that was frozen meanwhile keeps it."""
        for key in answer.written:
            self._lake.delete(key)
        if answer.kept:
            self._lake.let_expire(answer.question.photo)


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except ReviewQueueError as error:
        raise aws.AwsError(f"{str(error)[:1].upper()}{str(error)[1:]}") from error
