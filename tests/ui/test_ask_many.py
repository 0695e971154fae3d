"""The Ask page with several photos, with samples, and its history of the visit."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from areyouacat.settings import LABELS
from tests.ui.fake_api import FakeApi, Reply, error
from tests.ui.test_ask_page import button, run_page, words_of
from tests.ui.test_samples import LakeWithPhotos
from ui.samples import Samples
from ui.views import ask


def jpeg(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (shade, shade, shade)).save(file, "JPEG")
    return file.getvalue()


def upload(page: AppTest, *photos: bytes) -> AppTest:
    files = [(f"photo-{number}.jpg", each, "image/jpeg") for number, each in enumerate(photos)]
    page.file_uploader[0].set_value(files).run()
    assert not page.exception
    return page


def titles(page: AppTest) -> list[str]:
    return [each.label for each in page.button if each.label.startswith("Show photo")]


def test_every_photo_is_asked_once_and_the_first_one_is_shown(api: FakeApi) -> None:
    photos = [jpeg(shade) for shade in (10, 100, 200)]

    page = upload(run_page(), *photos)
    page.run()

    assert api.bodies("/predict") == photos
    assert "photo\\-0.jpg, answered by" in words_of(page)
    assert titles(page) == ["Show photo 3", "Show photo 2", "Show photo 1"]


def test_the_answer_to_another_photo_of_the_visit_can_be_shown_again(api: FakeApi) -> None:
    page = upload(run_page(), jpeg(10), jpeg(100))
    button(page, "Wrong")
    assert "Noted as not a cat" in words_of(page)

    button(page, "Show photo 2")
    assert "photo\\-1.jpg, answered by" in words_of(page)
    assert "Noted as not a cat." not in words_of(page)

    button(page, "Show photo 1")
    assert "Noted as not a cat." in words_of(page)
    assert len(api.bodies("/predict")) == 2


def test_one_photo_alone_has_no_history(api: FakeApi) -> None:
    assert titles(upload(run_page(), jpeg(10))) == []


def test_a_photo_taken_out_of_the_upload_stays_in_the_visit(api: FakeApi) -> None:
    page = upload(run_page(), jpeg(10), jpeg(100))

    upload(page, jpeg(200))

    assert len(titles(page)) == 3
    assert len(api.bodies("/predict")) == 3


def test_a_photo_that_is_refused_does_not_keep_the_others_from_their_answers(
    api: FakeApi,
) -> None:
    api.flaky["/predict"].append(Reply(400, error("unreadable_image")))

    page = upload(run_page(), jpeg(10), jpeg(100))

    assert "cannot be read as a picture" in words_of(page)
    assert "No answer" in words_of(page)
    assert not [each for each in page.button if each.label == "Try again"]
    button(page, "Show photo 2")
    assert page.header[0].value == "This is a cat."


def test_a_photo_that_got_no_answer_can_be_asked_again(api: FakeApi) -> None:
    api.answers["/predict"] = (500, error("internal_error"))
    page = upload(run_page(), jpeg(10))
    assert "Something went wrong" in words_of(page)

    del api.answers["/predict"]
    button(page, "Try again")

    assert page.header[0].value == "This is a cat."


def test_a_model_that_went_meanwhile_is_told_and_the_photo_can_be_asked_again(
    api: FakeApi,
) -> None:
    api.answers["/predict"] = (500, error("internal_error"))
    page = upload(run_page(), jpeg(10))
    api.answers["/predict"] = (503, error("no_model_yet"))

    button(page, "Try again")
    assert "no model yet" in words_of(page)

    del api.answers["/predict"]
    button(page, "Try again")
    assert page.header[0].value == "This is a cat."


def test_more_photos_than_are_looked_at_at_once_are_told(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask, "MOST_AT_ONCE", 2)

    page = upload(run_page(), jpeg(10), jpeg(100), jpeg(200))

    assert "These are 3 photos. The first 2" in page.warning[0].value
    assert len(api.bodies("/predict")) == 2


@pytest.fixture
def samples(monkeypatch: pytest.MonkeyPatch) -> LakeWithPhotos:
    lake = LakeWithPhotos()
    found = Samples(lake)

    def finder(_configuration: object) -> Samples:
        return found

    finder.clear = lambda: None  # type: ignore[attr-defined]
    monkeypatch.setattr(ask, "_samples", finder)
    return lake


def choose_samples(page: AppTest) -> AppTest:
    page.button_group[0].set_value(ask.SAMPLE).run()
    assert not page.exception
    return page


def test_a_sample_is_asked_like_any_photo(api: FakeApi, samples: LakeWithPhotos) -> None:
    samples.label(LABELS.positive, 1, 2)
    page = choose_samples(run_page())

    button(page, "Sample 2")

    assert page.header[0].value == "This is a cat."
    assert "Sample 2, answered by" in words_of(page)
    assert api.bodies("/predict")[0] in samples.objects.values()


def test_a_sample_chosen_again_is_shown_and_not_asked_again(
    api: FakeApi, samples: LakeWithPhotos
) -> None:
    samples.label(LABELS.positive, 1, 2)
    page = choose_samples(run_page())
    for number in (1, 2, 1):
        button(page, f"Sample {number}")

    assert "Sample 1, answered by" in words_of(page)
    assert len(api.bodies("/predict")) == 2


def test_a_lake_without_photos_offers_no_samples_and_says_so(
    api: FakeApi, samples: LakeWithPhotos
) -> None:
    assert "No photos have been put" in words_of(choose_samples(run_page()))


def test_without_aws_samples_are_missing_in_words(
    api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    st.cache_resource.clear()
    api.write_endpoints(tmp_path, lake_bucket=None)

    assert "data lake's name is not known" in words_of(choose_samples(run_page()))
