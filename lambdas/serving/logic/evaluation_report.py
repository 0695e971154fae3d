"""An evaluation in words: `evaluation.json` for programs, `evaluation.md` for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from areyouacat.gates import GateDecision
from areyouacat.markdown import TITLES, in_words, table
from areyouacat.model_spec import ModelSpec
from areyouacat.settings import EVALUATION, LABELS
from lambdas.serving.logic.side_by_side import Disagreement, SideBySide, SplitSideBySide

SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that an evaluation found. `champion`: None if nothing served."""

    candidate: ModelSpec
    champion: ModelSpec | None
    champion_version: str | None
    decision: GateDecision
    metrics: Mapping[str, float]
    comparisons: Sequence[SplitSideBySide]


def to_json(report: Report) -> str:
    """`evaluation.json`."""
    return json.dumps(
        {
            "schema": SCHEMA,
            "candidate": _model(report.candidate),
            "champion": report.champion
            and {**_model(report.champion), "version": report.champion_version},
            "gate": asdict(report.decision),
            "metrics": dict(report.metrics),
            "comparisons": [asdict(found) for found in report.comparisons],
        },
        indent=2,
        allow_nan=False,
    )


def to_markdown(report: Report) -> str:
    """`evaluation.md`."""
    return "\n".join(_lines(report)) + "\n"


def _model(spec: ModelSpec) -> dict[str, Any]:
    return {
        "training_job_name": spec.training_job_name,
        "dataset_version": spec.dataset_version,
        "mode": spec.mode,
        "threshold": spec.threshold,
        "tflite_sha256": spec.tflite.sha256,
        "tflite_variant": spec.tflite.variant,
    }


def _lines(report: Report) -> Iterator[str]:
    candidate, decision = report.candidate, report.decision
    yield f"# {candidate.training_job_name}: {'passed' if decision.passed else 'refused'}"
    yield ""
    yield f"Reason: {decision.reason}."
    yield ""
    yield (
        f"Candidate: data set `{candidate.dataset_version}`, mode {candidate.mode}, TFLite "
        f"{candidate.tflite.variant}, `{LABELS.positive}` from {candidate.threshold:.3f}."
    )
    if report.champion is None:
        yield "Champion: none served, so there is nothing to compare with."
    else:
        yield (
            f"Champion: version {report.champion_version}, data set "
            f"`{report.champion.dataset_version}`, mode {report.champion.mode}, TFLite "
            f"{report.champion.tflite.variant}, `{LABELS.positive}` from "
            f"{report.champion.threshold:.3f}."
        )
    yield from ("", "## Rules", "")
    yield from table(
        ["rule", "", "value", "limit", "missed by"],
        [
            [
                rule.name,
                "passed" if rule.passed else "**refused**",
                f"{rule.value:.4f}",
                f"{rule.limit:.4f}",
                "" if rule.passed else f"{rule.shortfall:.4f}",
            ]
            for rule in decision.rules
        ],
    )
    if not decision.applicable:
        yield from ("", "Quality is not judged: too few photos (bootstrap).")
    for comparison in report.comparisons:
        yield from _split(comparison)
    yield from ("", "## How to read this", "")
    yield (
        "Both models answer the same photos through the serving code. In brackets: 95 % intervals, "
        "by drawing the photos again with replacement, look-alikes together, the same draws for "
        "both models (percentiles; Wilson's limits for a share of 0 or 1; for the difference in "
        "accuracy Bonett and Price's, as in the gate). Limits without width: no draw differs. A "
        "difference is candidate minus champion; of calibration error and log-loss less is "
        "better. A difference whose interval holds 0 may be luck."
    )


def _split(found: SplitSideBySide) -> Iterator[str]:
    whole = found.whole
    beside = found.only_candidate_right is not None
    yield from ("", f"## {whole.name}", "", f"{_photos(whole)}.", "")
    yield from table(["", *_columns(beside=beside)], _figures(whole, beside=beside))
    if found.slices:
        yield from ("", f"### {whole.name}, by slice", "")
        yield from table(
            ["slice", "photos", "", *_columns(beside=beside)],
            [row for part in found.slices for row in _slice(part, beside=beside)],
        )
    if found.only_candidate_right is not None and found.only_champion_right is not None:
        yield from ("", f"### {whole.name}, where they disagree", "")
        yield _disagreement("Only the candidate is right", found.only_candidate_right)
        yield _disagreement("Only the champion is right", found.only_champion_right)


def _columns(*, beside: bool) -> list[str]:
    return ["candidate", "champion", "difference"] if beside else ["candidate"]


def _figures(found: SideBySide, *, beside: bool) -> list[list[str]]:
    return [
        [
            TITLES[name],
            in_words(row.candidate),
            *([in_words(row.champion), in_words(row.difference, "+")] if beside else []),
        ]
        for name, row in found.rows.items()
    ]


def _slice(found: SideBySide, *, beside: bool) -> list[list[str]]:
    if not found.rows:
        return [[found.name, _photos(found), f"under {EVALUATION.min_slice_photos}: too few"]]
    rows = _figures(found, beside=beside)
    return [
        [found.name if first else "", _photos(found) if first else "", *row]
        for first, row in zip([True, *[False] * len(rows)], rows, strict=False)
    ]


def _photos(found: SideBySide) -> str:
    return f"{found.photos:,} photos, {found.positives:,} of them {LABELS.positive}"


def _disagreement(title: str, found: Disagreement) -> str:
    shown = ", ".join(f"`{photo}`" for photo in found.photos)
    more = f", the first {len(found.photos)}" if found.number > len(found.photos) else ""
    return f"- {title} on {found.number:,} photos{more}{': ' if shown else ''}{shown}"
