"""Figures and tables in Markdown, for model cards and evaluations."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from areyouacat.resampling import Estimate

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "accuracy": "accuracy",
        "precision": "precision",
        "recall": "recall",
        "f1": "F1",
        "roc_auc": "ROC area",
        "expected_calibration_error": "calibration error",
        "log_loss": "log-loss (nats)",
    }
)
"""What people call the figures of `quality.FIGURES`."""

NOTHING: Final = "-"
"""In the place of a figure that has nothing to divide by."""


def table(
    heading: Sequence[str], rows: Iterable[Sequence[str]], *, aligned: bool = False
) -> Iterator[str]:
    """The lines of a table; short rows are filled up. Whatever is in a cell stays in it.

    `aligned`: columns of even width, to be read as plain text too.
    """
    lines = [
        [*map(_cell, cells), *[""] * (len(heading) - len(cells))]
        for cells in (heading, ["---"] * len(heading), *rows)
    ]
    widths = [max(map(len, column)) if aligned else 0 for column in zip(*lines, strict=True)]
    for line in lines:
        padded = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        yield f"| {' | '.join(padded)} |"


def in_words(found: Estimate | None, sign: str = "") -> str:
    """A figure with its limits; `sign` is `+` for a difference."""
    if found is None:
        return NOTHING
    return f"{found.value:{sign}.4f} ({found.low:{sign}.4f} to {found.high:{sign}.4f})"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
