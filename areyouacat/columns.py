"""Index rows and labels of millions of photos in little memory: numbers in columns, not objects.

A photo takes about 80 bytes of index and 50 of labels. Records come in any order and may repeat;
`IndexColumns.first` and `LabelColumns.latest` say what counts.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from areyouacat.drift_features import INPUT_FEATURES, input_features
from areyouacat.lake import IndexRow, LabelRecord, parse_utc
from areyouacat.settings import SLICES, SliceRules
from areyouacat.slices import slices_of

Photos: TypeAlias = NDArray[np.bytes_]
"""Photo hashes as 32 raw bytes each, dtype S32. Read them out with `photo_names` only: a single
element loses the zero bytes at its end."""

Positions: TypeAlias = NDArray[np.int64]

HASH_BYTES: Final = 32
_LOOKS_BYTES: Final = 8
_NAMES_AT_ONCE: Final = 4096
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def photo_bytes(photo: str) -> bytes:
    """A photo's hash as 32 raw bytes.

    Raises:
        ValueError: it is not written as 64 lower-case hex digits.
    """
    raw = bytes.fromhex(photo)
    if len(raw) != HASH_BYTES or raw.hex() != photo:
        raise ValueError(f"{photo!r} is not a photo's hash of 64 hex digits")
    return raw


def photo_array(hashes: bytes | bytearray) -> Photos:
    """Raw hashes, one behind the other, as an array; it shares the memory of `hashes`."""
    return np.frombuffer(hashes, dtype=f"S{HASH_BYTES}")


def photo_names(photos: Photos) -> list[str]:
    """The hashes as 64 hex digits each."""
    digits = photos.tobytes().hex()
    width = 2 * HASH_BYTES
    return [digits[start : start + width] for start in range(0, len(digits), width)]


def names_at(photos: Photos, positions: Positions) -> Iterator[str]:
    """The hashes at some positions as hex digits; few are in memory as text at a time."""
    for start in range(0, len(positions), _NAMES_AT_ONCE):
        yield from photo_names(photos[positions[start : start + _NAMES_AT_ONCE]])


def find(photos: Photos, among: Photos) -> tuple[Positions, NDArray[np.bool_]]:
    """Where `photos` stand in the sorted `among`, and which of them are there at all."""
    if not len(among):
        return np.zeros(len(photos), np.int64), np.zeros(len(photos), bool)
    places = np.minimum(np.searchsorted(among, photos), len(among) - 1)
    return places, among[places] == photos


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """A column of few different values: `values[codes[i]]` is the value of photo i."""

    codes: NDArray[np.int32]
    values: tuple[Any, ...]

    def take(self, positions: Positions) -> Self:
        """The column of some of the photos."""
        return type(self)(self.codes[positions], self.values)

    def counts(self) -> dict[Any, int]:
        """Photos by value, sorted by value; absent where zero."""
        numbers = np.bincount(self.codes, minlength=len(self.values)).tolist()
        return {v: n for v, n in sorted(zip(self.values, numbers, strict=True)) if n}


class _CategoryColumn:
    """A growing column of few different values."""

    def __init__(self) -> None:
        self._code: dict[Any, int] = {}
        self._codes = array("i")

    def append(self, value: str | tuple[str, ...]) -> None:
        code = self._code.get(value)
        if code is None:
            if not isinstance(value, (str, tuple)):
                raise ValueError(f"{value!r} is not a name")
            code = self._code[value] = len(self._code)
        self._codes.append(code)

    def categories(self) -> Categories:
        return Categories(np.frombuffer(self._codes, np.int32), tuple(self._code))


@dataclass(frozen=True, slots=True, eq=False)
class IndexTable:
    """One row per photo, sorted by photo; `ingested_at` in microseconds since 1970.

    `inputs`: (photos, features), `drift_features.INPUT_FEATURES`.
    """

    photos: Photos
    looks: NDArray[np.uint64]
    ingested_at: NDArray[np.int64]
    sources: Categories
    slices: Categories
    inputs: NDArray[np.float32]


class IndexColumns:
    """Index rows as they are read."""

    def __init__(self, rows: Iterable[IndexRow] = (), rules: SliceRules = SLICES) -> None:
        self._rules = rules
        self._photos = bytearray()
        self._looks = array("Q")
        self._ingested_at = array("q")
        self._sources = _CategoryColumn()
        self._slices = _CategoryColumn()
        self._inputs = array("f")
        self.extend(rows)

    def extend(self, rows: Iterable[IndexRow]) -> None:
        """Add rows.

        Raises:
            ValueError, TypeError: a row holds what it cannot hold. The columns are of no use then.
        """
        for row in rows:
            self._photos += photo_bytes(row.photo)
            self._looks.append(_looks(row.perceptual_hash))
            self._ingested_at.append(_microseconds(row.ingested_at))
            self._sources.append(row.source)
            self._slices.append(slices_of(row, self._rules))
            self._inputs.extend(input_features(row))

    def first(self) -> IndexTable:
        """Each photo once, by its earliest row; of rows of one moment the one read first."""
        photos = photo_array(self._photos)
        at = np.frombuffer(self._ingested_at, np.int64)
        order = np.lexsort((at, photos))
        photos = photos[order]
        starts = _starts(photos)
        order = order[starts]
        return IndexTable(
            photos[starts],
            np.frombuffer(self._looks, np.uint64)[order],
            at[order],
            self._sources.categories().take(order),
            self._slices.categories().take(order),
            np.frombuffer(self._inputs, np.float32).reshape(-1, len(INPUT_FEATURES))[order],
        )


@dataclass(frozen=True, slots=True, eq=False)
class LabelTable:
    """One label per photo, sorted by photo.

    `overruled`: an earlier label said otherwise. `contradicted`: another label of the same moment
    does.
    """

    photos: Photos
    labels: Categories
    labelled_by: Categories
    overruled: NDArray[np.bool_]
    contradicted: NDArray[np.bool_]


class LabelColumns:
    """Label records as they are read."""

    def __init__(self, records: Iterable[LabelRecord] = ()) -> None:
        self._photos = bytearray()
        self._labelled_at = array("q")
        self._labels = _CategoryColumn()
        self._labelled_by = _CategoryColumn()
        self.extend(records)

    def extend(self, records: Iterable[LabelRecord]) -> None:
        """Add records.

        Raises:
            ValueError, TypeError: a record holds what it cannot hold. The columns are of no use
                then.
        """
        for record in records:
            self._photos += photo_bytes(record.photo)
            self._labelled_at.append(_microseconds(record.labelled_at))
            self._labels.append(record.label)
            self._labelled_by.append(record.source)

    def latest(self) -> LabelTable:
        """Each photo once, by its latest record; of records of one moment the one read first."""
        photos = photo_array(self._photos)
        at = np.frombuffer(self._labelled_at, np.int64)
        labels = self._labels.categories()
        order = np.lexsort((-at, photos))
        photos = photos[order]
        starts = _starts(photos)
        latest = order[starts]

        number = np.cumsum(starts) - 1
        otherwise = labels.codes[order] != labels.codes[latest][number]
        same_moment = at[order] == at[latest][number]
        return LabelTable(
            photos[starts],
            labels.take(latest),
            self._labelled_by.categories().take(latest),
            overruled=_marked(number[otherwise & ~same_moment], len(latest)),
            contradicted=_marked(number[otherwise & same_moment], len(latest)),
        )


def _starts(photos: Photos) -> NDArray[np.bool_]:
    """Where a new photo begins among sorted ones."""
    starts = np.ones(len(photos), bool)
    starts[1:] = photos[1:] != photos[:-1]
    return starts


def _marked(positions: Positions, size: int) -> NDArray[np.bool_]:
    marked = np.zeros(size, bool)
    marked[positions] = True
    return marked


def _looks(perceptual_hash: str) -> int:
    raw = bytes.fromhex(perceptual_hash)
    if len(raw) != _LOOKS_BYTES or len(perceptual_hash) != 2 * _LOOKS_BYTES:
        raise ValueError(f"{perceptual_hash!r} is not a perceptual hash of 16 hex digits")
    return int.from_bytes(raw, "big")


@lru_cache(maxsize=4096)  # a seeding gives one moment to all of its photos
def _microseconds(moment: str) -> int:
    if not isinstance(moment, str):
        raise ValueError(f"{moment!r} is not a moment")
    return (parse_utc(moment) - _EPOCH) // timedelta(microseconds=1)
