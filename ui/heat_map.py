"""The explanation as colour over the photo.

Orange speaks for the positive label, blue against it: a pair that people with any common colour
vision tell apart (Okabe and Ito's palette). Where nothing spoke, the photo stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FOR_RGB = (230, 130, 0)
AGAINST_RGB = (0, 114, 178)

MIN_SCALE = 1.0
"""Contributions are shown relative to the strongest one, but never to less than this (logits)."""

SILENT_SHARE = 0.12
"""Contributions below this share of the scale leave the photo untouched."""

MAX_OPACITY = 0.75
"""Of the strongest contribution at full strength: the photo always shines through."""


def overlay(
    photo: Image.Image, grid: Sequence[Sequence[float]], strength: float = 1.0
) -> Image.Image:
    """The photo (RGB) under its heat map, same size.

    `grid`: contributions in logits, rows from the top, stretched over the whole photo; positive
    speaks for the positive label. `strength` in [0, 1]. Raises `ValueError` for an empty or ragged
    grid, or one with values that are not finite.
    """
    values = _fine(_grid(grid), photo.size)
    colours = np.where(
        values[..., np.newaxis] > 0,
        np.array(FOR_RGB, dtype=np.float32),
        np.array(AGAINST_RGB, dtype=np.float32),
    )
    opacity = (_loudness(values) * MAX_OPACITY * min(max(strength, 0.0), 1.0))[..., np.newaxis]
    pixels = np.asarray(photo.convert("RGB"), dtype=np.float32)
    mixed = pixels * (1.0 - opacity) + colours * opacity
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def _grid(grid: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    cells = np.array([list(row) for row in grid], dtype=np.float32)
    if cells.ndim != 2 or cells.size == 0 or not np.isfinite(cells).all():
        raise ValueError("a heat map needs a rectangular grid of finite numbers")
    return cells / max(float(np.abs(cells).max()), MIN_SCALE)


def _fine(cells: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    smooth = Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)
    return np.clip(np.asarray(smooth, dtype=np.float32), -1.0, 1.0)


def _loudness(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """0 where nothing speaks, then evenly up to 1."""
    return np.clip((np.abs(values) - SILENT_SHARE) / (1.0 - SILENT_SHARE), 0.0, 1.0)
