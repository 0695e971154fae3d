"""What a retrain does with stored features: storing, finding and loading them, then the head.

The lake is a folder. Each measurement is the product's own code in a process of its own:
`python -m benchmarks.stored_features store|retrain <folder> <photos>` is one of them. `store`
writes the vectors that `retrain` reads.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, Final

from benchmarks.process import Cost, Meter, run_alone

STORE: Final = "store"
RETRAIN: Final = "retrain"
LOADED: Final = "loaded"
TRAINED: Final = "trained"

_IMAGENET_CLASSES: Final = 1_000
_SEED: Final = 20_261_201


def measure_store(folder: Path, photos: int) -> Cost:
    """Storing the vectors of so many photos, shard by shard, as they are computed."""
    return Cost(**run_alone("benchmarks.stored_features", STORE, str(folder), str(photos)))


def measure_retrain(folder: Path, photos: int) -> dict[str, Cost]:
    """`LOADED`: reading a data set, finding what is missing (nothing), and loading all vectors.

    `TRAINED`: the head fitted, every photo scored, the baseline made. Of memory it has what was
    loaded, too.
    """
    written = run_alone("benchmarks.stored_features", RETRAIN, str(folder), str(photos))
    return {stage: Cost(**cost) for stage, cost in written.items()}


class FolderLake:
    """The lake as the training job sees it, in a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def list_keys(self, prefix: str) -> Iterator[str]:
        """All keys under a prefix that ends a folder, sorted."""
        files = sorted(path for path in (self._root / prefix).rglob("*") if path.is_file())
        return (path.relative_to(self._root).as_posix() for path in files)

    def read(self, key: str) -> bytes:
        """An object's bytes."""
        return (self._root / key).read_bytes()

    def write(self, key: str, data: bytes) -> None:
        """Put an object."""
        path = self._root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def names(photos: int) -> Iterator[str]:
    """So many photo hashes, the same each time."""
    return (hashlib.sha256(b"%d" % number).hexdigest() for number in range(photos))


def store(folder: Path, photos: int) -> Cost:
    """Store the vectors of so many photos; making them costs nothing of what is measured."""
    import numpy as np  # noqa: PLC0415

    from areyouacat.settings import BACKBONE  # noqa: PLC0415
    from training_job.feature_cache import FeatureCache  # noqa: PLC0415
    from training_job.settings import FEATURES  # noqa: PLC0415

    drawn = np.random.default_rng(_SEED)
    cache = FeatureCache(FolderLake(folder), BACKBONE)
    seconds = processor = 0.0
    left = names(photos)
    while shard := list(islice(left, FEATURES.photos_per_shard)):
        rows = drawn.random((len(shard), BACKBONE.embedding_dim), np.float32).astype(np.float16)
        vectors = dict(zip(shard, rows, strict=True))
        meter = Meter()
        cache.store(vectors)
        cost = meter.read()
        seconds, processor = seconds + cost.seconds, processor + cost.processor_seconds
    return Cost(seconds, processor, meter.read().memory_mb)


def retrain(folder: Path, photos: int) -> dict[str, Cost]:
    """The job's stages `features` and `head` on a data set whose features are all stored."""
    import numpy as np  # noqa: PLC0415

    # The job brings what it has in memory beside its work, Keras above all.
    import training_job.job  # noqa: F401, PLC0415
    from areyouacat.settings import BACKBONE, IMAGENET_ROWS, LABELS  # noqa: PLC0415
    from areyouacat.splits import SPLITS  # noqa: PLC0415
    from training_job.backbone import ImagenetHead  # noqa: PLC0415
    from training_job.dataset import read_dataset  # noqa: PLC0415
    from training_job.decide import baseline, make_decider  # noqa: PLC0415
    from training_job.evaluation import score  # noqa: PLC0415
    from training_job.feature_cache import FeatureCache  # noqa: PLC0415
    from training_job.features import collect_features  # noqa: PLC0415
    from training_job.head import make_prior  # noqa: PLC0415
    from training_job.photos import PhotoSource  # noqa: PLC0415
    from training_job.sagemaker_env import Hyperparameters  # noqa: PLC0415

    lake, dim = FolderLake(folder), BACKBONE.embedding_dim
    _write_dataset(folder / "dataset", photos)
    drawn = np.random.default_rng(_SEED)
    rows = drawn.normal(0, 0.02, (_IMAGENET_CLASSES, dim)).astype(np.float32)
    prior = make_prior(
        ImagenetHead(rows, np.zeros(_IMAGENET_CLASSES, np.float32)), IMAGENET_ROWS, LABELS
    )

    meter = Meter()
    dataset = read_dataset(folder / "dataset")
    source = PhotoSource(folder, lake)
    found = collect_features(dataset.photos, FeatureCache(lake, BACKBONE), source, _no_extractor)
    loaded = meter.read()
    meter = Meter()
    examples = {split: dataset.examples(split, found.vectors, prior) for split in SPLITS}
    decider = make_decider("trained", examples, prior, Hyperparameters())
    for each in examples.values():
        probabilities = decider.head.probabilities(each.embeddings, each.margins)
        score(each.photos, each.positive, probabilities, decider.threshold)
    baseline(decider.head, examples.values(), examples["validation"], {})
    trained = meter.read()
    if sum(len(each) for each in examples.values()) != photos:
        raise RuntimeError(f"{len(found.vectors)} vectors of {photos}")
    return {LOADED: loaded, TRAINED: trained}


def _write_dataset(channel: Path, photos: int) -> None:
    """A data set with splits as the product gives them, and labels that say nothing."""
    from areyouacat.dataset import ManifestEntry  # noqa: PLC0415
    from areyouacat.lake import DATASET_SUMMARY_JSON  # noqa: PLC0415
    from areyouacat.settings import LABELS  # noqa: PLC0415
    from areyouacat.splits import assign_split  # noqa: PLC0415
    from training_job.dataset import MANIFEST_FILE  # noqa: PLC0415

    channel.mkdir(exist_ok=True)
    with (channel / MANIFEST_FILE).open("w", encoding="ascii") as lines:
        for number, photo in enumerate(names(photos)):
            label = LABELS.all[int(photo[0], 16) % 2]
            split = assign_split(photo, from_feedback=number % 10 == 9)
            entry = ManifestEntry(photo, label, split, "benchmark", "seed", photo)
            lines.write(f"{json.dumps(asdict(entry))}\n")
    (channel / DATASET_SUMMARY_JSON).write_text(json.dumps({"version": "benchmark"}))


def _no_extractor() -> bytes:
    raise RuntimeError("a photo's features were not found")


def main(what: str, folder: str, photos: str) -> dict[str, Any]:
    """Measure one of the two."""
    if what == STORE:
        return asdict(store(Path(folder), int(photos)))
    return {stage: asdict(cost) for stage, cost in retrain(Path(folder), int(photos)).items()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*islice(sys.argv, 1, 4))))
