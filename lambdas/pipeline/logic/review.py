"""Which labels of callers may teach: agreement, caps, outliers, and a person's approval."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from areyouacat.columns import LabelTable, find, photo_array, photo_bytes
from areyouacat.lake import FEEDBACK_SOURCE, utc_text
from areyouacat.predictions import Feedback, Prediction
from areyouacat.settings import LABELS, REVIEW, ReviewRules

WAITS_FOR_APPROVAL: Final = "waits for a person's approval"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A prediction somebody said something about."""

    prediction: Prediction
    feedback: Feedback


@dataclass(frozen=True, slots=True)
class Held:
    """A photo whose label does not teach before a person has looked at it, and why."""

    labelled: Labelled
    reason: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One `Labelled` a photo: those that may teach, and those that are held, by photo."""

    accepted: tuple[Labelled, ...]
    held: tuple[Held, ...]


class KnownLabels:
    """What the lake says of photos already."""

    def __init__(self, table: LabelTable) -> None:
        """`table`: as the lake is before anything new is taken over."""
        self._table = table

    def of(self, photos: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Label and source of those photos that have one."""
        ordered = sorted(photos)
        raw = photo_array(b"".join(map(photo_bytes, ordered)))
        places, known = find(raw, self._table.photos)
        labels, sources = self._table.labels, self._table.labelled_by
        return {
            photo: (
                labels.values[labels.codes[place]],
                sources.values[sources.codes[place]],
            )
            for photo, place, is_known in zip(ordered, places, known, strict=True)
            if is_known
        }

    def __len__(self) -> int:
        """How many photos have a label."""
        return len(self._table.photos)


def review(
    by_photo: Mapping[str, Sequence[Labelled]],
    known: KnownLabels,
    *,
    approval: bool,
    rules: ReviewRules = REVIEW,
) -> Reviewed:
    """Sort photos with new labels into those that may teach and those a person has to see.

    `approval`: whether a person has to see all of them. A photo whose label the lake has taken
    over before is in neither. The same labels give the same answer in whatever order they come.
    """
    said_before = known.of(list(by_photo))
    chosen: list[Labelled] = []
    held: list[Held] = []
    for photo in sorted(by_photo):
        best, reason = _agreed(by_photo[photo], rules)
        label, source = said_before.get(photo, (best.feedback.label, None))
        if reason is None and label != best.feedback.label and source != FEEDBACK_SOURCE:
            reason = f"the lake says {label}, by {source}"
        if reason is None and label == best.feedback.label and source is not None:
            continue
        if reason is None:
            chosen.append(best)
        else:
            held.append(Held(best, reason))
    outliers = _outliers(chosen, rules)
    kept = []
    for labelled, is_outlier in zip(chosen, outliers, strict=True):
        if is_outlier:
            held.append(Held(labelled, "contradicts a sure answer and the labels of like photos"))
        elif approval:
            held.append(Held(labelled, WAITS_FOR_APPROVAL))
        else:
            kept.append(labelled)
    kept.sort(key=order)
    allowed = max(rules.least_cap, int(rules.max_share * len(known)))
    held += [
        Held(labelled, f"more than {allowed:,} new labels at once") for labelled in kept[allowed:]
    ]
    held.sort(key=lambda one: one.labelled.prediction.photo)
    accepted = sorted(kept[:allowed], key=lambda one: one.prediction.photo)
    return Reviewed(tuple(accepted), tuple(held))


def order(labelled: Labelled) -> tuple[str, str]:
    """By when it was said; the prediction's id decides between two of one moment."""
    return utc_text(labelled.feedback.at), labelled.prediction.prediction_id


def _agreed(said: Sequence[Labelled], rules: ReviewRules) -> tuple[Labelled, str | None]:
    """The latest of the label that most give, and why it is not agreed upon, if so."""
    votes = Counter(one.feedback.label for one in said)
    label, most = max(votes.items(), key=lambda vote: (vote[1], vote[0]))
    best = max((one for one in said if one.feedback.label == label), key=order)
    if most >= rules.min_agreement * len(said):
        return best, None
    split = ", ".join(f"{count} say {name}" for name, count in sorted(votes.items()))
    return best, f"people disagree: {split}"


def _outliers(labelled: Sequence[Labelled], rules: ReviewRules) -> Iterable[bool]:
    """Which labels contradict both a sure model and nearly all labels of the nearest photos.

    A model that is wrong about a changed world is wrong about many like photos, and their labels
    agree with each other; a slip of the finger, or malice, stands alone.
    """
    if len(labelled) < rules.outliers_from:
        return [False] * len(labelled)
    sketches = np.array([one.prediction.sketch for one in labelled], dtype=np.float32)
    positive = np.array([one.feedback.label == LABELS.positive for one in labelled])
    probability = np.array([one.prediction.probability for one in labelled])
    surprising = np.where(positive, probability, 1 - probability) < rules.surprise
    found = np.zeros(len(labelled), dtype=bool)
    for place, nearest in _neighbours(sketches, np.flatnonzero(surprising), rules.neighbours):
        found[place] = np.mean(positive[nearest] != positive[place]) >= rules.opposing_share
    return found.tolist()


def _neighbours(
    sketches: NDArray[np.float32], places: NDArray[np.intp], count: int
) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """The nearest others of each place, by Euclidean distance."""
    for place in places:
        distances = ((sketches - sketches[place]) ** 2).sum(axis=1)
        distances[place] = np.inf
        yield int(place), np.argpartition(distances, count)[:count]
