import numpy as np
import pytest
from PIL import Image

from areyouacat.images import Photo, to_model_input
from training_job.views import AUGMENTATIONS, view_pixels


def photo(width: int, height: int) -> Photo:
    """Dark but for a bright left half."""
    image = Image.new("RGB", (width, height), (20, 20, 20))
    image.paste((240, 240, 240), (0, 0, width // 2, height))
    return Photo(image, width, height, "PNG")


def test_the_view_without_a_change_is_what_serving_sees() -> None:
    found = photo(300, 200)

    np.testing.assert_array_equal(view_pixels(found), to_model_input(found))


def test_flipped_twice_is_the_photo_itself() -> None:
    found = photo(300, 200)

    flipped = view_pixels(found, "flip")

    assert flipped[:, :50].mean() < flipped[:, -50:].mean()
    np.testing.assert_array_equal(flipped[:, ::-1], to_model_input(found))


def test_zooming_leaves_the_borders_out() -> None:
    found = photo(300, 200)
    found.image.paste((255, 0, 0), (0, 0, 20, 200))  # a red border on the left

    red, green = view_pixels(found, "zoom")[..., 0], view_pixels(found, "zoom")[..., 1]

    np.testing.assert_array_equal(red, green)


@pytest.mark.parametrize("view", AUGMENTATIONS)
@pytest.mark.parametrize("size", [(1, 1), (2, 900), (640, 480)])
def test_every_view_of_every_shape_fits_the_network_and_repeats_itself(
    view: str, size: tuple[int, int]
) -> None:
    first, second = (view_pixels(photo(*size), view) for _ in range(2))

    assert first.shape == (224, 224, 3)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, second)


def test_an_unknown_view_is_an_error() -> None:
    with pytest.raises(KeyError, match="upside_down"):
        view_pixels(photo(10, 10), "upside_down")
