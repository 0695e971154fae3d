"""The report in MLflow: one run beside the trainings, however often the job is tried."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mlflow import MlflowClient
from mlflow.entities import RunStatus

from areyouacat.mlflow_server import prepare_client
from training_job.drift_report.environment import ReportEnvironment
from training_job.tracking import MlflowRun

JOB_TAG: Final = "drift_report_job"
"""By which a second try finds the run of the first."""


def open_run(told: ReportEnvironment) -> MlflowRun:
    """The report's run: a new one, or that of an earlier try.

    Raises whatever MLflow's client does when the server does not answer as it should.
    """
    # Not for long: the report is to be uploaded, whatever MLflow does.
    prepare_client(told.mlflow_tracking_uri, retries=3, timeout_seconds=30)
    client = MlflowClient(tracking_uri=told.mlflow_tracking_uri)
    found = client.get_experiment_by_name(told.mlflow_experiment_name)
    experiment = (
        found.experiment_id if found else client.create_experiment(told.mlflow_experiment_name)
    )
    earlier = client.search_runs(
        [experiment], filter_string=f"tags.{JOB_TAG} = '{told.job_name}'", max_results=1
    )
    if earlier:
        run_id = earlier[0].info.run_id
        client.update_run(run_id, status=RunStatus.to_string(RunStatus.RUNNING))
    else:
        name = f"drift report {told.window_end}"
        run_id = client.create_run(experiment, run_name=name, tags=_tags(told)).info.run_id
    return MlflowRun(client, run_id)


def log_report(run: MlflowRun, metrics: Mapping[str, float], folder: Path) -> None:
    """Metrics and files, and the end of the run."""
    run.metrics(metrics)
    run.artifacts(folder)
    run.end("FINISHED")


def _tags(told: ReportEnvironment) -> dict[str, str]:
    tags = {
        JOB_TAG: told.job_name,
        "model_version": told.model_version,
        "window_start": told.window_start,
        "window_end": told.window_end,
        "report_uri": told.report_uri,
        "reason": told.reason,
        "execution_arn": told.execution_arn,
    }
    return {name: value for name, value in tags.items() if value}
