"""Decoding: the same function feeds training and serving."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from areyouacat.errors import (
    EmptyBodyError,
    PayloadTooLargeError,
    TooManyPixelsError,
    UnreadableImageError,
    UnsupportedFormatError,
)
from areyouacat.images import decode, to_model_input
from areyouacat.settings import IMAGES


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def gradient(width: int = 320, height: int = 240) -> Image.Image:
    across = np.linspace(0, 255, width, dtype=np.uint8)
    pixels = np.stack([np.tile(across, (height, 1))] * 3, axis=-1)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF"])
def test_every_accepted_format_becomes_an_rgb_photo(file_format: str) -> None:
    photo = decode(encoded(gradient(), file_format))

    assert photo.format == file_format
    assert photo.image.mode == "RGB"
    assert (photo.width, photo.height) == (320, 240)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "I;16"])
def test_every_pixel_mode_becomes_rgb(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.full((40, 50), 40_000, dtype=np.uint16))
    else:
        image = gradient(50, 40).convert(mode)

    photo = decode(encoded(image, "JPEG" if mode == "CMYK" else "PNG"))

    assert photo.image.mode == "RGB"
    assert to_model_input(photo).shape == (224, 224, 3)


def test_transparency_is_laid_on_white() -> None:
    clear = Image.new("RGBA", (30, 30), (0, 0, 0, 0))

    photo = decode(encoded(clear, "PNG"))

    assert photo.image.getpixel((10, 10)) == (255, 255, 255)


def test_a_turned_photo_is_set_upright_and_reports_its_upright_size() -> None:
    sideways = gradient(300, 100)
    exif = Image.Exif()
    exif[0x0112] = 6

    photo = decode(encoded(sideways, "JPEG", exif=exif))

    assert (photo.width, photo.height) == (100, 300)
    assert photo.image.width < photo.image.height


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])

    red, green, blue = decode(data).image.resize((1, 1)).convert("RGB").tobytes()
    assert red > 250
    assert max(green, blue) < 5


def test_a_large_jpeg_is_decoded_small_but_never_below_the_networks_input() -> None:
    photo = decode(encoded(gradient(4000, 3000), "JPEG"))

    assert (photo.width, photo.height) == (4000, 3000)
    assert photo.image.width < 4000
    assert min(photo.image.size) >= 224


def test_the_networks_input_is_centred_and_scaled() -> None:
    white = to_model_input(decode(encoded(Image.new("RGB", (10, 10), "white"), "PNG")))
    black = to_model_input(decode(encoded(Image.new("RGB", (10, 10), "black"), "PNG")))

    assert white.dtype == np.float32
    assert white.max() == pytest.approx(1.0)
    assert black.min() == pytest.approx(-127 / 128)


def test_no_bytes_is_an_empty_body() -> None:
    with pytest.raises(EmptyBodyError):
        decode(b"")


@pytest.mark.parametrize(
    "data",
    [b"hello, this is text", b"\xff\xd8\xff\xe0" + b"\0" * 64, b"GIF89a", b"\x89PNG\r\n\x1a\n"],
)
def test_bytes_that_are_no_image_are_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableImageError):
        decode(data)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_image_is_unreadable(file_format: str) -> None:
    data = encoded(gradient(), file_format)

    with pytest.raises(UnreadableImageError):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize("file_format", ["BMP", "TIFF"])
def test_an_image_of_another_format_is_refused_by_name(file_format: str) -> None:
    with pytest.raises(UnsupportedFormatError, match=file_format):
        decode(encoded(gradient(), file_format))


def test_too_many_bytes_are_refused_before_anything_is_read() -> None:
    with pytest.raises(PayloadTooLargeError):
        decode(b"\0" * (IMAGES.max_bytes + 1))


def test_a_pixel_bomb_is_refused_by_its_header_alone() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0"))

    with pytest.raises(TooManyPixelsError, match="too many pixels"):
        decode(bomb)
