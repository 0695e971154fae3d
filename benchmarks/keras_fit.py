"""The peer: a plain Keras `fit` of the frozen backbone, as its tutorials have it.

It runs in a process of its own, `python -m benchmarks.keras_fit PHOTOS {whole|quick}`, so that the
memory it holds is its own.
"""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt

from areyouacat.images import decode, to_model_input
from areyouacat.settings import LABELS
from benchmarks.figures import BenchmarkError, Context, Figure
from benchmarks.photos import CATS_AND_DOGS, VARIED, LabelledPhoto, photos
from benchmarks.process import peak_memory_mb
from benchmarks.training import ACCURACY, FIRST, MEMORY, NEW, RETRAIN
from training_job.backbone import load_backbone

NAME = "keras_fit"
DESCRIPTION = "plain Keras fit of the frozen backbone, 5 epochs, beside our training"
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


@dataclass(frozen=True, slots=True)
class Fitted:
    """One fit. `photos`: that it learnt from; `whole`: that there are. `accuracy`: per cent."""

    photos: int
    whole: int
    seconds: float
    memory_mb: float
    accuracy: float

    @property
    def whole_seconds(self) -> float:
        """What all photos would have taken."""
        return self.seconds * self.whole / self.photos


def run(context: Context) -> list[Figure]:
    """Fit, score, and set it beside what `training` measured."""
    photos(context, CATS_AND_DOGS, "test", 1)  # says at once what is missing
    context.say(f"  {EPOCHS} epochs")
    command = ["-m", __name__, str(context.data), "quick" if context.quick else "whole"]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"the fit failed:\n{done.stderr[-2000:]}")
    fitted = Fitted(**json.loads(done.stdout.splitlines()[-1]))
    names = (FIRST, RETRAIN, MEMORY, ACCURACY)
    ours = {name: context.earlier_value("training", name) for name in names}
    known = {name: value for name, value in ours.items() if value is not None}
    if len(known) < len(names):
        context.say("  no figures of the benchmark training to compare with: run it first")
        return alone(fitted)
    return [*alone(fitted), *beside(fitted, known)]


def alone(fitted: Fitted) -> list[Figure]:
    """Time, throughput, memory, accuracy."""
    scaled = fitted.photos < fitted.whole
    note = f"measured on {fitted.photos:,} and scaled" if scaled else f"{fitted.whole:,} photos"
    return [
        Figure.told(ATTEMPT, fitted.whole_seconds, "s", f"{EPOCHS} epochs, {note}"),
        Figure.told(f"{ATTEMPT}: photos a second", fitted.photos / fitted.seconds, "1/s",
                    f"learnt from; {EPOCHS} times as many seen"),
        Figure.told(f"{ATTEMPT}: memory", fitted.memory_mb, "MB", "at most, the photos included"),
        Figure.told(f"{ATTEMPT}: accuracy on the Kaggle test split", round(fitted.accuracy, 3),
                    "%"),
    ]  # fmt: skip


def beside(fitted: Fitted, ours: Mapping[str, float]) -> list[Figure]:
    """The peer's figures in ours, which are those of `training` by their names."""
    seconds, note = fitted.whole_seconds, "ours are whole executions, from snapshot to registration"
    accuracy = round(fitted.accuracy, 3)
    return [
        Figure.told(f"{ATTEMPT} / our retrain", seconds / ours[RETRAIN], "times", note),
        Figure.told(f"{ATTEMPT} / our first training", seconds / ours[FIRST], "times", note),
        Figure.told(f"{ATTEMPT}: memory / our job's", fitted.memory_mb / ours[MEMORY], "times"),
        Figure.told("our retrain: photos a second", fitted.whole / ours[RETRAIN], "1/s", note),
        Figure.at_least("our accuracy beside it", ours[ACCURACY], "%", accuracy,
                        f"the same photos, {fitted.whole:,}"),
    ]  # fmt: skip


def main(data: str, share: str) -> Fitted:
    """The fit itself."""
    context = Context(Path(data), share == "quick", Path(os.devnull), lambda _: None)
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
    start = time.monotonic()
    model.fit(Photos(train, shuffle=True), epochs=EPOCHS, verbose=0)
    seconds, memory_mb = time.monotonic() - start, peak_memory_mb()
    answers = model.predict(Photos(test, shuffle=False), verbose=0)[:, 0] >= 0.5
    accuracy = 100 * float(np.mean(answers == _positive(test).astype(bool)))
    return Fitted(len(train), whole, seconds, memory_mb, accuracy)


def _model() -> Any:
    network = load_backbone().network
    inputs = keras.Input(network.input.shape[1:])
    x = keras.layers.GlobalAveragePooling2D()(network(inputs, training=False))
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
    model.compile(optimizer="adam", loss="binary_crossentropy")
    return model


def _positive(found: Sequence[LabelledPhoto]) -> npt.NDArray[np.float32]:
    return np.array([photo.label == LABELS.positive for photo in found], dtype=np.float32)


if __name__ == "__main__":
    sys.stdout.write(f"\n{json.dumps(asdict(main(*sys.argv[1:])))}\n")
