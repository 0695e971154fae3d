"""Views of a photo: as it is, and the deterministic augmentations that a head may learn from.

A view always gives the same pixels, so its features are cached like those of the photo itself.
A change here needs a new name, or old and new features would be mixed under one.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from areyouacat.images import Photo, to_model_input
from areyouacat.lake import ORIGINAL_VIEW

Pixels = npt.NDArray[np.float32]

_ZOOM: Final = 0.8  # the share of each side that stays in view


def _flip(photo: Photo) -> Pixels:
    return np.ascontiguousarray(to_model_input(photo)[:, ::-1])


def _zoom(photo: Photo) -> Pixels:
    width, height = photo.image.size
    x, y = width * (1 - _ZOOM) / 2, height * (1 - _ZOOM) / 2
    box = (round(x), round(y), max(round(width - x), 1), max(round(height - y), 1))
    return to_model_input(replace(photo, image=photo.image.crop(box)))


AUGMENTATIONS: Final[Mapping[str, Callable[[Photo], Pixels]]] = MappingProxyType(
    {"flip": _flip, "zoom": _zoom}
)
"""`flip`: mirrored left to right. `zoom`: the middle, so that the subject is larger."""


def view_pixels(photo: Photo, view: str = ORIGINAL_VIEW) -> Pixels:
    """The network's input (px, px, 3) for one view. Raises KeyError for an unknown one."""
    return to_model_input(photo) if view == ORIGINAL_VIEW else AUGMENTATIONS[view](photo)
