"""The Label page: one photo after the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
import streamlit as st
from moto import mock_aws
from streamlit.testing.v1 import AppTest

from areyouacat.lake import photo_key
from areyouacat.settings import LABELS
from tests.ui.fake_api import FakeApi
from tests.ui.review_cloud import CONFIGURATION, LAKE, REGION, ReviewCloud
from ui import permission, words
from ui.lake import Lake
from ui.previews import Previews
from ui.reviews import Reviews
from ui.unsure import UnsurePhotos
from ui.views import label


@pytest.fixture
def cloud(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReviewCloud]:
    """What the page finds, on a local cloud and asked by ann."""
    api.write_endpoints(tmp_path, aws_endpoint_url="https://localhost:1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    with mock_aws():
        s3 = boto3.client("s3", region_name=REGION)
        made = ReviewCloud(s3, boto3.client("dynamodb", region_name=REGION))
        reviews = Reviews(Lake(CONFIGURATION, s3), UnsurePhotos(CONFIGURATION, made.dynamodb))
        previews = Previews(reviews.photo)
        for name, found in (("_reviews", reviews), ("_previews", previews)):
            finder = lambda _configuration, found=found: found  # noqa: E731
            finder.clear = lambda: None  # type: ignore[attr-defined]
            monkeypatch.setattr(label, name, finder)
        st.cache_resource.clear()
        yield made
        st.cache_resource.clear()


def label_page() -> None:
    """What AppTest runs."""
    from ui.views import label  # noqa: PLC0415 - AppTest takes the function's body alone

    label.page()


def page(kind: str = label.HELD) -> AppTest:
    drawn = AppTest.from_function(label_page, default_timeout=20).run()
    if kind != label.HELD:
        drawn.button_group[0].set_value(kind).run()
    assert not drawn.exception
    return drawn


def say(drawn: AppTest, name: str | None) -> AppTest:
    drawn.button(key=f"label-{name}").click().run()
    assert not drawn.exception
    return drawn


def told(drawn: AppTest) -> str:
    parts = (*drawn.markdown, *drawn.caption, *drawn.info, *drawn.warning, *drawn.error,
             *drawn.success)  # fmt: skip
    return "\n".join(str(each.value).replace("\\", "") for each in parts)


def test_an_empty_queue_says_so(cloud: ReviewCloud) -> None:
    del cloud

    assert "No label waits" in told(page())
    assert "nobody has labelled" in told(page(label.UNSURE))


def test_a_held_label_is_shown_with_what_was_said_and_why_it_waits(cloud: ReviewCloud) -> None:
    cloud.hold(1, LABELS.negative, "people disagree")

    said = told(page())

    assert f"A caller says it is **{words.label_words(LABELS.negative)}**" in said
    assert "Held because: people disagree." in said


def test_an_answer_is_noted_once_and_brings_the_next_photo(cloud: ReviewCloud) -> None:
    first = cloud.hold(1)
    cloud.hold(2)
    drawn = page()

    say(drawn, LABELS.positive)

    assert [(record.photo, record.who) for record in cloud.labels()] == [(first, "ann")]
    assert drawn.get("progress")[0].proto.text == "1 of 2 looked at"


def test_the_last_answer_can_be_taken_back(cloud: ReviewCloud) -> None:
    cloud.hold(1)
    drawn = say(page(), LABELS.positive)
    assert "That was the last one" in told(drawn)

    drawn.button(key="label-undo").click().run()

    assert cloud.labels() == []
    assert "A caller says" in told(drawn)


def test_an_unsure_photo_is_asked_about_with_what_the_model_thinks(cloud: ReviewCloud) -> None:
    cloud.predict(cloud.photo(1), datetime.now(UTC), probability=0.42)

    drawn = page(label.UNSURE)

    assert words.likelihood(0.42) in told(drawn)
    assert cloud.labels() == []
    say(drawn, LABELS.negative)
    assert [record.label for record in cloud.labels()] == [LABELS.negative]


def test_every_choice_has_a_key_of_its_own(cloud: ReviewCloud) -> None:
    cloud.hold(1)
    cloud.hold(2)

    drawn = say(page(), None)

    keys = [each.proto.shortcut for each in drawn.button if each.proto.shortcut]
    assert keys == ["1", "2", "3", "0"]


def test_a_photo_that_is_gone_is_said_to_be_gone_and_can_be_passed(cloud: ReviewCloud) -> None:
    photo = cloud.hold(1)
    cloud.s3.delete_object(Bucket=LAKE, Key=photo_key(photo))
    drawn = page()
    assert "This photo is gone" in told(drawn)

    say(drawn, None)

    assert "That was the last one" in told(drawn)


def test_against_aws_nobody_labels_until_acting_is_switched_on(
    cloud: ReviewCloud, api: FakeApi, tmp_path: Path
) -> None:
    api.write_endpoints(tmp_path, aws_endpoint_url=None)
    cloud.hold(1)
    drawn = page()
    assert permission.OFF_ON_AWS in told(drawn)
    assert drawn.button(key=f"label-{LABELS.positive}").disabled

    assert cloud.labels() == []


def test_who_may_no_longer_act_notes_nothing(
    cloud: ReviewCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.hold(1)
    drawn = page()
    monkeypatch.setenv("UI_ACTING", "off")

    say(drawn, LABELS.positive)

    assert cloud.labels() == []


def test_what_could_not_be_noted_is_said_and_asked_again(
    cloud: ReviewCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.hold(1)
    drawn = page()

    def refuse(**_asked: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(cloud.s3, "put_object", refuse)
    say(drawn, LABELS.positive)

    assert "Not noted" in told(drawn)
    assert "A caller says" in told(drawn)


def test_a_damaged_shard_is_named(cloud: ReviewCloud) -> None:
    cloud.put("reviews/held/2026-11-23/broken.jsonl.gz", b"no gzip")

    assert "broken.jsonl.gz" in page().error[0].value
