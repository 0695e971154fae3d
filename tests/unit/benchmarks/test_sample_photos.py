"""The photos that benchmarks make themselves."""

import io
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from areyouacat.images import decode, to_model_input
from benchmarks.floor import Floor
from benchmarks.sample_photos import LARGE, SMALL, different, photo_like

MODEL = Path(__file__).parents[2] / "fixtures" / "tiny_model.tflite"


def test_a_made_photo_is_the_same_each_time_and_as_large_on_the_wire_as_a_photo() -> None:
    photo = photo_like(SMALL)

    assert photo == photo_like(SMALL) != photo_like(SMALL, seed=2)
    assert Image.open(io.BytesIO(photo)).size == SMALL
    assert 20_000 < len(photo) < 200_000


def test_twelve_megapixels_fit_into_a_request_body() -> None:
    assert LARGE[0] * LARGE[1] == 12_000_000
    assert 1_000_000 < len(photo_like(LARGE)) < 4_500_000


def test_different_photos_are_other_bytes_of_the_same_picture() -> None:
    photo = photo_like(SMALL)

    some = list(islice(different(photo), 3))

    assert len({photo, *some}) == 4
    assert list(islice(different(photo, start=1), 2)) == some[1:]
    assert {decode(one).image.tobytes() for one in some} == {decode(photo).image.tobytes()}


def test_the_floor_feeds_the_network_what_the_product_feeds_it() -> None:
    """Else the floor would do less, or other work."""
    floor = Floor(MODEL.read_bytes())

    for size in (SMALL, (1200, 900)):
        photo = photo_like(size)
        assert np.array_equal(floor.model_input(photo), to_model_input(decode(photo)))
        assert len(floor.predict(photo)) == 3
