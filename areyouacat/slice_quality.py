"""Figures of the corners of a split: small photos, dark ones, each source by itself."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from areyouacat.dataset import ManifestEntry
from areyouacat.settings import EVALUATION, EvaluationRules


@dataclass(frozen=True, slots=True)
class Slice:
    """Some photos of a split, by their positions in it; at least one.

    `enough`: False where there are too few for figures to mean anything.
    """

    name: str
    members: npt.NDArray[np.intp]
    enough: bool

    @property
    def photos(self) -> int:
        """How many."""
        return len(self.members)


def slices(entries: Sequence[ManifestEntry], rules: EvaluationRules = EVALUATION) -> list[Slice]:
    """The slices of these photos: by what is special about them, then the largest sources."""
    special = sorted({name for entry in entries for name in entry.slices})
    sizes = Counter(entry.source for entry in entries)
    sources = sorted(sizes, key=lambda source: (-sizes[source], source))[: rules.max_sources]
    chosen = {
        **{name: [name in entry.slices for entry in entries] for name in special},
        **{f"source {source}": [entry.source == source for entry in entries] for source in sources},
    }
    members = {name: np.flatnonzero(inside) for name, inside in chosen.items()}
    return [
        Slice(name, found, len(found) >= rules.min_slice_photos) for name, found in members.items()
    ]
