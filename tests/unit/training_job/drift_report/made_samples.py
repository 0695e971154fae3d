"""Samples of made-up photos, and a job's folder that holds them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from areyouacat.drift_sample import SampleRow, sample_csv
from training_job.drift_report.environment import ReportEnvironment, ReportPaths

TOLD = ReportEnvironment(
    job_name="areyouacat-drift-20261120T120000Z",
    model_version="3",
    window_start="2026-11-19T12:00:00.000000Z",
    window_end="2026-11-20T12:00:00.000000Z",
    report_uri="s3://lake/reports/drift/2026-11-20T12-00-00Z/",
    reason="drift of brightness",
    execution_arn="arn:aws:states:eu-west-1:123456789012:execution:monitor:one",
)


def rows(number: int, *, moved: float = 0.0, labelled: bool = True) -> Iterator[SampleRow]:
    """Photos of one world, whose brightness is `moved` by so many standard deviations."""
    drawn = np.random.default_rng(number)
    for _ in range(number):
        inputs = drawn.normal(size=5).tolist()
        inputs[0] += moved
        label = str(drawn.choice(["cat", "not_cat"])) if labelled else None
        sketch = tuple(drawn.normal(size=16).tolist())
        yield SampleRow(tuple(inputs), sketch, float(drawn.random()), label)


def fill(base: Path, *, photos: int = 300, moved: float = 0.0) -> ReportPaths:
    """A job's folder with 400 photos of reference and an unlabelled window."""
    paths = ReportPaths(base)
    for path, made in (
        (paths.reference, rows(400)),
        (paths.window, rows(photos, moved=moved, labelled=False)),
    ):
        path.parent.mkdir(parents=True)
        path.write_bytes(sample_csv(made))
    paths.output.mkdir(parents=True)
    return paths
