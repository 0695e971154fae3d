from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from areyouacat import exif
from areyouacat.images import decode


def tiff(orientation: int, order: str = "<", tag: int = 0x0112, kind: int = 3) -> bytes:
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}L", 8)
    entry = struct.pack(f"{order}HHLHH", tag, kind, 1, orientation, 0)
    return head + struct.pack(f"{order}H", 1) + entry + b"\0" * 4


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_read_in_both_byte_orders(
    orientation: int, prefix: bytes, order: str
) -> None:
    assert exif.orientation(prefix + tiff(orientation, order)) == orientation


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Exif\0\0",
        b"II*\0",
        tiff(0),
        tiff(9),
        tiff(6, kind=4),
        tiff(6, tag=0x0100),
        tiff(6)[:-8],
        b"II*\0\xff\xff\xff\xff",
        b"II*\0\x08\0\0\0\xff\xff",
    ],
)
def test_what_cannot_be_read_is_upright(data: bytes) -> None:
    assert exif.orientation(data) == exif.UPRIGHT


@given(st.binary(max_size=400))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    assert 1 <= exif.orientation(b"II*\0" + data) <= 8


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_as_pillow_would_turn_it(orientation: int, file_format: str) -> None:
    """Red above left, blue above right, the rest green; wider than high."""
    photo = Image.new("RGB", (320, 240), "green")
    photo.paste("red", (0, 0, 160, 120))
    photo.paste("blue", (160, 0, 320, 120))
    file = io.BytesIO()
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = Image.Exif()
    data[0x0112] = orientation
    photo.save(file, file_format, exif=data, **options)

    found = decode(file.getvalue())

    corners = {
        1: ("red", "blue"), 2: ("blue", "red"), 3: ("green", "green"), 4: ("green", "green"),
        5: ("red", "green"), 6: ("green", "red"), 7: ("green", "blue"), 8: ("blue", "green"),
    }[orientation]  # fmt: skip
    width, height = (320, 240) if orientation < 5 else (240, 320)
    assert (found.width, found.height) == found.image.size == (width, height)
    assert _colour(found.image, width // 4, height // 4) == corners[0]
    assert _colour(found.image, width * 3 // 4, height // 4) == corners[1]


def _colour(image: Image.Image, x: int, y: int) -> str:
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return ("red", "green", "blue")[max(range(3), key=lambda band: pixel[band])]
