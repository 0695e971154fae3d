from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from areyouacat.lake import photo_key, tombstone_key
from areyouacat.predictions import Feedback, prediction_item
from lambdas.api.dal.photo_store import PhotoStore
from lambdas.api.logic.stored_predictions import erase_prediction
from lambdas.serving.dal.photo_store import PhotoStore as ServingPhotoStore
from lambdas.shared.predictions_table import PredictionsTable
from tests.unit.lambdas.api.conftest import (
    NOW,
    PHOTO,
    PHOTO_BYTES,
    StumblingClient,
    prediction,
    store_photo,
)
from tests.unit.lambdas.conftest import LAKE, TABLE

KEY = photo_key(PHOTO)


def stored_sizes(s3: Any) -> list[int | None]:
    """Of every version under the photo's key; None is a delete marker."""
    found = s3.list_object_versions(Bucket=LAKE, Prefix=KEY)
    versions = found.get("Versions", []) + found.get("DeleteMarkers", [])
    return [version.get("Size") for version in versions]


def is_buried(s3: Any) -> bool:
    listed = s3.list_objects_v2(Bucket=LAKE, Prefix=tombstone_key(PHOTO))
    return bool(listed["KeyCount"])


def assert_erased(s3: Any, table: PredictionsTable) -> None:
    assert stored_sizes(s3) == [0]
    assert is_buried(s3)
    assert table.get("p-1") is None


def test_a_prediction_is_read_as_it_was_answered(
    request_: Callable[..., Any], table: PredictionsTable
) -> None:
    answer = request_("GET", "/predictions/p-1")

    assert answer.status == 200
    assert answer.body == {
        "prediction_id": "p-1",
        "label": "cat",
        "verdict": "cat",
        "probability": 0.9,
        "model": {"name": "are-you-a-cat", "version": "1", "role": "champion"},
        "explanation": {"grid": [[0.5] * 7] * 7},
        "predicted_at": NOW.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "feedback": None,
    }


def test_a_prediction_is_read_with_its_feedback(
    request_: Callable[..., Any], table: PredictionsTable
) -> None:
    table.record_feedback("p-1", Feedback("not_cat", NOW))

    feedback = request_("GET", "/predictions/p-1").body["feedback"]

    assert feedback["label"] == "not_cat"
    assert datetime.fromisoformat(feedback["at"]) == NOW


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    "prediction_id", ["nobody", "p" * 65, "p-1%0A", "p 1", "é", "../p-1", "p-1/more", "<script>"]
)
def test_an_unknown_prediction_is_a_404(
    method: str, prediction_id: str, request_: Callable[..., Any], table: PredictionsTable
) -> None:
    answer = request_(method, f"/predictions/{prediction_id}")

    assert (answer.status, answer.body["error"]["code"]) == (404, "not_found")
    assert table.get("p-1") is not None


@pytest.mark.parametrize("origin", ["request", "feedback"])
def test_a_sent_photo_is_erased_with_its_prediction(
    origin: str, request_: Callable[..., Any], s3: Any, table: PredictionsTable
) -> None:
    store_photo(s3, f"origin={origin}")

    answer = request_("DELETE", "/predictions/p-1")

    assert (answer.status, answer.body) == (200, {"prediction_id": "p-1", "photo_erased": True})
    assert_erased(s3, table)
    assert s3.get_object_tagging(Bucket=LAKE, Key=KEY)["TagSet"] == []


def test_what_is_erased_is_unknown_afterwards(
    request_: Callable[..., Any], s3: Any, table: PredictionsTable
) -> None:
    store_photo(s3, "origin=request")
    request_("DELETE", "/predictions/p-1")

    assert request_("GET", "/predictions/p-1").status == 404
    assert request_("DELETE", "/predictions/p-1").status == 404
    feedback = request_("POST", "/feedback", '{"prediction_id": "p-1", "label": "cat"}')
    assert feedback.status == 404


def test_an_erased_photo_is_never_stored_again(
    request_: Callable[..., Any], s3: Any, table: PredictionsTable
) -> None:
    store_photo(s3, "origin=request")
    request_("DELETE", "/predictions/p-1")
    serving = ServingPhotoStore(s3, LAKE)

    serving.put(PHOTO, PHOTO_BYTES, "JPEG")

    assert serving.get(PHOTO) is None
    assert stored_sizes(s3) == [0]


