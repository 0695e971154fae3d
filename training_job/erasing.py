"""What remains of a shard when photos are taken out of it. Pure: bytes in, bytes out."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from areyouacat import lake
from areyouacat.lake import HeldLabel, IndexRow, LabelRecord
from training_job.feature_cache import dump_shard

_DAMAGED = (zipfile.BadZipFile, zlib.error, LookupError, EOFError, OSError, AttributeError)

R = TypeVar("R", IndexRow, LabelRecord, HeldLabel)

Photos = frozenset[str]
"""Photos by the SHA-256 of their bytes, 64 hex digits each."""


@dataclass(frozen=True, slots=True)
class FeatureRemainder:
    """What a feature shard becomes: the name it now has, and its two files.

    `stem`: their name without its ending, empty if nothing remains.
    """

    stem: str = ""
    vectors: bytes = b""
    listing: bytes = b""


def records_without(shard: bytes, record: type[R], erased: Photos) -> bytes | None:
    """A shard of records without the erased photos' records; None if nothing remains.

    Raises:
        ValueError, EOFError, OSError, zlib.error: the shard is damaged.
    """
    kept = [found for found in lake.load_shard(shard, record) if found.photo not in erased]
    return lake.dump_shard(kept) if kept else None


def listed_photos(listing: bytes, stem: str) -> list[str] | None:
    """The photos of a feature list, or None if it is not the list that its name promises."""
    if hashlib.sha256(listing).hexdigest()[:16] != stem:
        return None
    return listing.decode("ascii").split()


def stored_photos(vectors: bytes) -> list[str]:
    """The photos whose vectors an npz archive holds.

    Raises:
        ValueError: the archive is damaged.
    """
    try:
        with np.load(io.BytesIO(vectors), allow_pickle=False) as archive:
            return [photo.decode("ascii") for photo in archive["photos"]]
    except _DAMAGED as error:
        raise ValueError(f"not a whole npz archive: {error}") from error


def features_without(vectors: bytes, erased: Photos) -> FeatureRemainder:
    """A feature shard without the vectors of the erased photos.

    Raises:
        ValueError: the archive is damaged.
    """
    photos = stored_photos(vectors)
    kept = [number for number, photo in enumerate(photos) if photo not in erased]
    if not kept:
        return FeatureRemainder()
    try:
        with np.load(io.BytesIO(vectors), allow_pickle=False) as archive:
            remaining = archive["vectors"][kept]
    except _DAMAGED as error:
        raise ValueError(f"not a whole npz archive: {error}") from error
    names = [photos[number] for number in kept]
    listing = "".join(f"{photo}\n" for photo in names).encode("ascii")
    stem = hashlib.sha256(listing).hexdigest()[:16]
    return FeatureRemainder(stem, dump_shard(names, remaining), listing)


def names_any(photo_list: bytes, erased: Photos) -> bool:
    """Whether the JSON beside a sheet of worst mistakes names an erased photo by its hash.

    What is no JSON counts as naming one: the sheet beside it cannot be trusted either.
    """
    try:
        json.loads(photo_list)
    except ValueError:
        return True
    return any(photo.encode() in photo_list for photo in erased)
