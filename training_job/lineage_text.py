"""Lineage for a person: one screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import get_args

from areyouacat.quality import FIGURES
from areyouacat.splits import Split
from training_job.lineage_records import FileHash, JobLineage, Lineage, RegisteredVersion, Use

_WIDTH = 17  # of the first column


def lineage_lines(found: Lineage) -> Iterator[str]:
    """All of it."""
    yield from _version(found)
    yield from _dataset(found)
    yield from _origin(found)
    gate = found.gate
    if gate.passed:
        against = "" if gate.compared_with in {"", "none"} else f", against {gate.compared_with}"
        word = {"true": "passed", "false": "refused"}.get(gate.passed, gate.passed)
        without = " (not applicable)" if gate.applicable == "false" else ""
        yield _row("Gate", f"{word}{without}{against}: {gate.reason}")
    else:
        yield _row("Gate", "not recorded")
    yield from _metrics(found.metrics)
    yield from _run(found)
    for position, file in enumerate(found.files):
        yield _row("" if position else "Files", _file(file))
    for problem in found.problems:
        yield _row("Note", problem)


def versions_lines(versions: Sequence[RegisteredVersion], serving: str) -> Iterator[str]:
    """A table of model versions, one a line. `serving`: the version that serves now."""
    if not versions:
        yield "No model version was made of it."
        return
    yield f"{'version':<9}{'data set':<18}{'gate':<6}{'aliases':<22}training job"
    for found in versions:
        aliases = ", ".join((*found.aliases, *(["serves"] if found.version == serving else [])))
        gate = {"true": "yes", "false": "no"}.get(found.tags.get("gate_passed", ""), "?")
        yield (
            f"{found.version:<9}{found.tags.get('dataset_version', '?'):<18}{gate:<6}"
            f"{aliases:<22}{found.tags.get('training_job_name', '?')}"
        )


def uses_lines(uses: Sequence[Use]) -> Iterator[str]:
    """The data set versions of a photo."""
    for use in uses:
        yield f"data set {use.dataset_version}: {use.label}, {use.split}"


def job_lines(job: JobLineage) -> Iterator[str]:
    """A training job alone."""
    yield _row("Training job", job.name)
    if job.problem:
        yield _row("", job.problem)
        return
    took = f", {job.seconds} s" if job.seconds is not None else ""
    yield _row("", f"{job.status}  {_span(job.created_at, job.ended_at)}{took}")
    if job.failure_reason:
        yield _row("", job.failure_reason)
    yield _row("", job.arn)


def lone_job_lines(job: JobLineage) -> Iterator[str]:
    """A training job that was asked for by its name, with what it was made of."""
    yield from job_lines(job)
    if job.arn:
        yield _row("  data set", job.environment.get("DATASET_VERSION") or "not told")
        yield _row("  code", job.environment.get("CODE_REVISION") or "revision not told")
        yield _row("  image", job.image)
        told = "  ".join(f"{name}={value}" for name, value in sorted(job.hyperparameters.items()))
        yield _row("  parameters", told)


def _version(found: Lineage) -> Iterator[str]:
    aliases = f"aliases: {', '.join(found.version.aliases)}" if found.version.aliases else ""
    roles = "; ".join(part for part in (found.serving, aliases) if part) or "does not serve"
    yield _row(found.model, f"version {found.version.version}  ({roles})")
    at = found.version.registered_at
    yield _row("  registered", f"{_moment(at)}  mode {found.mode or 'unknown'}")


def _dataset(found: Lineage) -> Iterator[str]:
    dataset = found.dataset
    yield _row("Data set", dataset.version or "not known")
    if dataset.problem:
        yield _row("", dataset.problem)
    if dataset.manifest.key:
        yield _row("  manifest", _file(dataset.manifest))
    for split in get_args(Split):
        if counted := dataset.counts.get(split):
            photos = ", ".join(f"{number:,} {label}" for label, number in counted.items())
            yield _row(f"  {split}", photos)


def _origin(found: Lineage) -> Iterator[str]:
    yield _row("Code", found.code_revision or "revision not recorded")
    yield _row("  image", found.job.image or "not known")
    yield _row("  requirements", found.requirements_sha256 or "digest not recorded")
    parameters = found.run.parameters or found.job.hyperparameters
    told = "  ".join(f"{name}={value}" for name, value in sorted(parameters.items()))
    yield _row("Hyperparameters", told or "not recorded")
    yield from job_lines(found.job)
    execution = found.execution
    yield _row("Execution", execution.arn or "not known")
    span = f"{execution.status}  {_span(execution.started_at, execution.ended_at)}"
    yield _row("", execution.problem or span)


def _metrics(metrics: Mapping[str, float]) -> Iterator[str]:
    rows = [split for split in get_args(Split) if f"{split}_{FIGURES[0]}" in metrics]
    if not rows:
        yield _row("Metrics", "not recorded")
        return
    short = {"expected_calibration_error": "ECE"}
    yield _row("Metrics", "".join(f"{short.get(name, name):>10}" for name in FIGURES))
    for split in rows:
        values = (metrics.get(f"{split}_{name}") for name in FIGURES)
        cells = "".join(f"{'-' if value is None else format(value, '.4f'):>10}" for value in values)
        yield _row(f"  {split}", cells)


def _run(found: Lineage) -> Iterator[str]:
    run = found.run
    yield _row("MLflow run", f"{run.run_id or 'none'}  {run.status}".rstrip())
    if run.problem:
        yield _row("", run.problem)
    if run.url:
        yield _row("", run.url)


def _file(file: FileHash) -> str:
    by = f" ({file.by})" if file.recorded else ""
    return f"{file.key}  sha256 {file.sha256 or '-'}  {file.verdict}{by}"


def _span(start: datetime | None, end: datetime | None) -> str:
    return f"{_moment(start)} to {_moment(end)}"


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}" if at else "?"


def _row(name: str, text: str) -> str:
    return f"{name:<{_WIDTH}}{text}".rstrip()
