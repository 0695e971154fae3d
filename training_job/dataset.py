"""The data set version that the job was given."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from areyouacat.dataset import (
    REFERENCE_INPUTS_FILE,
    ManifestEntry,
    read_manifest,
    read_reference_inputs,
)
from areyouacat.drift import Histogram
from areyouacat.lake import DATASET_SUMMARY_JSON
from areyouacat.settings import LABELS
from areyouacat.splits import SPLITS, Split, position
from training_job.errors import TrainingDataError
from training_job.examples import Examples
from training_job.head import Prior, margins
from training_job.vector_table import VectorTable

MANIFEST_FILE = "manifest.jsonl"


@dataclass(frozen=True, slots=True)
class TrainingDataset:
    """The manifest's entries and the summary beside it.

    `reference_inputs`: photo -> `drift_features.INPUT_FEATURES` of those that were sampled; empty
    in an older version.
    """

    entries: tuple[ManifestEntry, ...]
    summary: Mapping[str, Any]
    reference_inputs: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The data set version's name."""
        return str(self.summary["version"])

    @property
    def inputs(self) -> Mapping[str, Histogram]:
        """How the photos are, by `drift_features.INPUT_FEATURES`; empty in an older summary."""
        found = self.summary.get("inputs", {})
        return {name: Histogram.from_dict(values) for name, values in found.items()}

    @property
    def photos(self) -> list[str]:
        """All photos, split by split, so that what is kept in this order is a piece a split."""
        return [photo for split in SPLITS for photo in self.photos_of(split)]

    def photos_of(self, split: Split) -> list[str]:
        """The photos of one split, in the manifest's order."""
        return [entry.photo for entry in self.entries if entry.split == split]

    def examples(self, split: Split, vectors: VectorTable, prior: Prior | None) -> Examples:
        """A split's photos that have a vector, in the manifest's order."""
        entries = [e for e in self.entries if e.split == split and e.photo in vectors]
        photos = tuple(entry.photo for entry in entries)
        embeddings = vectors.stacked(photos)
        return Examples(
            photos=photos,
            embeddings=embeddings,
            positive=np.array([entry.label == LABELS.positive for entry in entries], dtype=bool),
            margins=margins(prior, embeddings),
        )

    def sample(self, purpose: str, splits: tuple[Split, ...], most: int) -> list[ManifestEntry]:
        """At most so many entries, chosen by hash; an earlier split is used up before a later."""
        return sorted(
            (entry for entry in self.entries if entry.split in splits),
            key=lambda entry: (splits.index(entry.split), position(entry.photo, purpose)),
        )[:most]


def read_dataset(channel: Path) -> TrainingDataset:
    """The data set in the channel. Raises TrainingDataError if it is not whole."""
    try:
        with (channel / MANIFEST_FILE).open("rb") as lines:
            entries = tuple(read_manifest(lines))
        summary = json.loads((channel / DATASET_SUMMARY_JSON).read_bytes())
        version = summary["version"]
        inputs = channel / REFERENCE_INPUTS_FILE
        reference_inputs = read_reference_inputs(inputs.read_bytes()) if inputs.exists() else {}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise TrainingDataError(
            f"the data set channel is not whole: {error!r}. It must hold {MANIFEST_FILE} and "
            f"{DATASET_SUMMARY_JSON} as SnapshotDataset writes them"
        ) from error
    strange = {entry.label for entry in entries} - set(LABELS.all)
    if strange or not entries:
        raise TrainingDataError(
            f"data set {version} holds {len(entries)} photos and the labels {sorted(strange)}, "
            f"expected some photos, each {' or '.join(LABELS.all)}"
        )
    return TrainingDataset(entries, summary, reference_inputs)
