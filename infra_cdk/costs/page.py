"""The page of costs: the tables in `docs/costs.md`, written by code between two marks."""

from collections.abc import Callable, Iterator
from typing import Final

from areyouacat.markdown import table
from areyouacat.prices import PRICES
from infra_cdk.costs.model import (
    Bill,
    batch,
    batch_hours,
    million_predictions,
    month,
    month_at_rest,
    options,
    training,
)
from infra_cdk.costs.usage import SIZES, Size

START: Final = "<!-- costs:start -->"
END: Final = "<!-- costs:end -->"
BATCHES: Final = (1_000_000, 100_000_000)
FUNCTIONS_AT_ONCE: Final = (100, 500, 3_000)


def tables() -> str:
    """All tables, in Markdown, without the marks."""
    return "\n".join(_lines()) + "\n"


def renewed(page: str) -> str:
    """The page with its tables as the code gives them now.

    Raises:
        ValueError: the page lacks one of the marks.
    """
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"the page needs the lines {START} and {END}")
    return f"{before}{START}\n{tables()}{END}{after}"


def _lines() -> Iterator[str]:
    yield f"List prices of {PRICES.region} as of {PRICES.dated}, in US dollars. {PRICES.remark}"
    yield ""
    yield from table(
        ["a user's size", *(size.name for size in SIZES)],
        [
            ["predictions a month", *(f"{size.predictions_a_month:,}" for size in SIZES)],
            ["labelled photos stored", *(f"{size.labelled_photos:,}" for size in SIZES)],
            ["trainings a month", *(f"{size.trainings_a_month:,}" for size in SIZES)],
        ],
    )
    yield from _titled("A whole month", _by_size(month))
    yield from _titled("1,000,000 predictions", [("of any size", million_predictions())])
    yield from _titled("One training", _by_size(training))
    yield from _titled("A batch", [(f"{photos:,} photos", batch(photos)) for photos in BATCHES])
    yield ""
    yield from table(
        ["hours", *(f"{photos:,} photos" for photos in BATCHES)],
        [
            [
                f"{functions:,} functions at once, {'a manifest' if manifest else 'a prefix'}",
                *(f"{batch_hours(photos, functions, manifest=manifest):.2f}" for photos in BATCHES),
            ]
            for functions in FUNCTIONS_AT_ONCE
            for manifest in (False, True)
        ],
    )
    yield from _titled("A month at rest", _by_size(month_at_rest))
    yield from _titled("Off by default, or now and then", [("each", options())], total=False)


def _by_size(bill: Callable[[Size], Bill]) -> list[tuple[str, Bill]]:
    return [(size.name, bill(size)) for size in SIZES]


def _titled(title: str, bills: list[tuple[str, Bill]], *, total: bool = True) -> Iterator[str]:
    yield ""
    yield f"### {title}"
    yield ""
    rows = [[what, *(_dollars(bill[what]) for _, bill in bills)] for what in bills[0][1]]
    if total:
        rows.append(["**together**", *(f"**{_dollars(sum(b.values()))}**" for _, b in bills)])
    yield from table(["", *(name for name, _ in bills)], rows)


def _dollars(amount: float) -> str:
    return f"{amount:,.2f}" if amount >= 1 else f"{amount:.4f}"
