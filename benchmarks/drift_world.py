"""Photos as drift sees them: a world that stays as it is, and the same world changed.

With the development photos everything is measured as serving measures it: decoded, changed if so
asked, image statistics, the backbone's sketch, and the answer of ImageNet's own head. Without
them the features are drawn: correlated, with common sizes that repeat and answers that are sure.
"""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from areyouacat.drift_features import (
    INPUT_FEATURES,
    PROBABILITY_FEATURE,
    SKETCH_FEATURES,
    input_features,
)
from areyouacat.image_stats import image_stats
from areyouacat.images import Photo, decode, to_model_input
from areyouacat.settings import BOOTSTRAP, IMAGENET_ROWS, LABELS
from benchmarks.figures import Context
from benchmarks.photos import CATS_AND_DOGS, VARIED, LabelledPhoto, photos

FEATURES: Final = (*INPUT_FEATURES, *SKETCH_FEATURES, PROBABILITY_FEATURE)

Rows = NDArray[np.float64]
"""Photos by `FEATURES`: (n, 22)."""

Change = Callable[[Image.Image], Image.Image]

KNOWN, FRESH, CHANGED = 3_500, 1_500, 400  # photos
QUICK_KNOWN, QUICK_FRESH, QUICK_CHANGED = 300, 150, 40
DRAWN = 20_000  # photos of either kind, where none are at hand
_SEED: Final = 20_261_103


@dataclass(frozen=True, slots=True)
class World:
    """Photos to draw from. `known`: for baselines; `fresh`: for windows, none of them known.

    `changed`: by the change's name, what took the place of fresh ones. `about`: in words.
    """

    about: str
    known: Rows
    fresh: Rows
    changed: Mapping[str, Rows]


def darker(factor: float) -> Change:
    """Every pixel's value times `factor`, [0, 1]."""
    return lambda image: ImageEnhance.Brightness(image).enhance(factor)


def blurred(share: float) -> Change:
    """Gaussian blur with a radius of this share of the shorter side."""
    return lambda image: image.filter(ImageFilter.GaussianBlur(share * min(image.size)))


def shrunk(pixels: int) -> Change:
    """The shorter side so many pixels long; what is smaller stays."""

    def change(image: Image.Image) -> Image.Image:
        scale = min(1.0, pixels / min(image.size))
        width, height = (max(1, round(side * scale)) for side in image.size)
        return image.resize((width, height), Image.Resampling.BICUBIC)

    return change


def coarse(pixels: int) -> Change:
    """Shrunk, then as large as before: the size does not tell."""
    return lambda image: shrunk(pixels)(image).resize(image.size, Image.Resampling.BICUBIC)


CHANGES: Final[Mapping[str, Change]] = {
    "brightness times 0.9": darker(0.9),
    "brightness times 0.8": darker(0.8),
    "brightness times 0.6": darker(0.6),
    "brightness times 0.4": darker(0.4),
    "blur of 1 % of the side": blurred(0.01),
    "blur of 2 % of the side": blurred(0.02),
    "shrunk to 64 px": shrunk(64),
    "shrunk to 32 px": shrunk(32),
    "shrunk to 64 px, enlarged": coarse(64),
}
OTHER_THINGS: Final = "neither cats nor dogs"


def changed_photo(photo: Photo, change: Change) -> Photo:
    """The photo as it would have been decoded, had it been taken so."""
    image = change(photo.image)
    # Decoding may give less than the original's pixels; the change is of the original.
    scale = [after / before for after, before in zip(image.size, photo.image.size, strict=True)]
    width, height = round(photo.width * scale[0]), round(photo.height * scale[1])
    return replace(photo, image=image, width=width, height=height)


def real_world(context: Context) -> World:
    """Measure the development photos. Raises BenchmarkError without them."""
    quick = context.quick
    known, fresh = (QUICK_KNOWN, QUICK_FRESH) if quick else (KNOWN, FRESH)
    found = photos(context, CATS_AND_DOGS, "train", known + fresh)
    order = np.random.default_rng(_SEED).permutation(len(found))
    found = [found[place] for place in order]
    varied = photos(context, VARIED, "train", QUICK_CHANGED if quick else CHANGED)
    context.say("  making the network that sees them")
    measure = _Measure()
    context.say(f"  measuring {len(found):,} photos")
    embedded = measure.embedded(found)
    measure.settle(found, embedded)
    rows = measure.rows(embedded)
    some = found[known : known + (QUICK_CHANGED if quick else CHANGED)]
    changed = {}
    for name, change in CHANGES.items():
        context.say(f"  {name}: {len(some)} photos")
        changed[name] = measure.rows(measure.embedded(some, change))
    changed[OTHER_THINGS] = measure.rows(measure.embedded(varied))
    about = f"{len(found):,} photos of cats and dogs, {known:,} of them for baselines"
    return World(about, rows[:known], rows[known:], changed)


