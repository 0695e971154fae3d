"""Photos that come with labels, wherever they are: what seeding reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol


class LabelledPhotosError(Exception):
    """The photos cannot be used as they are; the message says what to change."""


class UnreadableFileError(Exception):
    """One file's bytes cannot be had."""


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """One photo that is there to be read.

    `read(limit)`: at most `limit` + 1 bytes, from any thread; raises `UnreadableFileError`.
    """

    name: str
    label: str
    read: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to read, before it is read. `words`: for a person, by label or class."""

    photos: int
    words: str


class LabelledPhotos(Protocol):
    """A folder, an archive, a published data set."""

    def find(self) -> Found:
        """Look through it; raises `LabelledPhotosError` if it says too little about labels."""

    def __iter__(self) -> Iterator[LabelledPhoto]:
        """The photos one by one, in an order that depends on nothing but them."""
