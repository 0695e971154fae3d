"""What a head learns from: stored features with their labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Examples:
    """Photos of one split. `embeddings`: (n, dim), as stored. `positive`: bool (n,).

    `margins`: the prior's m(x) (n,) in nats, zeros without a prior. It is kept because it costs a
    thousand times what the rest of the head does.
    """

    photos: tuple[str, ...]
    embeddings: npt.NDArray[Any]
    positive: npt.NDArray[np.bool_]
    margins: npt.NDArray[np.float64]

    def __len__(self) -> int:
        """How many photos."""
        return len(self.photos)

    def joined(self, others: Sequence["Examples"]) -> "Examples":
        """These and then the others: the same photos seen in other ways, say."""
        every = (self, *others)
        if len(every) == 1:
            return self
        return Examples(
            tuple(photo for part in every for photo in part.photos),
            np.concatenate([part.embeddings for part in every]),
            np.concatenate([part.positive for part in every]),
            np.concatenate([part.margins for part in every]),
        )
