"""The peer: a plain Keras `fit` of the frozen backbone, as its tutorials have it."""

import math
import os
import time
from collections.abc import Sequence
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt

from areyouacat.images import decode, to_model_input
from areyouacat.settings import LABELS
from benchmarks.figures import Context, Figure
from benchmarks.photos import CATS_AND_DOGS, VARIED, LabelledPhoto, photos
from benchmarks.training import ACCURACY, FIRST, NEW, RETRAIN
from training_job.backbone import load_backbone

NAME = "keras_fit"
DESCRIPTION = "plain Keras fit of the frozen backbone, 5 epochs, beside our training's seconds"
EPOCHS, BATCH, SEED = 5, 32, 17
QUICK_SHARE: Final = 20
ATTEMPT: Final = "Keras fit"


class Photos(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of decoded photos, made by threads while the network works."""

    def __init__(self, found: Sequence[LabelledPhoto], *, shuffle: bool) -> None:
        super().__init__(workers=os.cpu_count() or 1, use_multiprocessing=False, max_queue_size=16)
        self._found = list(found)
        self._random = np.random.default_rng(SEED) if shuffle else None
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self._found) / BATCH)

    def __getitem__(self, index: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        some = self._found[index * BATCH : (index + 1) * BATCH]
        return np.stack([to_model_input(decode(photo.data)) for photo in some]), _positive(some)

    def on_epoch_end(self) -> None:
        """Another order for the next epoch."""
        if self._random is not None:
            order = self._random.permutation(len(self._found))
            self._found = [self._found[place] for place in order]


def run(context: Context) -> list[Figure]:
    """Fit, score, and set the seconds beside those that `training` measured."""
    train = [
        *photos(context, CATS_AND_DOGS, "train"),
        *photos(context, VARIED, "train", NEW),
    ]
    whole = len(train)
    test = photos(context, CATS_AND_DOGS, "test")
    if context.quick:
        train, test = train[::QUICK_SHARE], test[::QUICK_SHARE]
    keras.utils.set_random_seed(SEED)
    model = _model()
    context.say(f"  {EPOCHS} epochs over {len(train):,} photos")
    start = time.monotonic()
    model.fit(Photos(train, shuffle=True), epochs=EPOCHS, verbose=0)
    seconds = (time.monotonic() - start) * whole / len(train)
    answers = model.predict(Photos(test, shuffle=False), verbose=0)[:, 0] >= 0.5
    accuracy = 100 * float(np.mean(answers == _positive(test).astype(bool)))
    scaled = f"measured on {len(train):,} and scaled" if context.quick else ""
    return [
        Figure.told(ATTEMPT, seconds, "s", scaled or f"{EPOCHS} epochs, {whole:,} photos"),
        Figure.told(f"{ATTEMPT}: accuracy on the Kaggle test split", round(accuracy, 3), "%"),
        *_beside(context, seconds, accuracy),
    ]


def _model() -> Any:
    network = load_backbone().network
    inputs = keras.Input(network.input.shape[1:])
    x = keras.layers.GlobalAveragePooling2D()(network(inputs, training=False))
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
    model.compile(optimizer="adam", loss="binary_crossentropy")
    return model


def _beside(context: Context, seconds: float, accuracy: float) -> list[Figure]:
    ours = context.earlier_value("training", ACCURACY)
    retrain = context.earlier_value("training", RETRAIN)
    first = context.earlier_value("training", FIRST)
    if ours is None or retrain is None or first is None:
        context.say("  no figures of the benchmark training to compare with: run it first")
        return []
    note = "whole executions: snapshot, job, evaluation, registration and deployment"
    return [
        Figure.told(f"{ATTEMPT} / our retrain", seconds / retrain, "times", note),
        Figure.told(f"{ATTEMPT} / our first training", seconds / first, "times", note),
        Figure.at_least(
            "our accuracy beside it", ours, "%", round(accuracy, 3), "the same photos, 8,200"
        ),
    ]


def _positive(found: Sequence[LabelledPhoto]) -> npt.NDArray[np.float32]:
    return np.array([photo.label == LABELS.positive for photo in found], dtype=np.float32)
