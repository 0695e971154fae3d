from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from areyouacat.settings import IMAGES, SERVING
from ui import photos


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_a_photo_that_fits_is_sent_untouched(photo: bytes) -> None:
    assert photos.to_send(photo) is photo


def test_a_photo_too_large_for_a_body_but_not_for_an_upload_is_sent_untouched() -> None:
    large = encoded(Image.new("RGB", (1400, 1200)), "PNG", compress_level=0)
    assert SERVING.max_body_bytes < len(large) < IMAGES.max_bytes

    assert photos.to_send(large) is large


def test_a_photo_of_too_many_bytes_is_sent_smaller() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (2000, 3500, 3), dtype=np.uint8)
    large = encoded(Image.fromarray(noise), "PNG", compress_level=0)
    assert len(large) > IMAGES.max_bytes

    sent = photos.to_send(large)

    assert len(sent) <= IMAGES.max_bytes
    with Image.open(io.BytesIO(sent)) as smaller:
        assert smaller.format == "JPEG"
        assert smaller.size == (photos.SENT_PX, 1170)


def test_too_many_bytes_that_are_no_photo_are_left_for_the_api_to_judge() -> None:
    junk = b"\0" * (IMAGES.max_bytes + 1)

    assert photos.to_send(junk) is junk


def test_a_photo_taken_sideways_is_shown_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to see it upright
    shown = photos.to_show(encoded(Image.new("RGB", (80, 60)), "JPEG", exif=exif))

    assert shown is not None
    assert shown.size == (60, 80)


@pytest.mark.parametrize("content", [b"", b"no photo", b"\xff\xd8\xff\xe0cut short"])
def test_what_cannot_be_opened_is_not_shown(content: bytes) -> None:
    assert photos.to_show(content) is None


def test_a_format_that_is_not_accepted_is_not_shown() -> None:
    assert photos.to_show(encoded(Image.new("RGB", (8, 8)), "BMP")) is None
