"""`comparison.json`: which question was asked of which models, and what came of it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Self

import numpy as np

from areyouacat.comparison import Comparison, Contender, ModelFigures, Pair, RocCurve
from areyouacat.lake import comparison_prefix
from areyouacat.model_spec import Mode, TfliteVariant
from areyouacat.quality import Confusion, Positive, ReliabilityBin
from areyouacat.resampling import Estimate
from areyouacat.settings import LABELS

SCHEMA: Final = 2
WORST_MISTAKES: Final = 6
"""Of each model, that are named."""

ComparedPhotos = Literal["test", "recent", "validation", "all"]
"""On which photos of a data set models are compared: a split, or train and all others as one."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is compared. `versions`: of models, each once, the oldest first."""

    versions: tuple[str, ...]
    dataset_version: str
    split: ComparedPhotos

    @property
    def identifier(self) -> str:
        """16 hex digits: the same question, to be answered in the same shape, has the same one."""
        asked = [SCHEMA, list(self.versions), self.dataset_version, self.split]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]

    @property
    def prefix(self) -> str:
        """Where the answer is in the lake, with the closing slash."""
        return comparison_prefix(self.identifier)


@dataclass(frozen=True, slots=True)
class ComparedModel:
    """Where one of the models comes from, as its `model.json` says."""

    version: str
    dataset_version: str
    training_job_name: str
    mode: Mode
    tflite_variant: TfliteVariant
    tflite_sha256: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """A photo that a model got wrong. `photo`: SHA-256; `label`: what it is.

    `probability`: that the model gave the positive label. `others_right`: whether every other
    model got it right.
    """

    photo: str
    label: str
    probability: float
    others_right: bool


@dataclass(frozen=True, slots=True)
class ComparisonRecord:
    """The question and its answer. `unscored`: photos that were erased or cannot be read.

    `mistakes`: of each model, by version, the `WORST_MISTAKES` that it was surest of.
    """

    question: Question
    models: tuple[ComparedModel, ...]
    unscored: int
    comparison: Comparison
    mistakes: Mapping[str, tuple[Mistake, ...]]

    def to_json(self) -> str:
        """`comparison.json`."""
        return json.dumps(
            {"schema": SCHEMA, "id": self.question.identifier, **asdict(self)},
            indent=2,
            allow_nan=False,
        )

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read `comparison.json`.

        Raises:
            ValueError: not such a file, or of another schema.
        """
        try:
            values: dict[str, Any] = json.loads(data)
            if values["schema"] != SCHEMA:
                raise ValueError(f"schema {values['schema']} is not {SCHEMA}")
            asked = values["question"]
            return cls(
                question=Question(**{**asked, "versions": tuple(asked["versions"])}),
                models=tuple(ComparedModel(**model) for model in values["models"]),
                unscored=values["unscored"],
                comparison=_comparison(values["comparison"]),
                mistakes={
                    version: tuple(Mistake(**mistake) for mistake in found)
                    for version, found in values["mistakes"].items()
                },
            )
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a comparison: {error!r}") from error


def worst_mistakes(
    contenders: Sequence[Contender], positive: Positive, photos: Sequence[str]
) -> dict[str, tuple[Mistake, ...]]:
    """Of each model, by version, its surest wrong answers. `positive`, `photos`: (photos,)."""
    right = np.array([(each.probabilities >= each.threshold) == positive for each in contenders])
    found = {}
    for place, contender in enumerate(contenders):
        surest = sorted(
            np.flatnonzero(~right[place]).tolist(),
            key=lambda photo, one=contender: (  # type: ignore[misc]
                -abs(float(one.probabilities[photo]) - one.threshold),
                photos[photo],
            ),
        )
        found[contender.version] = tuple(
            Mistake(
                photos[photo],
                LABELS.positive if positive[photo] else LABELS.negative,
                float(contender.probabilities[photo]),
                bool(np.delete(right[:, photo], place).all()),
            )
            for photo in surest[:WORST_MISTAKES]
        )
    return found


def _comparison(values: Mapping[str, Any]) -> Comparison:
    return Comparison(
        photos=values["photos"],
        positives=values["positives"],
        models=tuple(map(_figures, values["models"])),
        pairs=tuple(
            Pair(**{**pair, "differences": _estimates(pair["differences"])})
            for pair in values["pairs"]
        ),
    )


def _figures(values: Mapping[str, Any]) -> ModelFigures:
    roc = values["roc"]
    read = {
        "figures": _estimates(values["figures"]),
        "confusion": Confusion(**values["confusion"]),
        "roc": roc and RocCurve(**{name: tuple(rates) for name, rates in roc.items()}),
        "reliability": tuple(ReliabilityBin(**found) for found in values["reliability"]),
    }
    return ModelFigures(**{**values, **read})


def _estimates(values: Mapping[str, Any]) -> dict[str, Estimate]:
    return {name: Estimate(**found) for name, found in values.items()}
