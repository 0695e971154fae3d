"""Cutting what is to be scored into chunks, once and for all, and going on where one stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from areyouacat.batches import Location, Progress
from areyouacat.errors import EmptyBatchError
from areyouacat.settings import BATCH

_CHUNKS_BETWEEN_SAVES: Final = 20  # what a planner that dies has to do again


class Source(Protocol):
    """Where a batch's photos are named."""

    def photos(self, position: str) -> Iterator[tuple[Location, str]]:
        """Photos from a position on, "" the beginning; each with the position behind it."""


class Chunks(Protocol):
    """Where chunks and the progress are kept."""

    def put_chunk(self, number: int, photos: Sequence[Location]) -> None:
        """Stores a chunk, in the place of what a planner that died may have left."""

    def save(self, progress: Progress) -> None:
        """Stores the progress. Raises if another planner was quicker."""


def plan(
    source: Source, chunks: Chunks, progress: Progress, expired: Callable[[], bool]
) -> Progress:
    """Goes on with a plan until it is whole or the time has `expired`; the progress then.

    The same chunks come of it however often it stops: a chunk is cut where the one before ends.

    Raises:
        EmptyBatchError: there is no photo at all.
    """
    if progress.whole:
        return progress
    pending: list[Location] = []
    position = progress.position
    for location, position in source.photos(progress.position):
        pending.append(location)
        if len(pending) == BATCH.photos_per_chunk:
            progress = _stored(chunks, progress, pending, position)
            pending = []
            if expired():
                chunks.save(progress)
                return progress
            if progress.chunks % _CHUNKS_BETWEEN_SAVES == 0:
                chunks.save(progress)
    if pending:
        progress = _stored(chunks, progress, pending, position)
    if not progress.photos:
        raise EmptyBatchError(
            "There is no photo there. Look whether the address ends as the keys begin."
        )
    progress = Progress(progress.chunks, progress.photos, position, whole=True)
    chunks.save(progress)
    return progress


def _stored(
    chunks: Chunks, progress: Progress, photos: Sequence[Location], position: str
) -> Progress:
    chunks.put_chunk(progress.chunks, photos)
    return Progress(progress.chunks + 1, progress.photos + len(photos), position)
