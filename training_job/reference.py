"""The reference sample of a model: what the photos of a window are held against."""

from collections.abc import Mapping

import numpy as np

from areyouacat.dataset import REFERENCE_SPLITS
from areyouacat.drift_sample import SampleRow
from areyouacat.settings import LABELS
from areyouacat.splits import Split
from training_job.dataset import TrainingDataset
from training_job.evaluation import Scored
from training_job.examples import Examples
from training_job.sketch import sketches


def reference_sample(
    dataset: TrainingDataset,
    examples: Mapping[Split, Examples],
    scored: Mapping[Split, Scored],
    calibrated: Split,
) -> list[SampleRow]:
    """The photos that the data set has sampled and that could be read, by their hashes.

    `calibrated`: the split whose probabilities are those of a model that has not learnt from it;
    the other photos have none. Empty for a data set that is older than such samples.
    """
    rows: dict[str, SampleRow] = {}
    for split in REFERENCE_SPLITS:
        found = examples[split]
        chosen = [n for n, photo in enumerate(found.photos) if photo in dataset.reference_inputs]
        if not chosen:
            continue
        projected = sketches(found.embeddings[chosen])
        known = _probabilities(scored[split]) if split == calibrated else {}
        for number, sketch in zip(chosen, projected.astype(np.float64).tolist(), strict=True):
            photo = found.photos[number]
            rows[photo] = SampleRow(
                inputs=dataset.reference_inputs[photo],
                sketch=tuple(sketch),
                probability=known.get(photo),
                label=LABELS.positive if found.positive[number] else LABELS.negative,
            )
    return [row for _, row in sorted(rows.items(), key=lambda each: each[0])]


def _probabilities(scored: Scored) -> dict[str, float]:
    return {
        photo: float(probability)
        for photo, probability in zip(scored.photos, scored.probabilities, strict=True)
    }
