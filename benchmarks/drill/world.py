"""Which photos are seeded, which are sent before the change, which after it."""

import copy
import hashlib
import io
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from PIL import Image, ImageOps

from areyouacat.settings import IMAGES, LABELS
from benchmarks.drill.changes import Change
from benchmarks.figures import BenchmarkError
from training_job.photo_folders import open_photos

_LEAST: Final = 8  # photos of a label, below which there is nothing to share out
_SEEDED_SHARE: Final = 0.6  # of a label's photos, where they are few
_CROP: Final = 0.85  # of each side


@dataclass(frozen=True, slots=True)
class Labelled:
    """A photo and what it truly shows."""

    photo: bytes
    label: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many photos of one label.

    `seeded`: the first model learns from them. `calm`: sent before anything changes. `labelled`:
    sent after the change, with their label. `measured`: sent before the change, and as many others
    after it; never labelled, so that accuracy can be measured on them.
    """

    seeded: int
    calm: int
    labelled: int
    measured: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.seeded + self.calm + self.labelled + 2 * self.measured


FULL: Final = Counts(seeded=3000, calm=200, labelled=700, measured=200)


@dataclass(frozen=True, slots=True)
class World:
    """Photos in the order they are sent; those after the change are changed already."""

    calm: tuple[Labelled, ...]
    calm_measured: tuple[Labelled, ...]
    changed: tuple[Labelled, ...]
    changed_measured: tuple[Labelled, ...]


class Supply:
    """A folder's or an archive's photos in an order of their own, by hash; each is given once."""

    def __init__(self, source: Path, labels: Sequence[str] = LABELS.all) -> None:
        """Reads all photos of these labels. Raises BenchmarkError if one has too few."""
        self._photos: dict[str, list[bytes]] = {label: [] for label in labels}
        with open_photos(source, LABELS.all) as found:
            for one in found:
                if one.label in self._photos:
                    self._photos[one.label].append(one.read(IMAGES.max_bytes))
        for label, photos in self._photos.items():
            photos.sort(key=lambda photo: hashlib.sha256(photo).digest())
            if len(photos) < _LEAST:
                raise BenchmarkError(
                    f"{source} has {len(photos)} photos of {label}; a drill needs {_LEAST} at least"
                )

    def left(self, label: str) -> int:
        """How many photos of a label have not been given yet."""
        return len(self._photos[label])

    def take(self, label: str, count: int) -> list[Labelled]:
        """The next ones. Raises BenchmarkError if there are not so many left."""
        photos = self._photos[label]
        if len(photos) < count:
            raise BenchmarkError(
                f"{count} more photos of {label} are needed and {len(photos)} are left"
            )
        self._photos[label] = photos[count:]
        return [Labelled(photo, label) for photo in photos[:count]]

    def again(self) -> Self:
        """Another supply of the photos that are left."""
        other = copy.copy(self)
        other._photos = dict(self._photos)
        return other

    def multiply(self, label: str) -> None:
        """Let a mirrored and a cropped view stand beside each photo that is left."""
        self._photos[label] = [
            view for photo in self._photos[label] for view in (photo, *_views(photo))
        ]


@dataclass(frozen=True, slots=True)
class Plan:
    """The counts of each label. `is_full`: whether there are photos enough to measure anything."""

    counts: Mapping[str, Counts]
    is_full: bool


def plan_for(supply: Supply) -> Plan:
    """As many photos as a drill is made for; else all there are, which shows only that it runs."""
    if all(supply.left(label) >= FULL.total for label in LABELS.all):
        return Plan(dict.fromkeys(LABELS.all, FULL), is_full=True)
    return Plan({label: _few(supply.left(label)) for label in LABELS.all}, is_full=False)


def write_seed(supply: Supply, plan: Plan, folder: Path) -> None:
    """Take what the first model learns from, and write it as `make seed` wants it."""
    for label, counts in plan.counts.items():
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number, one in enumerate(supply.take(label, counts.seeded)):
            (folder / label / f"{number:05}.jpg").write_bytes(one.photo)
        if not plan.is_full:
            supply.multiply(label)


def held_out(supply: Supply, plan: Plan, change: Change, visitors: Supply | None) -> World:
    """What is sent; what was seeded is taken already.

    With `visitors`, theirs are the photos of the negative label that come after the change.

    Raises:
        BenchmarkError: too few photos, or the change is nothing without visitors.
    """
    if change.needs_visitors and visitors is None:
        raise BenchmarkError(
            f"{change.name} needs photos of what comes anew: VISITORS=<folder or zip with "
            f".../{LABELS.negative}/*>"
        )
    after = {LABELS.positive: supply, LABELS.negative: visitors or supply}

    def changed(count: str) -> tuple[Labelled, ...]:
        photos = [
            after[label].take(label, getattr(counts, count))
            for label, counts in plan.counts.items()
        ]
        return mixed(
            [Labelled(change.of_photo(one.photo), one.label) for each in photos for one in each]
        )

    def calm(count: str) -> tuple[Labelled, ...]:
        photos = [
            supply.take(label, getattr(counts, count)) for label, counts in plan.counts.items()
        ]
        return mixed(list(itertools.chain.from_iterable(photos)))

    return World(calm("calm"), calm("measured"), changed("labelled"), changed("measured"))


def mixed(photos: Sequence[Labelled]) -> tuple[Labelled, ...]:
    """In an order that says nothing of labels, the same each time."""
    return tuple(sorted(photos, key=lambda one: hashlib.sha256(one.photo).digest()[::-1]))


def _few(available: int) -> Counts:
    seeded = max(1, int(available * _SEEDED_SHARE))
    part = max(1, 3 * (available - seeded) // 13)  # of which there are three views
    return Counts(seeded, calm=2 * part, labelled=7 * part, measured=2 * part)


def _views(photo: bytes) -> tuple[bytes, bytes]:
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(photo))).convert("RGB")
    width, height = image.size
    x, y = width * (1 - _CROP) / 2, height * (1 - _CROP) / 2
    cropped = image.crop((round(x), round(y), round(width - x), round(height - y)))
    return _jpeg(ImageOps.mirror(image)), _jpeg(cropped)


def _jpeg(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "JPEG", quality=90)
    return written.getvalue()
