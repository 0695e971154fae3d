"""What is measured of a photo once, at ingest, so that nothing has to open it again."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from areyouacat.images import Photo

_STATS_PX: Final = 128


@dataclass(frozen=True, slots=True)
class ImageStats:
    """Statistics of one photo.

    `width`, `height`: pixels of the original, upright. `brightness`: mean grey, [0, 1].
    `contrast`: standard deviation of grey, [0, 0.5]. `sharpness`: variance of the
    Laplacian of grey, >= 0. `perceptual_hash`: 64 bits as 16 hex digits (difference hash).
    """

    width: int
    height: int
    format: str
    brightness: float
    contrast: float
    sharpness: float
    perceptual_hash: str


def image_stats(photo: Photo) -> ImageStats:
    """Measure a decoded photo; cheap, since it works on a thumbnail."""
    grey = photo.image.convert("L")
    small = grey.resize((_STATS_PX, _STATS_PX), Image.Resampling.BILINEAR, reducing_gap=2.0)
    values = np.asarray(small, dtype=np.float32) / 255.0
    laplacian = (
        values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:]
    ) - 4.0 * values[1:-1, 1:-1]
    return ImageStats(
        width=photo.width,
        height=photo.height,
        format=photo.format,
        brightness=round(float(values.mean()), 6),
        contrast=round(float(values.std()), 6),
        sharpness=round(float(laplacian.var()), 6),
        perceptual_hash=_difference_hash(small),
    )


def _difference_hash(grey: Image.Image) -> str:
    cells = np.asarray(grey.resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    bits = (cells[:, 1:] > cells[:, :-1]).reshape(-1)
    return np.packbits(bits).tobytes().hex()
