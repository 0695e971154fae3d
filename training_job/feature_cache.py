"""Feature vectors in the lake, packed in shards under the backbone's hash and the view's name.

A shard is `<name>.npz` (`photos`: S64, `vectors`: float16 n x dim) with `<name>.txt` beside it:
the photo hashes, one a line. The name is the hash of that list, so that computing the same
photos again writes the same keys. The list is written last: a shard without it is not there.

float16 halves what a retrain reads; the rounding (relative 5e-4) moves probabilities by less than
the arithmetic of the exported model does.
"""

import hashlib
import io
import logging
import zipfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from areyouacat.lake import ORIGINAL_VIEW, features_prefix
from areyouacat.settings import BackboneSpec
from training_job.lake_store import LakeStore, ObjectMissingError
from training_job.settings import FEATURES
from training_job.vector_table import Vector, VectorTable

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FeatureCache:
    """The stored vectors that one backbone gave for one view of the photos."""

    lake: LakeStore
    spec: BackboneSpec
    view: str = ORIGINAL_VIEW

    def load(self, photos: Iterable[str]) -> VectorTable:
        """The stored vectors of these photos; the others' rows are left open.

        A shard that is damaged or incomplete is passed over with a warning: its photos count
        as not stored, unless another shard has them too. Of two shards the later counts.
        """
        table = VectorTable(photos, self.spec.embedding_dim)
        with ThreadPoolExecutor(FEATURES.transfer_threads) as pool:
            lists = [key for key in self.lake.list_keys(self._prefix) if key.endswith(".txt")]
            held = pool.map(lambda key: table.wants_any(self._read_list(key)), lists)
            useful = [key for key, wanted in zip(lists, held, strict=True) if wanted]
            # A few at a time: threads that run ahead would have a second copy of it all in memory.
            for start in range(0, len(useful), FEATURES.shards_at_once):
                some = useful[start : start + FEATURES.shards_at_once]
                for names, vectors in pool.map(self._read_shard, some):
                    table.fill(names, vectors)
        return table

    def store(self, vectors: Mapping[str, Vector]) -> None:
        """Write one shard; the same photos again replace it with the same bytes."""
        if not vectors:
            return
        photos = sorted(vectors)
        listing = _listing(photos)
        stem = self._prefix + hashlib.sha256(listing).hexdigest()[:16]
        self.lake.write(f"{stem}.npz", dump_shard(photos, [vectors[photo] for photo in photos]))
        self.lake.write(f"{stem}.txt", listing)

    @property
    def _prefix(self) -> str:
        return features_prefix(self.spec.hash, self.view)

    def _read_list(self, key: str) -> list[str]:
        try:
            return self.lake.read(key).decode("ascii").split()
        except (ObjectMissingError, UnicodeDecodeError) as error:
            _LOG.warning("feature list %s is damaged (%r); it is passed over", key, error)
            return []

    def _read_shard(self, list_key: str) -> tuple[list[str], npt.NDArray[np.float16]]:
        key = list_key.removesuffix(".txt") + ".npz"
        try:
            photos, vectors = load_shard(self.lake.read(key), self.spec.embedding_dim)
            stem = hashlib.sha256(_listing(photos)).hexdigest()[:16]
            if not key.endswith(f"/{stem}.npz"):
                raise ValueError("it holds other photos than its name says")
        except (ObjectMissingError, ValueError) as error:
            _LOG.warning("feature shard %s is damaged (%s); its photos are recomputed", key, error)
            return [], np.empty((0, self.spec.embedding_dim), np.float16)
        return photos, vectors


def dump_shard(photos: Iterable[str], vectors: Iterable[Vector]) -> bytes:
    """An npz archive; the same contents give the same bytes."""
    stream = io.BytesIO()
    np.savez(stream, photos=np.array(list(photos), dtype="S64"), vectors=np.stack(list(vectors)))
    return stream.getvalue()


def load_shard(data: bytes, dim: int) -> tuple[list[str], npt.NDArray[np.float16]]:
    """Photos and vectors of a shard. Raises ValueError if it is damaged.

    The archive's checksums find changed bytes; the rest is checked here.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            photos, vectors = archive["photos"], archive["vectors"]
    except (zipfile.BadZipFile, KeyError, EOFError, OSError, NotImplementedError) as error:
        raise ValueError(f"not a whole npz archive: {error}") from error
    if photos.dtype != np.dtype("S64") or vectors.shape != (len(photos), dim):
        raise ValueError(f"unexpected shapes {photos.shape} {photos.dtype}, {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise ValueError("it holds values that are not finite")
    return [photo.decode("ascii") for photo in photos], vectors.astype(np.float16, copy=False)


def _listing(photos: Iterable[str]) -> bytes:
    return "".join(f"{photo}\n" for photo in photos).encode("ascii")
