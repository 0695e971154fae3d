"""What the Label page asks, and what an answer leaves in the lake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from areyouacat.lake import (
    INDEX_PREFIX,
    ORIGIN_FEEDBACK,
    ORIGIN_REQUEST,
    REJECTED_PREFIX,
    photo_key,
    tombstone_key,
)
from areyouacat.settings import LABELS
from tests.ui.review_cloud import CONFIGURATION, LAKE, NOW, REGION, ReviewCloud
from ui import unsure
from ui.aws import AwsError
from ui.lake import GoneError, Lake
from ui.previews import Previews
from ui.reviews import Question, Reviews
from ui.unsure import UnsurePhotos


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReviewCloud]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        s3 = boto3.client("s3", region_name=REGION)
        yield ReviewCloud(s3, boto3.client("dynamodb", region_name=REGION))


@pytest.fixture
def reviews(cloud: ReviewCloud) -> Reviews:
    predictions = UnsurePhotos(CONFIGURATION, cloud.dynamodb)
    return Reviews(Lake(CONFIGURATION, cloud.s3), predictions)


def photos(questions: tuple[Question, ...]) -> list[str]:
    return [each.photo for each in questions]


def test_held_labels_wait_the_oldest_first(cloud: ReviewCloud, reviews: Reviews) -> None:
    second, first = cloud.hold(2), cloud.hold(1, reason="people disagree")

    waiting = reviews.held()

    assert photos(waiting) == [first, second]
    assert waiting[0].held is not None
    assert waiting[0].held.reason == "people disagree"


@pytest.mark.parametrize("label", LABELS.all)
def test_a_held_label_becomes_what_the_reviewer_says(
    cloud: ReviewCloud, reviews: Reviews, label: str
) -> None:
    photo = cloud.hold(1, LABELS.positive)

    reviews.answer(reviews.held()[0], label, "ann")

    (record,) = cloud.labels()
    assert (record.photo, record.label, record.source, record.who) == (
        photo, label, "review", "ann",
    )  # fmt: skip
    assert reviews.held() == ()


def test_what_nobody_can_tell_teaches_nothing_and_is_not_asked_again(
    cloud: ReviewCloud, reviews: Reviews
) -> None:
    photo = cloud.hold(1)

    reviews.answer(reviews.held()[0], None, "ann")

    assert cloud.keys(REJECTED_PREFIX) == [f"{REJECTED_PREFIX}{photo}"]
    assert cloud.labels() == []
    assert reviews.held() == ()


@pytest.mark.parametrize("label", [*LABELS.all, None])
def test_an_answer_that_is_taken_back_was_never_said(
    cloud: ReviewCloud, reviews: Reviews, label: str | None
) -> None:
    cloud.hold(1)
    waiting = reviews.held()

    reviews.take_back(reviews.answer(waiting[0], label, "ann"))

    assert reviews.held() == waiting
    assert cloud.labels() == []


def test_two_reviewers_of_one_photo_leave_both_words_and_the_last_one_counts(
    cloud: ReviewCloud, reviews: Reviews
) -> None:
    cloud.hold(1)
    (asked,) = reviews.held()

    reviews.answer(asked, LABELS.positive, "ann")
    reviews.answer(asked, LABELS.negative, "bob")

    last = max(cloud.labels(), key=lambda record: record.labelled_at)
    assert {record.who for record in cloud.labels()} == {"ann", "bob"}
    assert (last.who, last.label) == ("bob", LABELS.negative)


def test_unsure_photos_come_the_newest_first_and_each_once(
    cloud: ReviewCloud, reviews: Reviews
) -> None:
    old, new = cloud.photo(1), cloud.photo(2)
    cloud.predict(old, NOW - timedelta(hours=30))
    cloud.predict(new, NOW - timedelta(hours=2))
    cloud.predict(new, NOW - timedelta(hours=1))

    found = reviews.unsure(NOW)

    assert photos(found) == [new, old]
    assert found[0].prediction is not None
    assert found[0].prediction.predicted_at == NOW - timedelta(hours=1)


def test_photos_that_need_nobody_are_left_out(cloud: ReviewCloud, reviews: Reviews) -> None:
    sure, said, erased, ancient, decided = (cloud.photo(number) for number in range(5))
    cloud.predict(sure, verdict=LABELS.positive)
    cloud.predict(said, feedback=LABELS.positive)
    cloud.predict(erased)
    cloud.put(tombstone_key(erased), b"")
    cloud.predict(ancient, NOW - timedelta(hours=unsure.HOURS + 2))
    cloud.predict(decided)
    (asked,) = reviews.unsure(NOW)
    reviews.answer(asked, LABELS.positive, "ann")

    assert asked.photo == decided
    assert reviews.unsure(NOW) == ()


def test_a_reviewers_word_on_an_unsure_photo_lets_it_teach_and_stay(
    cloud: ReviewCloud, reviews: Reviews
) -> None:
    photo = cloud.photo(1)
    cloud.predict(photo)
    assert cloud.origin(photo) == ORIGIN_REQUEST

    reviews.answer(reviews.unsure(NOW)[0], LABELS.positive, "ann")

    assert [(record.photo, record.source) for record in cloud.labels()] == [(photo, "review")]
    assert len(cloud.keys(INDEX_PREFIX)) == 1
    assert cloud.origin(photo) == ORIGIN_FEEDBACK


def test_taken_back_an_unsure_photo_expires_again(cloud: ReviewCloud, reviews: Reviews) -> None:
    photo = cloud.photo(1)
    cloud.predict(photo)
    waiting = reviews.unsure(NOW)

    reviews.take_back(reviews.answer(waiting[0], LABELS.negative, "ann"))

    assert cloud.origin(photo) == ORIGIN_REQUEST
    assert reviews.unsure(NOW) == waiting


def test_the_table_is_asked_a_bounded_number_of_times(
    cloud: ReviewCloud, reviews: Reviews, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsure, "MOST", 3)
    for number in range(8):
        cloud.predict(cloud.photo(number), NOW - timedelta(hours=number))

    assert 3 <= len(reviews.unsure(NOW)) < 8


def test_a_damaged_shard_is_named_with_the_remedy(cloud: ReviewCloud, reviews: Reviews) -> None:
    cloud.put("reviews/held/2026-11-23/broken.jsonl.gz", b"no gzip")

    with pytest.raises(AwsError, match=r"broken\.jsonl\.gz cannot be read.*Restore"):
        reviews.held()


def test_a_photo_that_is_gone_is_told_apart(reviews: Reviews) -> None:
    with pytest.raises(GoneError):
        reviews.photo("0" * 64)


def test_without_names_in_aws_the_remedy_is_told() -> None:
    bare = replace(CONFIGURATION, lake_bucket=None, predictions_table=None)

    with pytest.raises(AwsError, match="make up"):
        Lake(bare, object())
    with pytest.raises(AwsError, match="make up"):
        UnsurePhotos(bare, object())


def test_a_bucket_that_may_not_be_read_is_said_so(cloud: ReviewCloud, reviews: Reviews) -> None:
    cloud.s3.delete_bucket(Bucket=LAKE)

    with pytest.raises(AwsError):
        reviews.held()


def test_a_preview_is_read_once_and_small(cloud: ReviewCloud, reviews: Reviews) -> None:
    asked: list[str] = []

    def read(name: str) -> bytes:
        asked.append(name)
        return reviews.photo(name)

    previews, photo = Previews(read), cloud.photo(1)
    previews.ahead([photo])

    first, second = previews.get(photo), previews.get(photo)

    assert first is second
    assert first is not None
    assert first.size == (40, 30)
    assert asked == [photo]


def test_a_preview_that_failed_is_tried_again(cloud: ReviewCloud, reviews: Reviews) -> None:
    previews = Previews(reviews.photo)
    photo = cloud.photo(1)
    kept = cloud.s3.get_object(Bucket=LAKE, Key=photo_key(photo))["Body"].read()
    cloud.s3.delete_object(Bucket=LAKE, Key=photo_key(photo))
    with pytest.raises(GoneError):
        previews.get(photo)

    cloud.put(photo_key(photo), kept)

    assert previews.get(photo) is not None


def test_what_is_no_photo_has_no_preview() -> None:
    def read(_name: str) -> Any:
        return b"no photo"

    assert Previews(read).get("x") is None
