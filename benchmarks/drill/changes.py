"""How the world may change: what becomes of a photo, and who comes before the camera."""

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

Photo = bytes

_DARKNESS: Final = 0.2  # of the light is left
_BLUE_HOUR: Final = (0.8, 0.9, 1.0)  # red, green and blue that are left of that
_SENSOR_NOISE: Final = 1.0  # standard deviation, of 255
_CHEAP_PX: Final = 48  # short side
_NIGHT_QUALITY, _CHEAP_QUALITY = 85, 60  # JPEG's


@dataclass(frozen=True, slots=True)
class Change:
    """A kind of change. `visitors`: whether it is nothing without photos of new animals."""

    name: str
    meaning: str
    of_photo: Callable[[Photo], Photo]
    needs_visitors: bool = False


def night(photo: Photo) -> Photo:
    """A fifth of the light, bluish, with the noise of a sensor."""
    pixels = np.asarray(_opened(photo), dtype=np.float64) * _DARKNESS * np.array(_BLUE_HOUR)
    # The same photo is the same night: a request that is sent again must be the same bytes.
    seed = int.from_bytes(hashlib.sha256(photo).digest()[:8], "big")
    pixels += np.random.default_rng(seed).normal(0.0, _SENSOR_NOISE, pixels.shape)
    return _jpeg(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), _NIGHT_QUALITY)


def cheap_camera(photo: Photo) -> Photo:
    """48 pixels on the short side, compressed hard. A photo that has no more stays as it is."""
    image = _opened(photo)
    scale = _CHEAP_PX / min(image.size)
    if scale >= 1:
        return photo
    width, height = (max(1, round(side * scale)) for side in image.size)
    return _jpeg(image.resize((width, height), Image.Resampling.BILINEAR), _CHEAP_QUALITY)


def as_it_is(photo: Photo) -> Photo:
    """Nothing happens to the photo."""
    return photo


CHANGES: Final[Mapping[str, Change]] = {
    change.name: change
    for change in (
        Change("night", "a fifth of the light, bluish, noisy", night),
        Change("cheap_camera", "48 pixels, compressed hard", cheap_camera),
        Change("new_animal", "an animal that no label has named yet", as_it_is, True),
    )
}


def _opened(photo: Photo) -> Image.Image:
    return Image.open(io.BytesIO(photo)).convert("RGB")


def _jpeg(image: Image.Image, quality: int) -> Photo:
    written = io.BytesIO()
    image.save(written, "JPEG", quality=quality)
    return written.getvalue()
