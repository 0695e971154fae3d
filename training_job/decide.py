"""From features to a finished answer: head, temperature, threshold, bands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from areyouacat.model_spec import Mode
from areyouacat.settings import BOOTSTRAP
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
from training_job.settings import HEAD, REPORT
from training_job.sketch import sketch_projection


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


def baseline(head: Head, examples: Examples) -> dict[str, object]:
    """What drift is measured against: how known photos look to this model.

    `photos`: how many. `probability`: histogram over [0, 1], `edges` one longer than `counts`.
    `sketch`: mean and standard deviation of each coordinate.
    """
    sketches = examples.embeddings @ sketch_projection(examples.embeddings.shape[1])
    counts, edges = np.histogram(
        head.probabilities(examples.embeddings, examples.margins),
        REPORT.baseline_bins,
        (0.0, 1.0),
    )
    return {
        "photos": len(examples),
        "probability": {"edges": edges.tolist(), "counts": counts.tolist()},
        "sketch": {
            "mean": sketches.mean(axis=0).tolist(),
            "std": sketches.std(axis=0).tolist(),
        },
    }
