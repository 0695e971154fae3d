"""Evidently: the page, and the distances that stand on it. Nothing else imports it."""

from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset, DataSummaryPreset

from areyouacat.settings import DRIFT
from training_job.drift_report.figures import Measured
from training_job.drift_report.samples import Columns, Samples

_DRIFT_METRIC = "evidently:metric_v2:ValueDrift"


def write_page(samples: Samples, html: Path) -> Measured:
    """Compare the samples and write the page, which is whole: it loads nothing from elsewhere.

    Evidently bins each feature by itself, from both samples; the monitor's metric counts in bins
    of all the model's photos. The two agree on what is far, not on the digits.
    """
    compared = list(samples.compared)
    definition = DataDefinition(numerical_columns=compared)

    def dataset(columns: Columns) -> Dataset:
        frame = pd.DataFrame({name: columns[name] for name in compared})
        return Dataset.from_pandas(frame, data_definition=definition)

    presets = [
        DataDriftPreset(columns=compared, method="psi", threshold=DRIFT.min_psi),
        DataSummaryPreset(columns=compared),
    ]
    snapshot = Report(presets).run(dataset(samples.window), dataset(samples.reference))
    html.parent.mkdir(parents=True, exist_ok=True)
    snapshot.save_html(str(html))
    raw: dict[str, Any] = snapshot.dict()
    psi = {
        found["config"]["column"]: float(found["value"])
        for found in raw["metrics"]
        if found["config"]["type"] == _DRIFT_METRIC
    }
    return Measured({name: psi[name] for name in compared}, raw)


def put_heading(html: Path, title: str, words: str) -> None:
    """Say on a written page what it compares, which Evidently does not know."""
    body = (
        '<div style="font-family: sans-serif; padding: 1em 2em">'
        f"<h1>{escape(title)}</h1><p>{escape(words)}</p></div>"
    )
    page = html.read_text(encoding="utf-8")
    page = page.replace("<head>", f"<head><title>{escape(title)}</title>", 1)
    html.write_text(page.replace("<body>", f"<body>{body}", 1), encoding="utf-8")