@dataclass(frozen=True, slots=True)
class _Embedded:
    """`inputs`: (n, 5). `embeddings`: (n, dim)."""

    inputs: Rows
    embeddings: NDArray[np.float32]


class _Measure:
    """Photos to rows, as training and serving do it."""

    def __init__(self) -> None:
        # TensorFlow takes seconds to import; worlds that are drawn need none of it.
        from training_job.backbone import load_backbone  # noqa: PLC0415
        from training_job.export import export_float32  # noqa: PLC0415
        from training_job.head import make_prior  # noqa: PLC0415
        from training_job.model import embedding_model  # noqa: PLC0415
        from training_job.sketch import sketch_projection  # noqa: PLC0415

        backbone = load_backbone()
        self._tflite = export_float32(embedding_model(backbone))
        self._prior = make_prior(backbone.imagenet, IMAGENET_ROWS, LABELS)
        self._projection = sketch_projection(backbone.spec.embedding_dim)
        self._head: Any = None

    def embedded(self, found: Sequence[LabelledPhoto], change: Change | None = None) -> _Embedded:
        """Every photo's statistics and embedding, on all processors."""
        from training_job.features import Extractor  # noqa: PLC0415

        local = threading.local()

        def one(photo: LabelledPhoto) -> tuple[Sequence[float], NDArray[np.float16]]:
            if not hasattr(local, "extractor"):
                local.extractor = Extractor(self._tflite)
            decoded = decode(photo.data)
            if change is not None:
                decoded = changed_photo(decoded, change)
            vector = local.extractor.embed(to_model_input(decoded))
            return input_features(image_stats(decoded)), vector

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            inputs, vectors = zip(*pool.map(one, found), strict=True)
        return _Embedded(np.array(inputs), np.array(vectors, dtype=np.float32))

    def settle(self, found: Sequence[LabelledPhoto], embedded: _Embedded) -> None:
        """Choose the head that answers, from known photos."""
        from training_job.head import bootstrap_head, margins  # noqa: PLC0415

        if self._prior is None:
            raise ValueError("settings map no label to rows of ImageNet")
        negative = np.array([photo.label == LABELS.negative for photo in found])
        known = margins(self._prior, embedded.embeddings[negative])
        self._head = bootstrap_head(self._prior, known, BOOTSTRAP.negatives_percentile)

    def rows(self, embedded: _Embedded) -> Rows:
        """The features."""
        sketches = embedded.embeddings @ self._projection
        answers = self._head.probabilities(embedded.embeddings)
        return np.column_stack([embedded.inputs, np.round(sketches, 6), answers])


def drawn_world(context: Context) -> World:
    """Features without photos; changes are of so many standard deviations."""
    drawn = np.random.default_rng(_SEED)
    mix = drawn.normal(size=(len(FEATURES), len(FEATURES)))
    size = DRAWN // 10 if context.quick else DRAWN
    known, fresh, some = (_drawn(drawn, mix, count) for count in (size, size, size // 10))
    changed = {}
    for name in ("brightness", SKETCH_FEATURES[0]):
        column = FEATURES.index(name)
        for step in (0.25, 0.5, 1.0):
            moved = some.copy()
            moved[:, column] += step * fresh[:, column].std()
            changed[f"{name} + {step} deviations"] = moved
    return World("drawn features, no photos: BENCH_DATA names some", known, fresh, changed)


def _drawn(drawn: np.random.Generator, mix: Rows, count: int) -> Rows:
    rows = drawn.normal(size=(count, len(FEATURES))) @ mix
    sizes = np.log2([(500, 375), (640, 480), (1024, 768), (1920, 1080), (4032, 3024)])
    sides = sizes[drawn.integers(0, len(sizes), count)]
    rows[:, FEATURES.index("size")] = sides.sum(axis=1)
    rows[:, FEATURES.index("aspect")] = sides[:, 0] - sides[:, 1]
    answers = rows[:, FEATURES.index(PROBABILITY_FEATURE)]
    rows[:, FEATURES.index(PROBABILITY_FEATURE)] = np.round(1 / (1 + np.exp(-answers)), 3)
    return rows
