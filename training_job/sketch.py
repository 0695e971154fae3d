"""The sketch: a fixed projection of the embedding, small enough to store with each prediction."""

import numpy as np
import numpy.typing as npt

from areyouacat.settings import SKETCH_DIM
from training_job.settings import SKETCH_SEED


def sketch_projection(dim: int, sketch_dim: int = SKETCH_DIM) -> npt.NDArray[np.float32]:
    """Orthonormal columns (dim, sketch_dim), the same for ever: distances roughly survive."""
    random = np.random.default_rng(SKETCH_SEED).standard_normal((dim, sketch_dim))
    orthonormal, triangle = np.linalg.qr(random)
    # QR leaves the signs to the linear algebra library; this fixes them.
    return (orthonormal * np.sign(np.diag(triangle))).astype(np.float32)
