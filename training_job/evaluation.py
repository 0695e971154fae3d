"""How good a model is on each split: figures with intervals, slices, curves."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from areyouacat.dataset import ManifestEntry
from areyouacat.quality import SHARES, Answers, Positive, Probabilities, Quality, evaluate
from areyouacat.resampling import Estimate, estimates
from areyouacat.slice_quality import slices
from areyouacat.splits import Split


@dataclass(frozen=True, slots=True)
class Scored:
    """One split's photos, labels and probabilities, and the figures they give."""

    photos: tuple[str, ...]
    positive: npt.NDArray[np.bool_]
    probabilities: npt.NDArray[np.float64]
    quality: Quality


@dataclass(frozen=True, slots=True)
class SliceFigures:
    """A slice's accuracy, precision and recall by name; none where its photos are too few."""

    name: str
    photos: int
    positives: int
    figures: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Assessment:
    """A split's figures with their intervals, and its slices."""

    figures: Mapping[str, Estimate]
    slices: tuple[SliceFigures, ...]

    def metrics(self, split: Split) -> dict[str, float]:
        """Name -> value, for MLflow: limits of the figures, and the slices' values."""
        limits = {
            f"{split}_{name}_{end}": value
            for name, found in self.figures.items()
            for end, value in (("low", found.low), ("high", found.high))
        }
        of_slices = {
            f"{split}_slice_{found.name}_{name}": estimate.value
            for found in self.slices
            for name, estimate in found.figures.items()
        }
        return {**limits, **of_slices}

    def record(self) -> dict[str, Any]:
        """Ready for JSON; the values themselves stand beside it."""
        return {
            "intervals": {name: [found.low, found.high] for name, found in self.figures.items()},
            "slices": [asdict(found) for found in self.slices],
        }


def score(
    photos: Sequence[str], positive: Positive, probabilities: Probabilities, threshold: float
) -> Scored:
    """A split's scores with the figures they give; at least one photo."""
    quality = evaluate(probabilities, positive, threshold)
    return Scored(tuple(photos), positive, probabilities, quality)


def assess(
    scored: Mapping[Split, Scored], entries: Sequence[ManifestEntry], threshold: float
) -> dict[Split, Assessment]:
    """Each split's intervals and slices. `entries`: of all photos, in any order.

    Train is left out where anything else is there: how sure one is of what was learnt by heart
    says nothing, and it alone grows with all photos there are.
    """
    known = {entry.photo: entry for entry in entries}
    return {
        split: _assess(
            Answers(found.probabilities, found.positive, threshold),
            [known[photo] for photo in found.photos],
        )
        for split, found in scored.items()
        if split != "train" or len(scored) == 1
    }


def _assess(answers: Answers, entries: Sequence[ManifestEntry]) -> Assessment:
    groups = [entry.group for entry in entries]
    found: list[SliceFigures] = []
    for part in slices(entries):
        inside = answers.some(part.members)
        within = estimates(inside, [groups[photo] for photo in part.members]) if part.enough else {}
        found.append(
            SliceFigures(
                part.name,
                part.photos,
                int(inside.positive.sum()),
                {name: within[name] for name in SHARES if name in within},
            )
        )
    return Assessment(estimates(answers, groups), tuple(found))


def precision_recall_curve(
    probabilities: Probabilities, positive: Positive
) -> tuple[Probabilities, ...]:
    """Recall and precision, one point for each distinct probability as the threshold falls."""
    order = np.argsort(-probabilities, kind="stable")
    ranked, hits = probabilities[order], positive[order]
    last = np.flatnonzero(np.concatenate([ranked[1:] != ranked[:-1], [True]]))
    found = np.cumsum(hits)[last]
    return found / max(int(positive.sum()), 1), found / (last + 1)
