"""What stops a data set, each with a name and a remedy."""

from collections.abc import Mapping

import numpy as np

from areyouacat.columns import (
    Categories,
    LabelTable,
    Photos,
    Positions,
    find,
    photo_names,
)
from areyouacat.dataset import LISTED, Dataset
from areyouacat.errors import (
    ConflictingLabelsError,
    EmptyLakeError,
    ImbalancedLabelsError,
    MissingLabelError,
    TooFewPhotosError,
)
from areyouacat.model_spec import Mode
from areyouacat.settings import LABELS, DatasetRules
from areyouacat.splits import Split

_JUDGED: tuple[Split, ...] = ("train", "validation", "test")


def check_not_empty(photos: int) -> None:
    """Raises EmptyLakeError without photos."""
    if not photos:
        raise EmptyLakeError(
            "The lake holds no labelled photo. Put some in: make seed DATASET=<folder>."
        )


def check_labels(labels: LabelTable, erased: Photos) -> None:
    """Raises ConflictingLabelsError for labels that settings do not know, or that contradict.

    What was said about an `erased` photo no longer matters.
    """
    stays = ~find(labels.photos, erased)[1]
    for code, name in enumerate(labels.labels.values):
        if name not in LABELS.all:
            carry = np.flatnonzero((labels.labels.codes == code) & stays)
            if len(carry):
                raise ConflictingLabelsError(
                    f"{_count(len(carry))} the label {name!r}; settings know "
                    f"{', '.join(LABELS.all)}: {_listed(labels.photos, carry)}. "
                    "Seed them once more under one of those; the latest label wins."
                )
    contradicted = np.flatnonzero(labels.contradicted & stays)
    if len(contradicted):
        raise ConflictingLabelsError(
            f"{_count(len(contradicted))} both labels with one date: "
            f"{_listed(labels.photos, contradicted)}. "
            "Seed each of them once more under the right label; the latest label wins."
        )


def choose_mode(
    labels: Categories, rules: DatasetRules, prior: Mapping[str, tuple[int, ...]]
) -> Mode:
    """How to make a model of so many photos.

    Raises:
        MissingLabelError: one of the labels has no photo.
        TooFewPhotosError: too few to train on, and the backbone knows neither label.
        ImbalancedLabelsError: enough to train on, but far more of one label.
    """
    counts = labels.counts()
    per_label = {label: counts.get(label, 0) for label in LABELS.all}
    fewer, more = sorted(LABELS.all, key=per_label.__getitem__)
    if not per_label[fewer]:
        raise MissingLabelError(
            f"No photo is labelled {fewer!r}. Seed at least one; "
            f"{rules.bootstrap_below} of each label train a head of their own."
        )
    if per_label[fewer] < rules.bootstrap_below:
        if not any(prior.get(label) for label in LABELS.all):
            have = ", ".join(f"{number:,} {label!r}" for label, number in per_label.items())
            raise TooFewPhotosError(
                f"There are {have}; the backbone knows neither label by itself, so "
                f"{rules.bootstrap_below} photos of each are needed. Seed more, or map a label "
                "to ImageNet's classes in settings."
            )
        return "bootstrap"
    if per_label[more] > rules.max_imbalance * per_label[fewer]:
        raise ImbalancedLabelsError(
            f"{per_label[more]:,} photos are labelled {more!r} and {per_label[fewer]:,} "
            f"{fewer!r}: more than {rules.max_imbalance:g} to one. Seed more {fewer!r} photos: "
            f"{int(per_label[more] / rules.max_imbalance) + 1:,} are enough."
        )
    return "trained"


def check_splits(dataset: Dataset, rules: DatasetRules) -> None:
    """Raises TooFewPhotosError if a trained model could not be fitted or judged on a split."""
    if dataset.mode == "bootstrap":
        return
    counts = dataset.counts()
    short = [
        f"{split} has {counts.get(split, {}).get(label, 0)} of {label!r}"
        for split in _JUDGED
        for label in LABELS.all
        if counts.get(split, {}).get(label, 0) < rules.min_photos_per_split
    ]
    if short:
        largest = int(np.bincount(dataset.founders).max())
        raise TooFewPhotosError(
            f"Each of {', '.join(_JUDGED)} needs {rules.min_photos_per_split} photos of each "
            f"label: {'; '.join(short)}. Look-alikes stand on one side (the largest group has "
            f"{largest:,} of {len(dataset):,} photos), and feedback's photos are never judged by. "
            "Seed more photos that differ from one another."
        )


def _count(photos: int) -> str:
    return "One photo carries" if photos == 1 else f"{photos:,} photos carry"


def _listed(photos: Photos, positions: Positions) -> str:
    names = ", ".join(photo_names(photos[positions[:LISTED]]))
    return names + (", …" if len(positions) > LISTED else "")
