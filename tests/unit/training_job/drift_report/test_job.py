"""The whole job with Evidently itself, in a process as SageMaker starts it."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from areyouacat.drift_sample import COLUMNS
from tests.unit.training_job.drift_report.made_samples import TOLD, fill
from training_job.drift_report.environment import ReportPaths, base_paths, read_environment
from training_job.errors import EnvironmentalError

ROOT = Path(__file__).resolve().parents[4]
VARIABLES = {
    "JOB_NAME": TOLD.job_name,
    "MODEL_VERSION": TOLD.model_version,
    "WINDOW_START": TOLD.window_start,
    "WINDOW_END": TOLD.window_end,
    "REASON": "a <b>bold</b> reason",
}


def run(base: Path, **variables: str) -> tuple[int, str]:
    """Exit code and exit message."""
    inherited = {name: value for name, value in os.environ.items() if "MLFLOW" not in name}
    done = subprocess.run(
        [sys.executable, "-m", "training_job.drift_report"],
        env={**inherited, "SAGEMAKER_BASE_DIR": str(base), **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    message = base / "output" / "message"
    assert message.exists(), done.stdout + done.stderr
    return done.returncode, message.read_text()


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str, ReportPaths]:
    """A report of a window that is darker, while MLflow is down."""
    base = tmp_path_factory.mktemp("night")
    paths = fill(base, moved=-2.0)
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))  # nobody listens, and nobody else can
        nobody = f"http://127.0.0.1:{port.getsockname()[1]}"
        told = {"MLFLOW_TRACKING_URI": nobody, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
        return *run(base, **VARIABLES, **told), paths


def report_of(paths: ReportPaths) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((paths.output / "report.json").read_text())
    return found


def test_every_feature_has_evidentlys_distance_and_the_dark_one_has_drifted(
    night: tuple[int, str, ReportPaths],
) -> None:
    found = report_of(night[2])

    assert set(found["features"]) == set(COLUMNS) - {"label"}
    assert found["drifted"] == ["brightness"]
    assert found["features"]["brightness"]["psi"] > 1
    assert {one["config"]["type"] for one in found["evidently"]["metrics"]} >= {
        "evidently:metric_v2:ValueDrift",
        "evidently:metric_v2:DriftedColumnsCount",
    }


def test_the_page_says_what_it_compares_and_loads_nothing(
    night: tuple[int, str, ReportPaths],
) -> None:
    page = (night[2].output / "report.html").read_text()

    assert "<h1>Drift report: model version 3</h1>" in page
    assert "not by luck: brightness." in page
    assert "a &lt;b&gt;bold&lt;/b&gt; reason" in page
    assert not re.findall(r"<script[^>]*\ssrc=|<link[^>]*\shref=", page)


def test_a_report_is_not_lost_with_mlflow_and_says_what_is_missing(
    night: tuple[int, str, ReportPaths],
) -> None:
    code, message, paths = night

    assert code == 0
    assert "no MLflow run. MlflowException" in message
    assert report_of(paths)["mlflow"]["run_id"] is None
    assert "MlflowException" in report_of(paths)["mlflow"]["problem"]


def test_a_sample_that_cannot_be_read_fails_the_job_with_its_reason(tmp_path: Path) -> None:
    fill(tmp_path).window.write_bytes(b"nonsense\n")

    code, message = run(tmp_path, **VARIABLES)

    assert code == 1
    assert message.startswith(
        "SampleError: window.csv cannot be read: its columns are ['nonsense']"
    )


def test_what_was_not_told_is_named_before_anything_else(tmp_path: Path) -> None:
    code, message = run(tmp_path, JOB_NAME="job", WINDOW_END="now")

    assert code == 1
    assert message.endswith("environment variables are missing: MODEL_VERSION, WINDOW_START")


def test_a_long_message_is_cut_to_what_sagemaker_shows(tmp_path: Path) -> None:
    base_paths({"SAGEMAKER_BASE_DIR": str(tmp_path)}).say("x" * 5000)

    assert len((tmp_path / "output" / "message").read_text()) == 1024


def test_outside_the_local_cloud_everything_is_below_opt_ml() -> None:
    paths = base_paths({})

    assert str(paths.window) == "/opt/ml/processing/input/window/window.csv"
    assert str(paths.output) == "/opt/ml/processing/output"


def test_empty_variables_count_as_missing() -> None:
    with pytest.raises(EnvironmentalError, match="MODEL_VERSION"):
        read_environment({**VARIABLES, "MODEL_VERSION": ""})
    assert read_environment(VARIABLES).mlflow_experiment_name == "Default"
