"""From features to a finished answer: head, temperature, threshold, bands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from areyouacat.drift import Histogram
from areyouacat.drift_features import (
    LABEL_FEATURE,
    PROBABILITY_FEATURE,
    SKETCH_FEATURES,
    baseline_of,
)
from areyouacat.model_spec import Mode
from areyouacat.settings import BOOTSTRAP, DRIFT
from areyouacat.splits import Split
from areyouacat.verdicts import Bands
from training_job.calibration import (
    bootstrap_bands,
    choose_bands,
    choose_threshold,
    fit_temperature,
)
from training_job.errors import TrainingDataError
from training_job.examples import Examples
from training_job.fit import Fit, fit_head, photo_weights
from training_job.head import Head, Prior, bootstrap_head
from training_job.sagemaker_env import Hyperparameters
from training_job.settings import HEAD
from training_job.sketch import sketches


@dataclass(frozen=True, slots=True)
class Decider:
    """Everything between an embedding and a verdict. `fit` is None in bootstrap mode."""

    mode: Mode
    head: Head
    threshold: float
    bands: Bands
    fit: Fit | None


def make_decider(
    mode: Mode,
    examples: Mapping[Split, Examples],
    prior: Prior | None,
    hyperparameters: Hyperparameters,
    augmentations: Sequence[Examples] = (),
) -> Decider:
    """Bootstrap: the prior with a moved threshold. Trained: fitted, calibrated, then cut.

    `augmentations`: further views of the train photos; they teach and are never measured on.

    Raises TrainingDataError where the photos of the train split do not suffice.
    """
    if mode == "bootstrap":
        return _bootstrap(examples["train"], prior)
    validation = examples["validation"]
    fit = fit_head(
        examples["train"].joined(augmentations),
        validation,
        prior,
        epochs=hyperparameters.epochs,
        learning_rate=hyperparameters.learning_rate,
        l2_grid=HEAD.l2_grid if hyperparameters.l2 is None else (hyperparameters.l2,),
        seed=hyperparameters.seed,
        class_weights=hyperparameters.class_weights,
    )
    temperature = fit_temperature(
        fit.head.logits(validation.embeddings, validation.margins),
        validation.positive,
        photo_weights(validation.positive, hyperparameters.class_weights),
    )
    head = fit.head.calibrated(temperature)
    probabilities = head.probabilities(validation.embeddings, validation.margins)
    threshold = choose_threshold(probabilities, validation.positive)
    bands = choose_bands(probabilities, validation.positive, threshold)
    return Decider(mode, head, threshold, bands, fit)


def _bootstrap(train: Examples, prior: Prior | None) -> Decider:
    if train.positive.all():
        raise TrainingDataError(
            "the train split holds no photo of the negative label; seed some, varied ones"
        )
    if prior is None:
        raise TrainingDataError(
            "too few photos to train a head, and settings map no label to rows of ImageNet: "
            "seed more photos of both labels"
        )
    head = bootstrap_head(prior, train.margins[~train.positive], BOOTSTRAP.negatives_percentile)
    return Decider("bootstrap", head, 0.5, bootstrap_bands(), None)


def baseline(
    head: Head,
    examples: Iterable[Examples],
    known: Examples,
    inputs: Mapping[str, Histogram],
) -> dict[str, Any]:
    """What drift is measured against: all photos as they are, as the backbone sees
    them and as people call them.

    `examples`: every split. `known`: the photos whose probabilities are calibrated. `inputs`: how
    the photos are, as the data set's summary has it.
    """
    photos = [each for each in examples if len(each)]
    projected = np.concatenate([sketches(each.embeddings) for each in photos])
    probabilities = head.probabilities(known.embeddings, known.margins)
    return baseline_of(
        {
            **inputs,
            **{
                name: Histogram.of(projected[:, column], DRIFT.bins)
                for column, name in enumerate(SKETCH_FEATURES)
            },
            LABEL_FEATURE: Histogram.of(
                np.concatenate([each.positive for each in photos]), DRIFT.bins
            ),
            PROBABILITY_FEATURE: Histogram.of(probabilities, DRIFT.bins),
        }
    )
