"""Cutting what is to be scored into chunks, once and for all, and going on where one stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import Final, Protocol

from areyouacat.batches import Location, Progress
from areyouacat.errors import EmptyBatchError
from areyouacat.settings import BATCH

_WRITERS: Final = 16  # threads; S3 takes a chunk in tens of milliseconds
_CHUNKS_BETWEEN_SAVES: Final = 100  # what a planner that dies has to do again


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
    with ThreadPoolExecutor(_WRITERS) as pool:
        writing = _Writing(chunks, pool)
        for photos, position in _cut(source, progress.position):
            writing.put(progress.chunks, photos)
            progress = Progress(progress.chunks + 1, progress.photos + len(photos), position)
            if expired():
                writing.save(progress)
                return progress
            if progress.chunks % _CHUNKS_BETWEEN_SAVES == 0:
                writing.save(progress)
        if not progress.photos:
            raise EmptyBatchError(
                "There is no photo there. Look whether the address ends as the keys begin."
            )
        progress = replace(progress, whole=True)
        writing.save(progress)
    return progress


class _Writing:
    """Writes chunks side by side, while the next ones are listed."""

    def __init__(self, chunks: Chunks, pool: ThreadPoolExecutor) -> None:
        self._chunks = chunks
        self._pool = pool
        self._begun: list[Future[None]] = []

    def put(self, number: int, photos: Sequence[Location]) -> None:
        self._begun.append(self._pool.submit(self._chunks.put_chunk, number, photos))

    def save(self, progress: Progress) -> None:
        """Saves what says that chunks are there once they are."""
        for written in self._begun:
            written.result()
        self._begun.clear()
        self._chunks.save(progress)


def _cut(source: Source, position: str) -> Iterator[tuple[list[Location], str]]:
    """Chunks of photos from a position on, each with the position behind it."""
    photos = source.photos(position)
    while chunk := list(islice(photos, BATCH.photos_per_chunk)):
        yield [location for location, _ in chunk], chunk[-1][1]
