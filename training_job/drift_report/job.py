"""One drift report, step by step: samples, page, figures, MLflow."""

import json
import logging
from pathlib import Path

from areyouacat.lake import DRIFT_REPORT_HTML, DRIFT_REPORT_JSON
from training_job.drift_report.environment import ReportEnvironment, ReportPaths
from training_job.drift_report.evidently_page import put_heading, write_page
from training_job.drift_report.figures import Measured, Tracked, description, metrics, report
from training_job.drift_report.record import log_report, open_run
from training_job.drift_report.samples import Samples, load_samples

_LOG = logging.getLogger(__name__)


def make_report(paths: ReportPaths, told: ReportEnvironment) -> Tracked:
    """Leave page and figures where SageMaker takes them from, and in MLflow if that is there.

    A report is in the lake whatever MLflow does: its outputs are uploaded only if the job ends
    well, so a server that is down is a remark in the report and no failure.

    Raises SampleError if a sample cannot be used.
    """
    samples = load_samples(paths.reference, paths.window)
    for name, why in samples.left_out.items():
        _LOG.info("left out: %s, %s", name, why)
    page = paths.output / DRIFT_REPORT_HTML
    measured = write_page(samples, page)
    title = f"Drift report: model version {told.model_version}"
    put_heading(page, title, description(told, samples, measured))
    tracked = _track(paths.output, told, samples, measured)
    if tracked.problem:
        _write(paths.output, report(told, samples, measured, tracked))
    return tracked


def _track(output: Path, told: ReportEnvironment, samples: Samples, measured: Measured) -> Tracked:
    if not told.mlflow_tracking_uri:
        _write(output, report(told, samples, measured, Tracked()))
        return Tracked()
    try:
        run = open_run(told)
        tracked = Tracked(run.run_id)
        _write(output, report(told, samples, measured, tracked))
        log_report(run, metrics(samples, measured), output)
    except Exception as error:  # whatever it is, the report must not be lost for it
        _LOG.exception("MLflow does not have the report")
        return Tracked(problem=f"{type(error).__name__}: {error}")
    return tracked


def _write(folder: Path, values: dict[str, object]) -> None:
    text = json.dumps(values, indent=1, allow_nan=False)
    (folder / DRIFT_REPORT_JSON).write_text(text, encoding="utf-8")
