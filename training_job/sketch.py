"""The sketch: a fixed projection of the embedding, small enough to store with each prediction."""

from typing import Any

import numpy as np
import numpy.typing as npt

from areyouacat.settings import SKETCH_DIM
from training_job.settings import SKETCH_SEED

_CHUNK = 8_192  # photos that are in memory as float32 at once


def sketches(embeddings: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """The sketches (n, sketch_dim) of stored embeddings (n, dim)."""
    projection = sketch_projection(embeddings.shape[1])
    found = np.empty((len(embeddings), projection.shape[1]), np.float32)
    for at in range(0, len(embeddings), _CHUNK):
        found[at : at + _CHUNK] = embeddings[at : at + _CHUNK] @ projection
    return found


def sketch_projection(dim: int, sketch_dim: int = SKETCH_DIM) -> npt.NDArray[np.float32]:
    """Orthonormal columns (dim, sketch_dim), the same for ever: distances roughly survive."""
    random = np.random.default_rng(SKETCH_SEED).standard_normal((dim, sketch_dim))
    orthonormal, triangle = np.linalg.qr(random)
    # QR leaves the signs to the linear algebra library; this fixes them.
    return (orthonormal * np.sign(np.diag(triangle))).astype(np.float32)
