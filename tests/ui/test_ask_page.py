"""The logic of the Ask page, run by Streamlit's own test runner against a fake API."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.fake_api import FakeApi, Reply, error, prediction

APP = Path(__file__).parents[2] / "ui" / "app.py"


def run_page() -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=20).run()
    assert not page.exception
    return page


def ask(photo: bytes) -> AppTest:
    page = run_page()
    page.file_uploader[0].set_value([("photo.jpg", photo, "image/jpeg")]).run()
    assert not page.exception
    return page


def button(page: AppTest, words: str) -> None:
    next(each for each in page.button if words in each.label).click().run()
    assert not page.exception


def words_of(page: AppTest) -> str:
    shown = [page.header, page.success, page.error, page.info, page.caption, page.markdown]
    return "\n".join(element.value for kind in shown for element in kind)


def test_a_photo_gets_a_verdict_in_words_with_its_model_version(api: FakeApi, photo: bytes) -> None:
    page = ask(photo)

    assert page.header[0].value == "This is a cat."
    assert "version 3" in words_of(page)
    assert api.bodies("/predict") == [photo]


def test_a_visit_keeps_the_model_that_answers_it(api: FakeApi, photo: bytes) -> None:
    first = ask(photo)
    first.file_uploader[0].set_value([("other.jpg", photo + b"more", "image/jpeg")]).run()
    ask(photo)

    mine, mine_too, theirs = api.headers("/predict", "x-session-id")
    assert mine
    assert mine == mine_too != theirs


def test_a_negative_verdict_is_said_in_words_too(api: FakeApi, photo: bytes) -> None:
    api.answers["/predict"] = (
        200,
        prediction(label="not_cat", verdict="not_cat", probability=0.04),
    )

    page = ask(photo)

    assert page.header[0].value == "This is not a cat."


def test_moving_the_slider_does_not_ask_the_api_again(api: FakeApi, photo: bytes) -> None:
    page = ask(photo)

    page.slider[0].set_value(20).run()
    page.toggle[0].set_value(False).run()

    assert not page.slider
    assert len(api.bodies("/predict")) == 1


def test_wrong_posts_the_other_label_once_and_says_thanks(api: FakeApi, photo: bytes) -> None:
    page = ask(photo)

    button(page, "Wrong")
    page.run()

    assert [json.loads(body) for body in api.bodies("/feedback")] == [
        {"prediction_id": "p-1", "label": "not_cat"}
    ]
    assert "Thank you" in words_of(page)
    assert not [each for each in page.button if "Wrong" in each.label]


def test_right_posts_the_verdicts_own_label(api: FakeApi, photo: bytes) -> None:
    button(ask(photo), "Right")

    assert json.loads(api.bodies("/feedback")[0])["label"] == "cat"


def test_a_slip_can_be_taken_back_and_said_right(api: FakeApi, photo: bytes) -> None:
    page = ask(photo)

    button(page, "Wrong")
    button(page, "Undo")
    assert api.records["p-1"]["feedback"] is None
    assert "Thank you" not in words_of(page)

    button(page, "Right")
    assert [json.loads(body)["label"] for body in api.bodies("/feedback")] == ["not_cat", "cat"]


def test_an_undo_that_fails_says_so_and_leaves_what_was_said(api: FakeApi, photo: bytes) -> None:
    page = ask(photo)
    button(page, "Wrong")
    api.answers["/predictions/p-1/feedback"] = (500, error("internal_error"))

    button(page, "Undo")

    assert "Something went wrong" in words_of(page)
    assert "Noted as not a cat" in words_of(page)


def test_an_unsure_verdict_asks_what_the_photo_shows(api: FakeApi, photo: bytes) -> None:
    api.answers["/predict"] = (200, prediction(verdict="unsure", probability=0.5))

    page = ask(photo)
    assert page.header[0].value == "Hard to tell."
    button(page, "Not a cat")

    assert json.loads(api.bodies("/feedback")[0])["label"] == "not_cat"


def test_feedback_beyond_the_cap_is_told_in_plain_words(api: FakeApi, photo: bytes) -> None:
    page = ask(photo)
    api.flaky["/feedback"].append(Reply(429, error("too_much_feedback"), {"Retry-After": "1800"}))

    button(page, "Wrong")

    assert "next hour" in words_of(page)


def test_an_erased_photo_takes_its_answer_with_it(api: FakeApi, photo: bytes) -> None:
    page = ask(photo)
    assert api.records

    button(page, "Yes, erase it")
    page.run()

    assert not api.records
    assert "Erased: the photo" in words_of(page)
    assert not page.header
    assert len(api.bodies("/predict")) == 1


def test_a_photo_of_the_operators_own_stays_and_the_page_says_so(
    api: FakeApi, photo: bytes
) -> None:
    api.photo_erased = False
    page = ask(photo)

    button(page, "Yes, erase it")

    assert "The photo itself stays" in words_of(page)


def test_an_answer_that_was_gone_already_disappears_too(api: FakeApi, photo: bytes) -> None:
    page = ask(photo)
    api.records.clear()

    button(page, "Yes, erase it")

    assert "no longer known" in words_of(page)
    assert not page.header


def test_erasing_that_fails_says_so_and_can_be_tried_again(api: FakeApi, photo: bytes) -> None:
    page = ask(photo)
    api.answers["/predictions/p-1"] = (500, error("internal_error"))

    button(page, "Yes, erase it")
    assert "Something went wrong" in words_of(page)
    assert page.header

    del api.answers["/predictions/p-1"]
    button(page, "Yes, erase it")
    assert "Erased" in words_of(page)


def test_feedback_that_fails_says_so_and_can_be_tried_again(api: FakeApi, photo: bytes) -> None:
    api.answers["/feedback"] = (404, error("not_found"))
    page = ask(photo)

    button(page, "Wrong")
    assert "no longer known" in words_of(page)

    del api.answers["/feedback"]
    button(page, "Wrong")
    assert "Thank you" in words_of(page)
    assert "no longer known" not in words_of(page)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "unreadable_image", "cannot be read as a picture"),
        (413, "payload_too_large", "too large"),
        (409, "upload_used", "Send the photo again"),
        (409, "idempotency_key_reused", "Use a new key"),
        (413, "too_many_pixels", "too many pixels"),
        (413, "too_complex", "takes too long to open"),
        (415, "unsupported_format", "JPEG, PNG, WebP, GIF"),
        (429, "too_many_requests", "Wait a few seconds"),
        (500, "internal_error", "Something went wrong"),
        (503, "no_model_yet", "no model yet"),
    ],
)
def test_refusals_are_told_in_plain_words(
    api: FakeApi, photo: bytes, status: int, code: str, expected: str
) -> None:
    api.answers["/predict"] = (status, error(code))

    page = ask(photo)

    assert expected in words_of(page)
    assert "Words for programmers" not in words_of(page)
    assert not page.header


@pytest.mark.parametrize(
    "content",
    [
        b"<html>",
        [],
        {},
        prediction(probability="high"),
        prediction(explanation={"grid": [[1.0, 2.0], [3.0]]}),
        prediction(explanation={"grid": [[float("nan")]]}),
    ],
)
def test_an_answer_of_the_wrong_shape_is_told_in_plain_words(
    api: FakeApi, photo: bytes, content: object
) -> None:
    api.answers["/predict"] = (200, content)

    assert "makes no sense" in words_of(ask(photo))


def test_an_empty_explanation_leaves_the_photo_plain(api: FakeApi, photo: bytes) -> None:
    api.answers["/predict"] = (200, prediction(explanation={"grid": []}))

    page = ask(photo)

    assert page.header[0].value == "This is a cat."
    assert not page.slider


def test_without_a_model_the_page_says_how_to_get_one(api: FakeApi) -> None:
    api.answers["/health"] = (200, {"status": "no_model", "model_version": None})

    page = run_page()
    assert "no model yet" in words_of(page)
    assert not page.file_uploader

    api.answers["/health"] = (200, {"status": "ok", "model_version": "1"})
    button(page, "Look again")
    assert page.file_uploader


def test_an_api_that_is_down_is_told_and_found_again(api: FakeApi) -> None:
    api.answers["/health"] = (503, b"")
    page = run_page()
    assert "Something went wrong" in words_of(page)

    api.answers["/health"] = (200, {"status": "ok", "model_version": "1"})
    button(page, "Try again")

    assert page.file_uploader


def test_nothing_listening_is_told_in_plain_words(api: FakeApi) -> None:
    api.close()

    assert "cannot be reached" in words_of(run_page())


def test_a_system_that_was_never_started_is_told_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path / "nowhere"))

    assert "make up" in words_of(run_page())
