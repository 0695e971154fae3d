"""From index and labels to a data set version. Reads no photo."""

from collections.abc import Collection, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from areyouacat import dataset_checks as checks
from areyouacat.columns import (
    Categories,
    IndexTable,
    LabelTable,
    Photos,
    Positions,
    find,
    names_at,
    photo_array,
    photo_bytes,
)
from areyouacat.dataset import Dataset
from areyouacat.lake import FEEDBACK_SOURCE
from areyouacat.look_alikes import look_alike_founders
from areyouacat.settings import DATASET, IMAGENET_ROWS, DatasetRules
from areyouacat.splits import SPLITS, assign_split

_SPLIT_CODES: Final = {split: code for code, split in enumerate(SPLITS)}


def build_dataset(
    index: IndexTable,
    labels: LabelTable,
    erased: Collection[str] = (),
    rules: DatasetRules = DATASET,
    prior: Mapping[str, tuple[int, ...]] = IMAGENET_ROWS,
) -> Dataset:
    """Make a data set of everything that is both indexed and labelled, but for the `erased`.

    Look-alikes stand on one side, by the one that was ingested first. `prior`: labels that a
    backbone knows untrained, which few photos need.

    Raises:
        EmptyLakeError: nothing is labelled.
        MissingLabelError: one of the labels has no photo.
        ConflictingLabelsError: a photo's latest labels contradict each other, or settings do not
            know one.
        TooFewPhotosError: too few photos to train on, or to judge by in one of the splits.
        ImbalancedLabelsError: far more photos of one label than of the other.
        ValueError: one of `erased` is no photo.
    """
    gone = photo_array(b"".join(sorted(map(photo_bytes, erased))))
    checks.check_labels(labels, gone)

    places, indexed = find(labels.photos, index.photos)
    chosen = np.flatnonzero(indexed & ~find(labels.photos, gone)[1])
    checks.check_not_empty(len(chosen))
    row = places[chosen]

    label = labels.labels.take(chosen)
    mode = checks.choose_mode(label, rules, prior)
    photos, sources = index.photos[row], index.sources.take(row)
    founders = _founders(index.looks[row], index.ingested_at[row], rules)
    made = Dataset(
        photos=photos,
        labels=label,
        splits=_splits(photos, sources, founders, rules),
        sources=sources,
        labelled_by=labels.labelled_by.take(chosen),
        slices=index.slices.take(row),
        inputs=index.inputs[row],
        founders=founders,
        overruled=labels.overruled[chosen],
        mode=mode,
        erased=len(gone),
    )
    checks.check_splits(made, rules)
    return made


def _founders(
    looks: NDArray[np.uint64], ingested_at: NDArray[np.int64], rules: DatasetRules
) -> Positions:
    """Position of the founder of each photo's group: the first that came, then by hash."""
    by_age = np.argsort(ingested_at, kind="stable")
    founders = np.empty(len(looks), np.int64)
    founders[by_age] = by_age[look_alike_founders(looks[by_age], rules.near_duplicate_bits)]
    return founders


def _splits(
    photos: Photos, sources: Categories, founders: Positions, rules: DatasetRules
) -> Categories:
    codes = np.zeros(len(photos), np.int32)
    positions = np.unique(founders)
    for position, name in zip(positions, names_at(photos, positions), strict=True):
        from_feedback = sources.values[sources.codes[position]] == FEEDBACK_SOURCE
        split = assign_split(name, from_feedback=from_feedback, rules=rules)
        codes[position] = _SPLIT_CODES[split]
    return Categories(codes[founders], SPLITS)
