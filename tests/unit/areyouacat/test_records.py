"""Lake records, table items, the lease's names and metric lines."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from areyouacat import metrics
from areyouacat.lake import (
    IndexRow,
    LabelRecord,
    dump_shard,
    index_shard_key,
    load_shard,
    parse_utc,
    photo_key,
    utc_text,
)
from areyouacat.lease import is_stale, training_job_name
from areyouacat.predictions import (
    Prediction,
    PredictionItem,
    prediction_item,
    time_bucket,
    time_buckets,
)

NOW = datetime(2026, 11, 22, 20, 59, 59, 999_999, tzinfo=UTC)
ROW = IndexRow(
    "a" * 64, 10, 1, 1, "PNG", 0.1, 0.2, 0.3, "0" * 16, "s", "2026-01-01T00:00:00.000000Z"
)


def test_a_shard_reads_back_and_is_named_by_its_content() -> None:
    shard = dump_shard([ROW, ROW])

    assert list(load_shard(shard, IndexRow)) == [ROW, ROW]
    assert dump_shard([ROW, ROW]) == shard
    assert index_shard_key("2026-01-01", shard).startswith("index/2026-01-01/")


def test_a_record_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="LabelRecord"):
        list(load_shard(dump_shard([ROW]), LabelRecord))


def test_photos_are_spread_by_the_start_of_their_hash() -> None:
    assert photo_key("ab" + "0" * 62) == "photos/ab/ab" + "0" * 62


def test_a_moment_reads_back_and_a_naive_one_is_refused() -> None:
    assert parse_utc(utc_text(NOW)) == NOW
    with pytest.raises(ValueError, match="naive"):
        utc_text(NOW.replace(tzinfo=None))


@given(
    seconds=st.integers(0, 10 * 86400), identity=st.text(min_size=1), window=st.integers(0, 100_000)
)
def test_every_moment_of_a_window_is_in_its_buckets(
    seconds: int, identity: str, window: int
) -> None:
    start = NOW
    moment = start + timedelta(seconds=min(seconds, window))

    assert time_bucket(moment, identity) in set(
        time_buckets(start, start + timedelta(seconds=window))
    )


def test_a_window_of_a_day_costs_a_hundred_queries_at_most() -> None:
    assert len(list(time_buckets(NOW - timedelta(hours=24), NOW))) <= 100


def test_a_prediction_reads_back_from_the_tables_numbers() -> None:
    prediction = Prediction(
        "p", NOW, "a" * 64, 10, 2, 3, "PNG", 0.25, 0.5, 0.125, "f" * 16, 0.75, "cat", "cat",
        "m", "1", "champion", (0.5, -0.25), ((0.125, -12.345), (0.0, 3.0)), 12.5,
        upload_key="uploads/u", idempotency="d" * 64,
    )  # fmt: skip
    item = {
        key: Decimal(str(value)) if isinstance(value, float) else value
        for key, value in prediction_item(prediction, ttl_days=30).items()
    }

    found = PredictionItem.from_item(item)

    assert found.prediction == prediction
    assert found.feedback is None
    assert item["expires_at"] == int(NOW.timestamp()) + 30 * 86400


def test_a_sketch_that_was_stored_as_a_list_is_read_as_one_in_bytes() -> None:
    item = prediction_item(Prediction(
        "p", NOW, "a" * 64, 10, 2, 3, "PNG", 0.25, 0.5, 0.125, "f" * 16, 0.75, "cat", "cat",
        "m", "1", "champion", (0.1 + 0.2, -0.25), (), 12.5,
    ), ttl_days=30)  # fmt: skip
    older = {**item, "sketch": [Decimal(repr(0.1 + 0.2)), Decimal("-0.25")]}

    assert isinstance(item["sketch"], bytes)
    assert PredictionItem.from_item(older) == PredictionItem.from_item(item)


@given(name=st.text(max_size=80))
def test_a_training_job_name_is_one_that_sagemaker_takes(name: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", training_job_name(name))
    assert training_job_name(name) == training_job_name(name)


def test_executions_with_like_names_get_different_jobs() -> None:
    assert training_job_name("a_b") != training_job_name("a.b")


@pytest.mark.parametrize(
    ("status", "stale"),
    [("RUNNING", False), ("SUCCEEDED", True), ("FAILED", True), ("ABORTED", True), (None, True)],
)
def test_a_lease_is_stale_when_its_execution_no_longer_runs(
    status: str | None, stale: bool
) -> None:
    assert is_stale(status) is stale


def test_an_embedded_metric_line_names_its_metrics_without_dimensions() -> None:
    line = json.loads(metrics.emf({metrics.LATENCY: 12.5}, NOW, {"model_version": "3"}))

    directive = line["_aws"]["CloudWatchMetrics"][0]
    assert directive["Dimensions"] == [[]]
    assert directive["Metrics"] == [{"Name": "Latency", "Unit": "Milliseconds"}]
    assert (line["Latency"], line["model_version"]) == (12.5, "3")


def test_a_breakdown_counts_the_same_metric_once_more_by_its_dimension() -> None:
    by_version = metrics.Breakdown("ModelVersion", "3", {metrics.LATENCY: 12.5})

    line = json.loads(metrics.emf({metrics.LATENCY: 12.5}, NOW, breakdowns=[by_version]))

    _, directive = line["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["ModelVersion"]]
    assert directive["Metrics"] == [{"Name": "Latency", "Unit": "Milliseconds"}]
    assert (line["Latency"], line["ModelVersion"]) == (12.5, "3")


def test_every_metric_has_a_name_of_its_own() -> None:
    assert len({metric.name for metric in metrics.ALL}) == len(metrics.ALL)
