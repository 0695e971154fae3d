"""Many small objects, a few asked for at a time: the lake takes some milliseconds for each."""

import itertools
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from areyouacat.lake import ERASED_PHOTO, photo_key
from lambdas.pipeline.logic.ports import Lake

READERS: Final = 8
"""How many objects are read side by side, and so are in memory at most."""


def read_ahead(lake: Lake, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Keys and bytes in the order of the keys; an object deleted since it was listed is left out.

    Errors of the lake are raised where the object would have come.
    """
    remaining = iter(keys)
    with ThreadPoolExecutor(READERS) as pool:
        waiting = deque(
            (key, pool.submit(lake.read, key)) for key in itertools.islice(remaining, READERS)
        )
        try:
            while waiting:
                key, reading = waiting.popleft()
                data = reading.result()
                for following in itertools.islice(remaining, 1):
                    waiting.append((following, pool.submit(lake.read, following)))
                if data is not None:
                    yield key, data
        finally:
            pool.shutdown(cancel_futures=True)


def gone_photos(lake: Lake, photos: Collection[str]) -> frozenset[str]:
    """Those whose bytes the lake does not hold: expired, or erased and so empty."""
    with ThreadPoolExecutor(READERS) as pool:
        sizes = pool.map(lake.size, map(photo_key, photos))
        return frozenset(
            photo
            for photo, size in zip(photos, sizes, strict=True)
            if size is None or size == len(ERASED_PHOTO)
        )
