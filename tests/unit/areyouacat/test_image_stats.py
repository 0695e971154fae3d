"""Statistics measured once, at ingest."""

import io

import numpy as np
from PIL import Image, ImageFilter

from areyouacat.image_stats import ImageStats, image_stats
from areyouacat.images import decode


def stats_of(image: Image.Image, file_format: str = "PNG") -> ImageStats:
    buffer = io.BytesIO()
    image.save(buffer, file_format)
    return image_stats(decode(buffer.getvalue()))


def noise(seed: int = 0) -> Image.Image:
    cells = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize((240, 240), Image.Resampling.BICUBIC)


def bits_apart(left: ImageStats, right: ImageStats) -> int:
    return (int(left.perceptual_hash, 16) ^ int(right.perceptual_hash, 16)).bit_count()


def test_brightness_runs_from_black_to_white() -> None:
    assert stats_of(Image.new("RGB", (50, 50), "black")).brightness == 0.0
    assert stats_of(Image.new("RGB", (50, 50), "white")).brightness == 1.0


def test_a_flat_picture_has_neither_contrast_nor_sharpness() -> None:
    flat = stats_of(Image.new("RGB", (50, 50), "grey"))

    assert (flat.contrast, flat.sharpness) == (0.0, 0.0)


def test_blurring_lowers_sharpness() -> None:
    assert (
        stats_of(noise().filter(ImageFilter.GaussianBlur(8))).sharpness
        < stats_of(noise()).sharpness
    )


def test_a_smaller_and_compressed_copy_keeps_its_perceptual_hash_nearly() -> None:
    original = stats_of(noise())
    copy = stats_of(noise().resize((130, 130)), "JPEG")

    assert bits_apart(original, copy) <= 3


def test_different_pictures_have_different_perceptual_hashes() -> None:
    assert bits_apart(stats_of(noise(1)), stats_of(noise(2))) > 10
