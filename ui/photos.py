"""Photos on their way from a person to the API and back to the screen."""

from __future__ import annotations

import io

from PIL import Image, ImageOps

from areyouacat.settings import IMAGES

SCREEN_PX = 1024
"""Longest side of what is shown."""

SENT_PX = 2048
"""Longest side of a photo that had to be made smaller to be sent."""


def to_show(photo: bytes) -> Image.Image | None:
    """The photo upright, RGB, at most `SCREEN_PX` a side; `None` if it is none we can open."""
    image = _opened(photo, SCREEN_PX)
    return image.convert("RGB") if image else None


def to_send(photo: bytes) -> bytes:
    """The photo as it is if the client can upload as many bytes, else a smaller JPEG of it.

    What cannot be opened is sent as it is: the API says what is wrong with it.
    """
    if len(photo) <= IMAGES.max_bytes:
        return photo
    image = _opened(photo, SENT_PX)
    if image is None:
        return photo
    smaller = io.BytesIO()
    image.convert("RGB").save(smaller, "JPEG", quality=90)
    return smaller.getvalue()


def _opened(photo: bytes, longest_px: int) -> Image.Image | None:
    try:
        with Image.open(io.BytesIO(photo), formats=IMAGES.formats) as image:
            if image.width * image.height > IMAGES.max_pixels:
                return None
            image.draft("RGB", (longest_px, longest_px))
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((longest_px, longest_px))
            return upright
    except (OSError, ValueError, SyntaxError, EOFError):
        return None
