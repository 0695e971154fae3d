"""Bytes to a photo, and a photo to what the network sees.

Training and serving share these functions, so a model is fed in production what it
was fed in training. Draft decoding changes pixels a little: sharing it is the point.
"""

import io
import warnings
from dataclasses import dataclass
from time import thread_time
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from areyouacat import exif
from areyouacat.errors import (
    EmptyBodyError,
    PayloadTooLargeError,
    RequestError,
    TooComplexError,
    TooManyPixelsError,
    UnreadableImageError,
    UnsupportedFormatError,
)
from areyouacat.image_formats import format_of, name_of_refused
from areyouacat.settings import BACKBONE, IMAGES

INPUT_PX: Final = BACKBONE.input_px
# A progressive JPEG can ask for a pass over all pixels in some hundred bytes, and the clock is
# looked at between blocks.
_PROGRESSIVE_BLOCK_BYTES: Final = 4_096
_LAYERED_WHOLE_PIXELS: Final = 8_000_000  # up to here transparency is laid on white at full size
_ROTATIONS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What puts a photo upright, by its EXIF orientation."""

_LIES_ON_ITS_SIDE: Final = frozenset({5, 6, 7, 8})

# Pillow refuses twice as many, before it allocates anything.
Image.MAX_IMAGE_PIXELS = IMAGES.max_pixels // 2
# What it warns of (odd metadata, many pixels) is either refused below or does no harm.
warnings.filterwarnings("ignore", module=r"PIL(\.|$)")


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


class _Jpeg(JpegImageFile):
    """Pillow's JPEG, without its looking for a resolution in EXIF data.

    Its parser copies every value that the data name, and some kilobytes can name the same bytes
    thousands of times. A file with several pictures (MPO) gives its first.
    """

    def _read_dpi_from_exif(self) -> None:
        return


class _WatchedBytes(io.BytesIO):
    """A file whose reader has a limited time of this thread's CPU.

    Pillow reads block by block, header by header: whatever goes on for ever passes here.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._deadline = thread_time() + IMAGES.max_decode_seconds

    def read(self, size: int | None = -1, /) -> bytes:
        if thread_time() > self._deadline:
            raise TooComplexError("The photo takes too long to decode. Save it anew and send that.")
        return super().read(size)


def decode(data: bytes) -> Photo:
    """Decode an image of an accepted format (`settings.IMAGES`), judged by its content.

    An animation gives its first frame; transparency is laid on white.

    Raises:
        EmptyBodyError: no bytes.
        PayloadTooLargeError: more than `IMAGES.max_bytes` bytes.
        UnsupportedFormatError: an image of a format that is not accepted.
        TooManyPixelsError: more than `IMAGES.max_pixels` pixels (checked before decoding).
        TooComplexError: built so that it takes more time or memory than a photo needs.
        UnreadableImageError: not an image, truncated or damaged.
    """
    if not data:
        raise EmptyBodyError("The body is empty. Send the bytes of a photo.")
    if len(data) > IMAGES.max_bytes:
        raise PayloadTooLargeError(
            f"The photo has {len(data):,} bytes; at most {IMAGES.max_bytes:,} are accepted."
        )
    found = format_of(data)
    if found is None:
        if refused := name_of_refused(data):
            raise UnsupportedFormatError(
                f"{refused} is not accepted. Send one of {', '.join(IMAGES.formats)}."
            )
        raise _unreadable()
    try:
        with _open(_WatchedBytes(data), found) as image:
            return _decode_opened(image, found)
    except RequestError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except MemoryError as error:
        raise TooComplexError("The photo takes too much memory to decode.") from error
    except Exception as error:  # there is no list of what Pillow raises on hostile bytes
        raise _unreadable() from error


def _open(file: _WatchedBytes, found: str) -> ImageFile.ImageFile:
    if found == "JPEG":
        return _Jpeg(file)
    return Image.open(file, formats=(found,))


def _decode_opened(image: ImageFile.ImageFile, found: str) -> Photo:
    width, height = image.size
    if width * height > IMAGES.max_pixels:
        raise _too_many_pixels()
    if "progressive" in image.info:
        image.decodermaxblock = _PROGRESSIVE_BLOCK_BYTES
    if found == "JPEG":
        # Decodes at 1/2, 1/4 or 1/8 where that still covers the network's input.
        image.draft("RGB", (INPUT_PX, INPUT_PX))
    image.load()
    rotation = exif.orientation(image.info.get("exif", b""))
    upright = _to_rgb(image)
    if rotation in _ROTATIONS:
        upright = upright.transpose(_ROTATIONS[rotation])
    if rotation in _LIES_ON_ITS_SIDE:
        width, height = height, width
    return Photo(upright, width, height, found)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _scale_to_eight_bits(image)
    if "A" in image.getbands() or "transparency" in image.info:
        # Made smaller first: every step of the way holds the whole photo twice.
        layered = _reduced(image.convert("RGBA"))
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return image.convert("RGB")


def _reduced(image: Image.Image) -> Image.Image:
    """A very large photo by a whole factor smaller, still at least twice the network's input."""
    factor = min(image.size) // (2 * INPUT_PX)
    large = image.width * image.height > _LAYERED_WHOLE_PIXELS
    return image.reduce(factor) if large and factor > 1 else image


def _scale_to_eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    if values.max(initial=0) > 255:
        values = values // values.dtype.type(257)  # 65,535 / 255
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).convert("RGB")


def to_model_input(photo: Photo) -> NDArray[np.float32]:
    """The network's input: float32 of shape (224, 224, 3), (value - 127) / 128.

    The photo is squeezed to the square, which keeps all of it in view.
    """
    square = photo.image.resize((INPUT_PX, INPUT_PX), Image.Resampling.BILINEAR, reducing_gap=2.0)
    pixels = np.asarray(square, dtype=np.float32)
    pixels = pixels - np.float32(127.0)
    pixels *= np.float32(1 / 128)  # a power of two: the same bits as a division
    return pixels


def _unreadable() -> UnreadableImageError:
    return UnreadableImageError(
        f"The bytes cannot be read as an image. Send a whole {', '.join(IMAGES.formats)} file."
    )


def _too_many_pixels() -> TooManyPixelsError:
    return TooManyPixelsError(
        f"The photo has too many pixels; at most {IMAGES.max_pixels:,} are accepted. "
        "Send a smaller one."
    )
