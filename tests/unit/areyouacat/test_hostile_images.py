"""Files made to hurt: each gets an answer or a refusal, in bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from areyouacat.errors import RequestError, UnsupportedFormatError
from areyouacat.image_formats import format_of, name_of_refused
from areyouacat.images import decode, to_model_input
from areyouacat.settings import IMAGES
from tests.hostile_images import BOMBS, SEEDS, gradient, saved

LAMBDA_MEMORY_MB = 1_769
"""Of the predict function (infra_cdk.settings.FUNCTIONS)."""

MEASURE = r"""
import json, re, sys, time
from areyouacat.errors import RequestError
from areyouacat.image_stats import image_stats
from areyouacat.images import decode, to_model_input
data = open(sys.argv[1], "rb").read()
started = time.thread_time()
try:
    photo = decode(data)
    image_stats(photo), to_model_input(photo)
    code = "answered"
except RequestError as error:
    code = error.code
seconds = time.thread_time() - started
peak = int(re.search(r"VmHWM:\s+(\d+) kB", open("/proc/self/status").read()).group(1)) / 1024
print(json.dumps({"code": code, "seconds": seconds, "megabytes": peak}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_bounded_time_and_memory(name: str, tmp_path: Path) -> None:
    make, expected = BOMBS[name]
    file = tmp_path / "bomb"
    file.write_bytes(make())
    assert file.stat().st_size <= IMAGES.max_bytes

    shown = subprocess.run(
        [sys.executable, "-c", MEASURE, str(file)], capture_output=True, text=True, check=True
    )

    found = json.loads(shown.stdout)
    assert found["code"] == expected
    assert found["megabytes"] < 0.75 * LAMBDA_MEMORY_MB  # the rest is the function's own
    assert found["seconds"] < 3 * IMAGES.max_decode_seconds


@pytest.mark.parametrize(
    ("mode", "file_format"),
    [
        *((mode, "PNG") for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        *((mode, "JPEG") for mode in ("L", "RGB", "CMYK")),
        *((mode, "WEBP") for mode in ("RGB", "RGBA")),
        *((mode, "GIF") for mode in ("1", "L", "P")),
    ],
)
def test_every_kind_of_pixel_is_understood(mode: str, file_format: str) -> None:
    source = gradient()
    image = (
        source.point(lambda value: value * 257, "I").convert("I;16")
        if mode == "I;16"
        else (source.convert(mode))
    )

    photo = decode(saved(image, file_format))

    assert (photo.image.mode, photo.format) == ("RGB", file_format)
    values = to_model_input(photo)
    assert values[-20:].mean() > values[:20].mean() + 0.5  # it grows brighter downwards


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue", "lime")]

    for file_format in ("GIF", "WEBP", "PNG"):
        data = saved(frames[0], file_format, save_all=True, append_images=frames[1:])
        red, _, blue = decode(data).image.resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
        assert (red > 200, blue < 50) == (True, True), file_format


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"BM" + b"\0" * 60, "BMP"),
        (b"II*\0" + b"\0" * 60, "TIFF"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"\0\0\0\x1cftypavif", "AVIF"),
        (b"\0\0\0\x1cftypisom", "This kind of video or picture"),
        (b"<?xml version='1.0'?><svg xmlns='...'>", "SVG"),
        (b"P6\n1 1\n255\n\0\0\0", "PPM"),
        (b"%PDF-1.7", "PDF"),
        (b"\xff\x0a\xfa", "JPEG XL"),
    ],
)
def test_a_known_format_that_is_not_accepted_is_named(data: bytes, name: str) -> None:
    assert format_of(data) is None
    assert name_of_refused(data) == name
    with pytest.raises(UnsupportedFormatError, match=name):
        decode(data)


def test_what_follows_a_photo_does_not_matter() -> None:
    photo = saved(gradient().convert("RGB"), "JPEG")

    polyglot = decode(photo + b"PK\x03\x04 and a whole archive, <script>, %PDF-1.7")

    assert polyglot.image.tobytes() == decode(photo).image.tobytes()


@settings(max_examples=300, deadline=None)
@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 255)), max_size=8),
    kept=st.floats(0.0, 1.0),
    cut=st.booleans(),
)
def test_a_damaged_photo_is_answered_or_refused_by_name(
    seed: bytes, changes: list[tuple[int, int]], kept: float, cut: bool
) -> None:
    damaged = bytearray(seed)
    for place, value in changes:
        damaged[place % len(damaged)] = value

    try:
        photo = decode(bytes(damaged[: int(len(damaged) * kept)] if cut else damaged))
    except RequestError:  # anything else fails the test
        return
    assert to_model_input(photo).shape == (224, 224, 3)
