"""Photos of a data set, and what two models are supposed to say of them."""

from areyouacat.dataset import ManifestEntry
from areyouacat.splits import Split
from lambdas.serving.logic.scoring import ScoredPhoto


def entry(photo: str, label: str = "cat", split: Split = "test") -> ManifestEntry:
    return ManifestEntry(photo, label, split, "seed", "seed", photo)


def entries(cats: int, others: int, split: Split = "test") -> list[ManifestEntry]:
    return [
        *(entry(f"{split}-cat-{number:05}", "cat", split) for number in range(cats)),
        *(entry(f"{split}-not-{number:05}", "not_cat", split) for number in range(others)),
    ]


def scored(
    photo: str, label: str, candidate: float, champion: float | None = None, split: Split = "test"
) -> ScoredPhoto:
    return ScoredPhoto(entry(photo, label, split), candidate, champion)
