"""The chart of a load test: what callers wait, and what they get, against what is offered."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.figure import Figure as Picture

from benchmarks.load_steps import MAX_P95_SECONDS, Step, statuses

_PERCENTILES: Final = ((0.5, "p50", "#2a6f97"), (0.95, "p95", "#e07a1f"), (0.99, "p99", "#a4243b"))
_STATUS_COLOURS: Final = {200: "#5b9a68", 429: "#e0b13a", 0: "#3b3b3b"}
_ERROR_COLOUR: Final = "#a4243b"


def draw(steps: Sequence[Step], throttled: Step, knee: Step, file: Path) -> None:
    """Writes a PNG. `throttled`: the step that went beyond the usage plan's limit."""
    picture = Picture(figsize=(9, 8), layout="constrained")
    waits, gets, kinds = picture.subplots(3, 1, height_ratios=(4, 3, 3))
    picture.suptitle("POST /predict under open-loop load (throttles raised)")
    _waits(waits, steps, knee)
    _gets(gets, steps, knee)
    _kinds(kinds, [*steps, throttled])
    picture.savefig(file, dpi=120)


def _waits(axes: Any, steps: Sequence[Step], knee: Step) -> None:
    offered = [step.offered for step in steps]
    for share, name, colour in _PERCENTILES:
        waited = [step.latency_ms(share) for step in steps]
        axes.plot(offered, waited, "o-", color=colour, label=name, markersize=4)
    axes.axhline(1000 * MAX_P95_SECONDS, color="grey", linestyle=":", linewidth=1,
                 label=f"limit of p95: {1000 * MAX_P95_SECONDS:g} ms")  # fmt: skip
    _mark(axes, knee)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylabel("ms from the time it was due")
    axes.set_xlabel("offered, requests a second")
    axes.grid(visible=True, which="both", alpha=0.2)
    _legend(axes)


def _gets(axes: Any, steps: Sequence[Step], knee: Step) -> None:
    offered = [step.offered for step in steps]
    axes.plot(offered, offered, color="grey", linestyle=":", linewidth=1, label="offered")
    axes.plot(offered, [step.achieved for step in steps], "o-", color="#2a6f97", markersize=4,
              label="answered with 200")  # fmt: skip
    lagged = [step for step in steps if not step.honest]
    if lagged:
        axes.plot([step.offered for step in lagged], [step.achieved for step in lagged], "x",
                  color=_ERROR_COLOUR, markersize=9, label="the driver lagged")  # fmt: skip
    _mark(axes, knee)
    axes.set_ylabel("requests a second")
    axes.set_xlabel("offered, requests a second")
    axes.grid(visible=True, alpha=0.2)
    _legend(axes)


def _kinds(axes: Any, steps: Sequence[Step]) -> None:
    counts = [statuses(step.sent) for step in steps]
    names = [f"{step.offered:.3g}" for step in steps[:-1]]
    names.append(f"{steps[-1].offered:.3g}\nthrottled")
    bottom = [0.0] * len(steps)
    for status in sorted({status for count in counts for status in count}, key=_good_first):
        shares = [100 * count[status] / count.total() for count in counts]
        axes.bar(range(len(steps)), shares, bottom=bottom, width=0.7,
                 color=_STATUS_COLOURS.get(status, _ERROR_COLOUR),
                 label=str(status) if status else "no answer")  # fmt: skip
        bottom = [below + share for below, share in zip(bottom, shares, strict=True)]
    axes.set_xticks(range(len(steps)), names)
    axes.set_ylabel("status, % of requests")
    axes.set_xlabel("offered, requests a second")
    _legend(axes)


def _good_first(status: int) -> tuple[bool, int]:
    return status == 0, status


def _legend(axes: Any) -> None:
    """Above the axes, where it hides nothing."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=6, fontsize=8, frameon=False)


def _mark(axes: Any, knee: Step) -> None:
    axes.axvline(knee.offered, color="black", linewidth=1, label=f"knee: {knee.offered:g} a second")
