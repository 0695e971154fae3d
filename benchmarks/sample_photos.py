"""Photos for measurements, made and not found: the same bytes each time, and nobody's."""

import io
from collections.abc import Iterator
from itertools import count
from typing import Final

import numpy as np
from PIL import Image

SMALL: Final = (500, 375)
LARGE: Final = (4000, 3000)  # 12 megapixels
_GRAIN: Final = 6  # of the noise, in grey levels to both sides
_STRUCTURE_PX: Final = 16


def photo_like(size: tuple[int, int], seed: int = 1) -> bytes:
    """A JPEG that costs what a photo of `size` (width, height) costs: soft shapes and noise."""
    width, height = size
    random = np.random.default_rng(seed)
    coarse = (height // _STRUCTURE_PX + 2, width // _STRUCTURE_PX + 2, 3)
    shapes = Image.fromarray(random.integers(0, 256, coarse, dtype=np.uint8))
    pixels = np.asarray(shapes.resize(size, Image.Resampling.BICUBIC), dtype=np.int16)
    pixels = pixels + random.integers(-_GRAIN, _GRAIN + 1, (height, width, 1), dtype=np.int16)
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=85)
    return file.getvalue()


def different(photo: bytes, start: int = 0) -> Iterator[bytes]:
    """The same picture for ever, each time in other bytes: what follows a JPEG is not looked at."""
    return (photo + number.to_bytes(8, "big") for number in count(start))
