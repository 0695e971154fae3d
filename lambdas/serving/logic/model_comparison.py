"""From photos and models to the record of their comparison."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from areyouacat.comparison import Contender, compare
from areyouacat.comparison_record import (
    ComparedModel,
    ComparisonRecord,
    Question,
    worst_mistakes,
)
from areyouacat.dataset import ManifestEntry
from areyouacat.errors import DatasetError
from areyouacat.settings import LABELS
from lambdas.serving.logic.comparison_question import Compared

Scored = tuple[ManifestEntry, tuple[float, ...]]
"""A photo, and what each model gives it: the probability of the positive label."""


def record(
    question: Question,
    models: Sequence[Compared],
    scored: Iterable[Scored],
    *,
    latencies_ms: Sequence[float],
    chosen: int,
) -> ComparisonRecord:
    """Compares models on the photos that could be scored, of the `chosen` many.

    Raises:
        DatasetError: none of them could.
    """
    photos = list(scored)
    if not photos:
        raise DatasetError(
            f"None of the {chosen:,} chosen photos of data set {question.dataset_version} can be "
            "read any more: choose a newer data set version"
        )
    probabilities = np.array([found for _, found in photos], dtype=np.float64)
    contenders = [
        Contender(model.version, answers, model.spec.threshold, latency_ms)
        for model, answers, latency_ms in zip(models, probabilities.T, latencies_ms, strict=True)
    ]
    positive = np.array([entry.label == LABELS.positive for entry, _ in photos], dtype=bool)
    return ComparisonRecord(
        question=question,
        models=tuple(map(_described, models)),
        unscored=chosen - len(photos),
        comparison=compare(contenders, positive, [entry.group for entry, _ in photos]),
        mistakes=worst_mistakes(contenders, positive, [entry.photo for entry, _ in photos]),
    )


def _described(model: Compared) -> ComparedModel:
    spec = model.spec
    return ComparedModel(
        version=model.version,
        dataset_version=spec.dataset_version,
        training_job_name=spec.training_job_name,
        mode=spec.mode,
        tflite_variant=spec.tflite.variant,
        tflite_sha256=spec.tflite.sha256,
    )
