import json
from pathlib import Path

import pytest

from tests.unit.training_job.drift_report.made_samples import TOLD, fill
from training_job.drift_report.figures import (
    Measured,
    Tracked,
    description,
    metrics,
    report,
    spread,
)
from training_job.drift_report.samples import Samples, load_samples


@pytest.fixture
def night(tmp_path: Path) -> Samples:
    paths = fill(tmp_path, moved=-2.0)
    return load_samples(paths.reference, paths.window)


@pytest.fixture
def measured(night: Samples) -> Measured:
    psi = dict.fromkeys(night.compared, 0.05) | {"brightness": 3.0, "size": 0.3}
    return Measured(psi, {"metrics": [{"value": float("nan"), "of": ("a", None, True)}]})


def test_only_what_is_far_and_no_luck_has_drifted(night: Samples, measured: Measured) -> None:
    found = report(TOLD, night, measured, Tracked("run-1"))

    assert found["drifted"] == ["brightness"]  # size is as far as it is by luck
    assert found["drifted_share"] == 1 / 22
    assert found["features"]["brightness"]["drifted"]
    assert found["features"]["brightness"]["p_value"] < 0.001 < found["features"]["size"]["p_value"]
    assert found["features"]["brightness"]["window"]["mean"] == pytest.approx(-2, abs=0.2)
    assert (found["photos"], found["model_version"]) == ({"reference": 400, "window": 300}, "3")
    assert found["window"]["end"] == "2026-11-20T12:00:00.000000Z"
    assert found["mlflow"] == {"run_id": "run-1", "problem": None}
    assert "label" in found["left_out"]


def test_a_report_is_json_that_anything_can_read(night: Samples, measured: Measured) -> None:
    found = report(TOLD, night, measured, Tracked())

    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["evidently"] == {"metrics": [{"value": None, "of": ["a", None, True]}]}


def test_metrics_are_a_distance_for_each_feature_and_how_many_have_drifted(
    night: Samples, measured: Measured
) -> None:
    found = metrics(night, measured)

    assert found["psi_brightness"] == 3.0
    assert (found["drifted_features"], found["drifted_share"]) == (1.0, 1 / 22)
    assert (found["reference_photos"], found["window_photos"]) == (400.0, 300.0)
    assert len(found) == len(night.compared) + 4


def test_the_words_say_what_is_compared_what_moved_and_what_is_missing(
    night: Samples, measured: Measured
) -> None:
    words = description(TOLD, night, measured)

    assert "300 photos from 2026-11-19T12:00:00.000000Z" in words
    assert "not by luck: brightness." in words
    assert "Why this report: drift of brightness." in words
    assert "Left out: label, known of 0 photos" in words


def test_a_spread_leaves_out_what_is_unknown() -> None:
    found = spread([*map(float, range(101)), float("nan")])

    assert (found.photos, found.mean, found.p05, found.median, found.p95) == (101, 50, 5, 50, 95)
