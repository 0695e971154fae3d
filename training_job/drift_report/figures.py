"""What the report says in figures: `report.json`, and the metrics of its MLflow run."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from areyouacat.drift import Histogram, holm, homogeneity
from areyouacat.settings import DRIFT
from training_job.drift_report.environment import ReportEnvironment
from training_job.drift_report.samples import Samples

_METRIC_PREFIX = "psi_"


@dataclass(frozen=True, slots=True)
class Measured:
    """What Evidently found. `psi`: population stability index by feature. `raw`: all of it."""

    psi: Mapping[str, float]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Spread:
    """How a feature's values are spread: of `photos` that have one."""

    photos: int
    mean: float
    p05: float
    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class Tracked:
    """Where MLflow has the report. `problem`: why it has not, if so; both None: not asked to."""

    run_id: str | None = None
    problem: str | None = None


def chances(samples: Samples) -> dict[str, float]:
    """By feature: the chance that so much distance is luck, as the monitor computes it."""
    return holm({name: _chance(samples, name) for name in samples.compared})


def drifted(measured: Measured, chance: Mapping[str, float]) -> list[str]:
    """The features that are far and not by luck, the monitor's rule; the farthest first.

    Evidently's page counts what is far: of few photos that may be luck.
    """
    return sorted(
        (
            name
            for name, psi in measured.psi.items()
            if psi >= DRIFT.min_psi and chance[name] < DRIFT.significance
        ),
        key=lambda name: (-measured.psi[name], name),
    )


def description(told: ReportEnvironment, samples: Samples, measured: Measured) -> str:
    """What is compared and what has moved, in a few sentences."""
    moved = ", ".join(drifted(measured, chances(samples))) or "nothing"
    said = [
        f"Current: {_rows(samples.window):,} photos from {told.window_start} to "
        f"{told.window_end}. Reference: {_rows(samples.reference):,} of those that the model was "
        f"built on. Far, and not by luck: {moved}."
    ]
    if told.reason:
        said.append(f"Why this report: {told.reason}.")
    if samples.left_out:
        left_out = "; ".join(f"{name}, {why}" for name, why in samples.left_out.items())
        said.append(f"Left out: {left_out}.")
    return " ".join(said)


def report(
    told: ReportEnvironment, samples: Samples, measured: Measured, tracked: Tracked
) -> dict[str, Any]:
    """`report.json`. Holds no NaN, which is no JSON."""
    chance = chances(samples)
    moved = drifted(measured, chance)
    return {
        "job_name": told.job_name,
        "execution_arn": told.execution_arn,
        "model_version": told.model_version,
        "window": {"start": told.window_start, "end": told.window_end},
        "reason": told.reason,
        "photos": {"reference": _rows(samples.reference), "window": _rows(samples.window)},
        "method": "psi",
        "threshold": DRIFT.min_psi,
        "drifted": moved,
        "drifted_share": len(moved) / len(samples.compared),
        "features": {
            name: {
                "psi": measured.psi[name],
                "p_value": chance[name],
                "drifted": name in moved,
                "reference": asdict(spread(samples.reference[name])),
                "window": asdict(spread(samples.window[name])),
            }
            for name in samples.compared
        },
        "left_out": dict(samples.left_out),
        "mlflow": asdict(tracked),
        "evidently": _without_nan(measured.raw),
    }


def metrics(samples: Samples, measured: Measured) -> dict[str, float]:
    """Name -> value, for MLflow."""
    moved = drifted(measured, chances(samples))
    return {
        **{f"{_METRIC_PREFIX}{name}": psi for name, psi in measured.psi.items()},
        "drifted_features": float(len(moved)),
        "drifted_share": len(moved) / len(samples.compared),
        "reference_photos": float(_rows(samples.reference)),
        "window_photos": float(_rows(samples.window)),
    }


def _chance(samples: Samples, name: str) -> float:
    known = [value for value in samples.reference[name] if not math.isnan(value)]
    reference = Histogram.of(known, DRIFT.bins)
    return homogeneity(reference, reference.count(samples.window[name]))


def spread(values: Sequence[float]) -> Spread:
    """Figures of the values that are known; at least two must be."""
    known = [value for value in values if not math.isnan(value)]
    twentieths = statistics.quantiles(known, n=20, method="inclusive")
    return Spread(
        photos=len(known),
        mean=statistics.fmean(known),
        p05=twentieths[0],
        median=statistics.median(known),
        p95=twentieths[-1],
    )


def _rows(columns: Mapping[str, Sequence[float]]) -> int:
    return len(next(iter(columns.values())))


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    if isinstance(value, float):  # NumPy's, too
        return float(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
