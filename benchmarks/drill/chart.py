"""The drill as one picture: accuracy over time, what happened when, and who answered."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")  # no display is needed, and none is asked for
import matplotlib.pyplot as plt

from benchmarks.drill.story import Point, Story

_BLUE, _ORANGE, _GREY, _GREEN = "#2b6cb0", "#c05621", "#718096", "#2f855a"
_SHADES: Final = ("#cbd5e0", "#2b6cb0", "#2f855a", "#805ad5")  # of versions, the oldest first
_SMOOTHED: Final = 200  # answers
_LANES: Final = 8  # of events, so that those of one moment can be read


def draw(story: Story, file: Path) -> None:
    """Write the picture in the format that the file's name says."""
    figure, (accuracy, events, versions) = plt.subplots(
        3, 1, figsize=(11, 7.4), sharex=True, height_ratios=(4, 2, 1), layout="constrained"
    )
    _accuracy(accuracy, story)
    _events(events, story)
    _versions(versions, story)
    for at, what in story.events:
        for axes in (accuracy, events, versions):
            axes.axvline(at - story.changed_at, color=_colour(what), lw=0.8, alpha=0.7, zorder=0)
    versions.set_xlabel("seconds since the world changed")
    figure.suptitle(_title(story), fontsize=12)
    figure.savefig(file, dpi=130)
    plt.close(figure)


def _title(story: Story) -> str:
    back = "" if story.recovered is None else f", {story.recovered:.0%} of the loss recovered"
    come = " and new visitors" if story.visitors and story.change != "new_animal" else ""
    return f"{story.change.replace('_', ' ').capitalize()}{come}: {story.outcome}{back}"


def _accuracy(axes: Any, story: Story) -> None:
    times = [point.at - story.changed_at for point in story.points]
    axes.plot(times, [point.accuracy for point in story.points], ".", color=_GREY, alpha=0.35, ms=4,
              label="a batch of requests")  # fmt: skip
    axes.plot(times, _smoothed(story.points), color=_BLUE, lw=2,
              label=f"the last {_SMOOTHED} answers")  # fmt: skip
    levels = {"before": story.accuracy_before, "during": story.accuracy_during}
    if story.accuracy_after is not None:
        levels["after"] = story.accuracy_after
    for name, value in levels.items():
        axes.axhline(value, color=_ORANGE if name == "during" else _GREEN, lw=0.8, ls=":")
    told = "   ".join(f"{name} {value:.3f}" for name, value in levels.items())
    axes.set_title(f"on photos that never got a label: {told}", fontsize=9, loc="left")
    axes.set_ylabel("accuracy")
    axes.set_ylim(None, 1.01)
    axes.legend(loc="lower left", fontsize=8)


def _events(axes: Any, story: Story) -> None:
    """Texts one below the other; those late in the drill stand to the left of their line."""
    left, right = axes.get_xlim()
    for place, (at, what) in enumerate(story.events):
        seconds = at - story.changed_at
        late = seconds > left + 0.7 * (right - left)
        axes.annotate(
            what,
            (seconds, 1 - (place % _LANES + 0.5) / _LANES),
            xytext=(-4 if late else 4, 0),
            textcoords="offset points",
            ha="right" if late else "left",
            va="center",
            fontsize=8,
            color=_colour(what),
        )
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.set_ylabel("what happened")


def _versions(axes: Any, story: Story) -> None:
    versions = sorted({name for point in story.points for name in point.versions}, key=int)
    times = [point.at - story.changed_at for point in story.points]
    shares = [
        [point.versions.get(version, 0) / max(point.answers, 1) for point in story.points]
        for version in versions
    ]
    colours = [_SHADES[place % len(_SHADES)] for place in range(len(versions))]
    axes.stackplot(times, shares, labels=[f"version {v}" for v in versions], colors=colours)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1])
    axes.set_ylabel("answered by")
    axes.legend(loc="center left", fontsize=8)


def _colour(what: str) -> str:
    return _ORANGE if what.startswith(("alarm", "the world")) else _GREY


def _smoothed(points: Sequence[Point]) -> list[float]:
    """Accuracy over the last answers, at each point."""
    found: list[float] = []
    for end in range(len(points)):
        answers, right = 0, 0.0
        for point in reversed(points[: end + 1]):
            answers += point.answers
            right += point.accuracy * point.answers
            if answers >= _SMOOTHED:
                break
        found.append(right / max(answers, 1))
    return found
