"""Data sets of TensorFlow Datasets as labelled photos, their files as they were published.

TensorFlow Datasets is an optional dependency with an environment of its own
(`requirements-datasets.txt`); nothing else imports it. https://www.tensorflow.org/datasets
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from areyouacat.settings import LabelNames
from training_job.endpoints import STATE_DIR
from training_job.labelled_photos import Found, LabelledPhoto, LabelledPhotos, LabelledPhotosError

KNOWN_BUILDERS: Final = ("cats_vs_dogs",)
"""Builders that go by their bare name; any other is `tfds:<builder>`."""

_PREFIX: Final = "tfds:"
_DOWNLOAD_RETRIES: Final = 5  # each waits twice as long; ten would keep quiet for minutes


def builder_named(dataset: str) -> str:
    """The builder that a data set's name means, or '' if it is a path.

    A folder that is named like a builder is reached as `./<name>`.
    """
    return (
        dataset
        if dataset in KNOWN_BUILDERS
        else dataset.removeprefix(_PREFIX) * (dataset.startswith(_PREFIX))
    )


@contextmanager
def open_builder(name: str, positive: str, labels: LabelNames) -> Iterator[LabelledPhotos]:
    """A data set of TensorFlow Datasets, downloaded if it is not there yet.

    `positive`: the class that the positive label stands for; every other class is negative.

    Raises:
        LabelledPhotosError: TensorFlow Datasets is not installed, the data set is not known, not
            to be had, or not of labelled pictures.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import tensorflow_datasets as tfds  # noqa: PLC0415
        from tensorflow_datasets.core.download import downloader  # noqa: PLC0415
    except ImportError as error:
        raise LabelledPhotosError(
            f"TensorFlow Datasets is not installed here ({error}). "
            f"`make seed DATASET={_PREFIX}{name}` makes the environment that has it."
        ) from error
    downloader.MAX_RETRIES = _DOWNLOAD_RETRIES
    folder = os.environ.get("TFDS_DATA_DIR") or str(
        Path(os.environ.get("LOCAL_STATE_DIR") or STATE_DIR) / "tfds"
    )
    try:
        builder = tfds.builder(name, data_dir=folder)
    except (tfds.core.DatasetNotFoundError, ValueError, ImportError) as error:
        raise LabelledPhotosError(
            f"TensorFlow Datasets has no data set '{name}': {_first_line(error)}"
        ) from error
    yield TfdsPhotos(tfds, builder, positive, labels)


class TfdsPhotos:
    """One builder's pictures, all its splits one after the other."""

    def __init__(self, tfds: Any, builder: Any, positive: str, labels: LabelNames) -> None:
        """`tfds`: the package; `builder`: a `tfds.core.DatasetBuilder`.

        Raises:
            LabelledPhotosError: it has no picture with a class, or no class named `positive`.
        """
        self._tfds, self._builder, self._labels = tfds, builder, labels
        features = builder.info.features
        self._image = _only(features, tfds.features.Image, builder.name)
        self._class = _only(features, tfds.features.ClassLabel, builder.name)
        self._classes: list[str] = list(features[self._class].names)
        if positive not in self._classes:
            raise LabelledPhotosError(
                f"No class of {builder.name} is named '{positive}'; it has "
                f"{', '.join(self._classes)}. Say which one is a '{labels.positive}': "
                "--positive <class> (make seed … POSITIVE=<class>)."
            )
        self._positive = positive

    def find(self) -> Found:
        """Download and prepare it; what is there already is not fetched again."""
        try:
            self._builder.download_and_prepare()
        except ImportError as error:
            raise LabelledPhotosError(
                f"{self._builder.name} needs a package that is not in this environment: {error}. "
                "Install it there, or seed the photos as a folder: make seed DATASET=<folder>."
            ) from error
        # Whatever a builder's own code and its download raise: they are not ours to know.
        except Exception as error:
            raise LabelledPhotosError(
                f"{self._builder.name} cannot be had: {type(error).__name__}: "
                f"{_first_line(error)}. It needs the open internet. Where there is none, get the "
                "photos elsewhere and seed them as a folder: make seed DATASET=<folder>."
            ) from error
        splits = self._builder.info.splits
        total = sum(split.num_examples for split in splits.values())
        return Found(
            total,
            f"{', '.join(splits)}; '{self._positive}' is a {self._labels.positive}, "
            f"{len(self._classes) - 1} other classes are not",
        )

    def __iter__(self) -> Iterator[LabelledPhoto]:
        """Files come encoded as they are stored, a few at a time."""
        reading = self._tfds.ReadConfig(try_autocache=False, interleave_cycle_length=1)
        for split in self._builder.info.splits:
            examples = self._builder.as_dataset(
                split=split,
                shuffle_files=False,
                read_config=reading,
                decoders={self._image: self._tfds.decode.SkipDecoding()},
            )
            for number, example in enumerate(self._tfds.as_numpy(examples)):
                name = self._classes[int(example[self._class])]
                yield LabelledPhoto(
                    f"{self._builder.name}/{split}/{number}",
                    self._labels.positive if name == self._positive else self._labels.negative,
                    partial(_first_bytes, bytes(example[self._image])),
                )


def _only(features: Any, kind: type, name: str) -> str:
    keys = [key for key, feature in features.items() if isinstance(feature, kind)]
    if len(keys) != 1:
        raise LabelledPhotosError(
            f"{name} has {len(keys)} features of the kind {kind.__name__}; a data set of labelled "
            "photos has one."
        )
    return str(keys[0])


def _first_bytes(data: bytes, limit: int) -> bytes:
    return data[: limit + 1]


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
