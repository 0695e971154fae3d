"""A comparison in words and tables: `comparison.md`, and the tables of the page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from areyouacat.comparison import Comparison, ModelFigures
from areyouacat.comparison_record import ComparedPhotos, ComparisonRecord
from areyouacat.markdown import TITLES, in_words, table
from areyouacat.quality import FIGURES
from areyouacat.settings import LABELS

_SEEN: Final[Mapping[ComparedPhotos, str]] = MappingProxyType(
    {
        "validation": "Thresholds and calibration were chosen on such photos: they flatter.",
        "all": "Models have learnt from many of these photos: the figures flatter.",
    }
)
"""What must be said of photos that a model may have seen."""


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as text; the first cell of a row names it."""

    heading: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self, *, aligned: bool = False) -> Iterator[str]:
        """Its lines; `aligned` to be read as plain text too."""
        return table(self.heading, self.rows, aligned=aligned)


def title(record: ComparisonRecord) -> str:
    """What is compared."""
    versions = ", ".join(record.question.versions)
    return f"Model versions {versions} on data set {record.question.dataset_version}"


def photos(record: ComparisonRecord) -> str:
    """On which photos, and what is to be thought of them."""
    comparison, split = record.comparison, record.question.split
    name = "all splits, train too" if split == "all" else split
    said = [
        f"{comparison.photos:,} photos ({name}), {comparison.positives:,} of them "
        f"{LABELS.positive}."
    ]
    if record.unscored:
        said.append(f"{record.unscored:,} more are erased or unreadable.")
    if split in _SEEN:
        said.append(_SEEN[split])
    return " ".join(said)


def figures(comparison: Comparison) -> Table:
    """Every figure of every model, models side by side."""
    models = comparison.models
    return Table(
        ["", *(f"version {model.version}" for model in models)],
        [
            *(
                [TITLES[name], *(in_words(model.figures.get(name)) for model in models)]
                for name in FIGURES
            ),
            ["threshold", *(f"{model.threshold:.3f}" for model in models)],
            ["latency p50 (ms)", *(f"{model.latency_ms:.1f}" for model in models)],
            [f"{LABELS.positive} recognised", *map(_positives_found, models)],
            [f"{LABELS.negative} recognised", *map(_negatives_found, models)],
        ],
    )


def pairs(comparison: Comparison) -> Table:
    """Each two models: who is right where."""
    return Table(
        [
            "versions",
            "both right",
            "only the first",
            "only the second",
            "both wrong",
            "accuracy, second minus first",
            "p",
            "p (Holm)",
        ],
        [
            [
                f"{pair.first} and {pair.second}",
                f"{pair.both_right:,}",
                f"{pair.only_first_right:,}",
                f"{pair.only_second_right:,}",
                f"{pair.both_wrong:,}",
                in_words(pair.differences["accuracy"], "+"),
                f"{pair.p_value:.3g}",
                f"{pair.p_adjusted:.3g}",
            ]
            for pair in comparison.pairs
        ],
    )


def models(record: ComparisonRecord) -> Table:
    """Where the models come from."""
    return Table(
        ["version", "trained on", "mode", "TFLite", "training job"],
        [
            [
                model.version,
                model.dataset_version,
                model.mode,
                model.tflite_variant,
                model.training_job_name,
            ]
            for model in record.models
        ],
    )


def reading(comparison: Comparison) -> str:
    """How to read all of it."""
    return (
        "All models answer the same photos through the serving code, each by its own threshold. "
        "In brackets: 95 % intervals, by drawing the photos again with replacement, look-alikes "
        "together, the same draws for all models (percentiles; Wilson's limits for a share of 0 "
        "or 1; for the difference in accuracy Bonett and Price's, as in the gate). p: two-sided "
        "exact McNemar test of the photos on which two models disagree; Holm: corrected for "
        f"there being {len(comparison.pairs)} such tests. Of calibration error and log-loss less "
        "is better."
    )


def to_markdown(record: ComparisonRecord) -> str:
    """`comparison.md`."""
    return "\n".join(_lines(record)) + "\n"


def _lines(record: ComparisonRecord) -> Iterator[str]:
    comparison = record.comparison
    yield from (f"# {title(record)}", "", photos(record), "")
    yield from figures(comparison).markdown()
    if comparison.pairs:
        yield from ("", "## Who is right where", "")
        yield from pairs(comparison).markdown()
    yield from ("", "## The models", "")
    yield from models(record).markdown()
    yield from ("", "## How to read this", "", reading(comparison))


def _positives_found(model: ModelFigures) -> str:
    found = model.confusion
    return f"{found.true_positive:,} of {found.true_positive + found.false_negative:,}"


def _negatives_found(model: ModelFigures) -> str:
    found = model.confusion
    return f"{found.true_negative:,} of {found.true_negative + found.false_positive:,}"
