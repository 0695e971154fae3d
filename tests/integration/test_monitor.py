"""The monitor's report on the local cloud: photos are sent, and a page says what has moved."""

import json
import subprocess
from pathlib import Path

from areyouacat.settings import DRIFT, LABELS
from tests.integration.instance import APP_PYTHON, Instance
from tests.integration.test_loop import mirrored, monitor, photos_of

FIND_RUN = """
import json, mlflow, sys
(run,) = mlflow.search_runs(
    search_all_experiments=True,
    filter_string=f"tags.drift_report_job = '{sys.argv[1]}'",
    output_format="list",
)
artifacts = mlflow.MlflowClient().list_artifacts(run.info.run_id)
print(json.dumps({
    "status": run.info.status,
    "metrics": run.data.metrics,
    "tags": run.data.tags,
    "artifacts": [artifact.path for artifact in artifacts],
}))
"""
"""Prints the one run of a report, as MLflow's own client finds it."""


def test_enough_photos_are_reported_once_in_the_lake_and_in_mlflow(
    trained: Instance, starter: Path
) -> None:
    every = [photo for label in LABELS.all for photo in photos_of(starter, label)]
    for photo in every[:: len(every) // (DRIFT.min_window + 10)][: DRIFT.min_window + 10]:
        assert trained.predict(mirrored(photo)).status == 200

    output = monitor(trained)

    due = output["collected"]["summary"]["report"]
    assert due["due"], due["why"]
    assert output["report"]["job_name"] == due["job_name"]
    files = trained.client("s3")
    bucket = trained.endpoints["lake_bucket"]
    page, figures = (
        files.get_object(Bucket=bucket, Key=f"{due['prefix']}report.{kind}")["Body"].read()
        for kind in ("html", "json")
    )
    assert f"Drift report: model version {due['model_version']}".encode() in page
    report = json.loads(figures)
    assert report["photos"]["window"] >= DRIFT.min_window
    assert {"brightness", "size", "sketch_00"} <= set(report["features"])

    shown = subprocess.run(
        [APP_PYTHON, "-c", FIND_RUN, due["job_name"]],
        env=trained.sourced(),
        capture_output=True,
        text=True,
        check=True,
    )
    run = json.loads(shown.stdout.splitlines()[-1])
    assert (run["status"], run["artifacts"]) == ("FINISHED", ["report.html", "report.json"])
    assert run["tags"]["report_uri"] == due["report_uri"]
    assert run["metrics"]["psi_size"] == report["features"]["size"]["psi"]

    again = monitor(trained)["collected"]["summary"]["report"]
    assert (again["due"], again["failed"]) == (False, False)