def test_the_operators_photo_stays(
    request_: Callable[..., Any], s3: Any, table: PredictionsTable
) -> None:
    store_photo(s3, "")

    answer = request_("DELETE", "/predictions/p-1")

    assert (answer.status, answer.body["photo_erased"]) == (200, False)
    assert stored_sizes(s3) == [len(PHOTO_BYTES)]
    assert not is_buried(s3)
    assert table.get("p-1") is None


def test_every_older_version_goes(
    request_: Callable[..., Any], s3: Any, table: PredictionsTable
) -> None:
    store_photo(s3, "origin=request")
    s3.delete_object(Bucket=LAKE, Key=KEY)
    store_photo(s3, "origin=request")

    request_("DELETE", "/predictions/p-1")

    assert_erased(s3, table)


def test_a_photo_that_expired_goes_with_its_last_version(
    request_: Callable[..., Any], s3: Any, table: PredictionsTable
) -> None:
    store_photo(s3, "origin=request")
    s3.delete_object(Bucket=LAKE, Key=KEY)  # leaves a marker, as a lifecycle rule does

    answer = request_("DELETE", "/predictions/p-1")

    assert answer.body["photo_erased"] is True
    assert_erased(s3, table)


def test_photos_whose_keys_begin_alike_are_not_touched(
    request_: Callable[..., Any], s3: Any, table: PredictionsTable
) -> None:
    store_photo(s3, "origin=request")
    for _ in range(2):
        s3.put_object(Bucket=LAKE, Key=f"{KEY}0", Body=b"another")

    request_("DELETE", "/predictions/p-1")

    others = s3.list_object_versions(Bucket=LAKE, Prefix=f"{KEY}0")["Versions"]
    assert len(others) == 2


def test_other_predictions_of_the_photo_stay(
    request_: Callable[..., Any], s3: Any, table: PredictionsTable
) -> None:
    store_photo(s3, "origin=request")
    table.put(prediction_item(prediction("p-2"), ttl_days=30))

    request_("DELETE", "/predictions/p-1")

    assert request_("GET", "/predictions/p-2").status == 200
    assert request_("DELETE", "/predictions/p-2").body["photo_erased"] is True


def test_the_first_tombstone_stands(s3: Any, table: PredictionsTable) -> None:
    store_photo(s3, "origin=request")
    table.put(prediction_item(prediction("p-2"), ttl_days=30))
    first = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)

    erase_prediction(table, PhotoStore(s3, LAKE), "p-1", first)
    erase_prediction(table, PhotoStore(s3, LAKE), "p-2", NOW)

    tombstone = s3.get_object(Bucket=LAKE, Key=tombstone_key(PHOTO))["Body"].read()
    assert json.loads(tombstone) == {"erased_at": "2026-11-22T20:00:00.000000Z"}


@pytest.mark.parametrize(
    ("service", "operation", "nth"),
    [
        ("s3", "head_object", 1),
        ("s3", "get_object_tagging", 1),
        ("s3", "put_object", 1),  # the tombstone
        ("s3", "put_object", 2),  # the mark at the photo's key
        ("s3", "get_paginator", 1),
        ("s3", "delete_object", 1),
        ("s3", "delete_object", 2),
        ("dynamodb", "delete_item", 1),
    ],
)
def test_an_erasure_cut_short_anywhere_is_finished_by_asking_again(
    service: str, operation: str, nth: int, s3: Any, dynamodb: Any, table: PredictionsTable
) -> None:
    store_photo(s3, "origin=request")
    store_photo(s3, "origin=request")
    clients = {"s3": s3, "dynamodb": dynamodb}
    clients[service] = StumblingClient(clients[service], operation, nth)

    with pytest.raises(ConnectionError):
        erase_prediction(
            PredictionsTable(clients["dynamodb"], TABLE),
            PhotoStore(clients["s3"], LAKE),
            "p-1",
            NOW,
        )
    assert table.get("p-1") is not None

    erased = erase_prediction(table, PhotoStore(s3, LAKE), "p-1", NOW)

    assert erased.photo_erased
    assert_erased(s3, table)


def test_two_who_erase_at_once_leave_the_mark_in_place(s3: Any, table: PredictionsTable) -> None:
    store_photo(s3, "origin=request")
    photos, theirs = PhotoStore(s3, LAKE), PhotoStore(s3, LAKE)

    photos.empty(PHOTO)
    theirs.empty(PHOTO)
    photos.forget_versions(PHOTO)
    theirs.forget_versions(PHOTO)

    assert stored_sizes(s3) == [0]
