"""Bytes to a photo, and a photo to what the network sees.

Training and serving share these functions, so a model is fed in production what it
was fed in training. Draft decoding changes pixels a little: sharing it is the point.
"""

import io
import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from areyouacat.errors import (
    EmptyBodyError,
    PayloadTooLargeError,
    TooManyPixelsError,
    UnreadableImageError,
    UnsupportedFormatError,
)
from areyouacat.settings import BACKBONE, IMAGES

INPUT_PX: Final = BACKBONE.input_px
_KNOWN_FORMATS: Final = (*IMAGES.formats, "BMP", "TIFF", "ICO", "PPM")

Image.MAX_IMAGE_PIXELS = None  # our own limit is checked before any pixel is decoded


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded photo.

    `image` is RGB, upright (EXIF applied) and may be smaller than the original, but never
    smaller than the network's input where the original was not. `width` and `height` are
    the original's, upright, in pixels. `format` is Pillow's name, found by content.
    """

    image: Image.Image
    width: int
    height: int
    format: str


def decode(data: bytes) -> Photo:
    """Decode an image of an accepted format (`settings.IMAGES`), judged by its content.

    An animation gives its first frame; transparency is laid on white.

    Raises:
        EmptyBodyError: no bytes.
        PayloadTooLargeError: more than `IMAGES.max_bytes` bytes.
        UnsupportedFormatError: an image of a format that is not accepted.
        TooManyPixelsError: more than `IMAGES.max_pixels` pixels (checked before decoding).
        UnreadableImageError: not an image, truncated or damaged.
    """
    if not data:
        raise EmptyBodyError("The body is empty. Send the bytes of a photo.")
    if len(data) > IMAGES.max_bytes:
        raise PayloadTooLargeError(
            f"The photo has {len(data):,} bytes; at most {IMAGES.max_bytes:,} are accepted."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=_KNOWN_FORMATS) as image:
                return _decode_opened(image)
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        IndexError,
        KeyError,
        TypeError,
        OverflowError,
        MemoryError,
        Image.DecompressionBombError,
    ) as error:
        raise UnreadableImageError(
            f"The bytes cannot be read as an image. Send a whole {', '.join(IMAGES.formats)} file."
        ) from error


def _decode_opened(image: Image.Image) -> Photo:
    found = image.format or ""
    if found == "MPO":  # a JPEG with further pictures behind it; the first is the photo
        found = "JPEG"
    if found not in IMAGES.formats:
        raise UnsupportedFormatError(
            f"{found} is not accepted. Send one of {', '.join(IMAGES.formats)}."
        )
    width, height = image.size
    if width < 1 or height < 1:
        raise UnreadableImageError("The image has no pixels.")
    if width * height > IMAGES.max_pixels:
        raise TooManyPixelsError(
            f"The photo has {width}x{height} pixels; at most {IMAGES.max_pixels:,} are accepted."
        )
    if found == "JPEG":
        # Decodes at 1/2, 1/4 or 1/8 where that still covers the network's input.
        image.draft("RGB", (INPUT_PX, INPUT_PX))
    turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    upright = ImageOps.exif_transpose(image)
    return Photo(
        image=_to_rgb(upright),
        width=height if turned else width,
        height=width if turned else height,
        format=found,
    )


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return _scale_to_eight_bits(image)
    if "A" in image.getbands() or "transparency" in image.info:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return image.convert("RGB")


def _scale_to_eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image, dtype=np.float32)
    top = 65535.0 if values.max(initial=0.0) > 255 else 255.0
    grey = np.clip(values / top * 255.0, 0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def to_model_input(photo: Photo) -> NDArray[np.float32]:
    """The network's input: float32 of shape (224, 224, 3), (value - 127) / 128.

    The photo is squeezed to the square, which keeps all of it in view.
    """
    square = photo.image.resize((INPUT_PX, INPUT_PX), Image.Resampling.BILINEAR, reducing_gap=2.0)
    pixels = np.asarray(square, dtype=np.float32)
    return (pixels - np.float32(127.0)) / np.float32(128.0)
