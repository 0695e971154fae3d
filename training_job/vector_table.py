"""Feature vectors in one array, so that each of a million is in memory once and in one piece."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float16]


class VectorTable(Mapping[str, Vector]):
    """Vectors (dim,) by photo hash: a row for each photo asked for, in that order.

    A photo is in the mapping from when its row is filled. Memory is taken as rows are.
    """

    def __init__(self, photos: Iterable[str], dim: int) -> None:
        self._rows = {photo: row for row, photo in enumerate(dict.fromkeys(photos))}
        self._vectors = np.empty((len(self._rows), dim), np.float16)
        self._filled = np.zeros(len(self._rows), bool)

    def __getitem__(self, photo: str) -> Vector:
        row = self._rows[photo]
        if not self._filled[row]:
            raise KeyError(photo)
        vector: Vector = self._vectors[row]
        return vector

    def __contains__(self, photo: object) -> bool:
        row = self._rows.get(photo) if isinstance(photo, str) else None
        return row is not None and bool(self._filled[row])

    def __iter__(self) -> Iterator[str]:
        return (photo for photo, row in self._rows.items() if self._filled[row])

    def __len__(self) -> int:
        return int(np.count_nonzero(self._filled))

    def wants_any(self, photos: Iterable[str]) -> bool:
        """Whether one of them was asked for."""
        return not self._rows.keys().isdisjoint(photos)

    def fill(self, photos: Sequence[str], vectors: npt.NDArray[Any]) -> None:
        """Take over the vectors (n, dim) of these photos; those not asked for are passed over."""
        places = [
            (at, row)
            for at, photo in enumerate(photos)
            if (row := self._rows.get(photo)) is not None
        ]
        if places:
            taken, rows = np.array(places).T
            self._vectors[rows] = vectors[taken]
            self._filled[rows] = True

    def missing(self) -> list[str]:
        """The photos whose rows are not filled, in order."""
        return [photo for photo, row in self._rows.items() if not self._filled[row]]

    def stacked(self, photos: Sequence[str]) -> npt.NDArray[np.float16]:
        """Their vectors (n, dim), to read only; no copy where their rows follow one another.

        Raises KeyError for a photo whose row is not filled.
        """
        rows = np.fromiter((self._rows[photo] for photo in photos), np.int64, len(photos))
        if not self._filled[rows].all():
            raise KeyError(photos[int(np.argmin(self._filled[rows]))])
        in_one_piece = len(rows) > 0 and bool((np.diff(rows) == 1).all())
        chosen = slice(int(rows[0]), int(rows[-1]) + 1) if in_one_piece else rows
        stacked: npt.NDArray[np.float16] = self._vectors[chosen]
        stacked.flags.writeable = False
        return stacked
