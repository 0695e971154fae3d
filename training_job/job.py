"""One training job, step by step: data set, features, head, export, report."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from areyouacat.lake import ORIGINAL_VIEW
from areyouacat.model_spec import ModelSpec
from areyouacat.settings import IMAGENET_ROWS, LABELS
from areyouacat.splits import SPLITS, Split
from training_job.backbone import Backbone, load_backbone
from training_job.dataset import TrainingDataset, read_dataset
from training_job.decide import Decider, make_decider
from training_job.evaluation import Scored, assess, score
from training_job.examples import Examples
from training_job.export import export_float32
from training_job.feature_cache import FeatureCache
from training_job.features import Features, collect_features
from training_job.head import make_prior
from training_job.lake_store import LakeStore
from training_job.model import build_model, embedding_model
from training_job.model_files import Job, Trained, model_spec, write_model
from training_job.photos import PhotoSource
from training_job.report import write_report
from training_job.run_record import track
from training_job.sagemaker_env import DATASET_CHANNEL, PHOTOS_CHANNEL, TrainingEnvironment
from training_job.ship import ship
from training_job.tracking import Run

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Stopwatch:
    """Seconds by stage, logged as each ends."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage."""
        start = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - start
        _LOG.info("%s: %.1f s", name, self.seconds[name])


def run_job(
    environment: TrainingEnvironment,
    lake: LakeStore,
    run: Run,
    load: Callable[[], Backbone] = load_backbone,
) -> ModelSpec:
    """Train, export and report; leaves the model's files where SageMaker packs them.

    Raises TrainingError for what the job's owner can mend.
    """
    watch = Stopwatch()
    paths = environment.paths
    source = PhotoSource(paths.channel(PHOTOS_CHANNEL), lake)
    trained = _train(environment, lake, source, run, load, watch=watch)
    job = Job(environment, trained, model_spec(trained, environment, run.run_id))
    with TemporaryDirectory() as folder:
        with watch.stage("report"):
            assessed = assess(trained.scored, trained.dataset.entries, job.spec.threshold)
            write_report(Path(folder), job, assessed, source)
            write_model(paths.model, job, assessed, watch.seconds)
        with watch.stage("tracking"):
            track(run, job, assessed, watch.seconds)
            run.artifacts(Path(folder))
            run.artifacts(paths.model)
    return job.spec


def _train(
    environment: TrainingEnvironment,
    lake: LakeStore,
    source: PhotoSource,
    run: Run,
    load: Callable[[], Backbone],
    *,
    watch: Stopwatch,
) -> Trained:
    dataset = read_dataset(environment.paths.channel(DATASET_CHANNEL))
    mode = environment.mode(dataset.summary)
    _LOG.info("data set %s: %s photos, %s", dataset.version, f"{len(dataset.photos):,}", mode)
    lineage = {"mode": mode, "dataset_version": dataset.version}
    run.tags(lineage)
    run.parameters({**asdict(environment.hyperparameters), **lineage})
    with watch.stage("backbone"):
        backbone = load()
    with watch.stage("features"):
        augmentation = environment.hyperparameters.augmentation if mode == "trained" else ()
        features, augmented = _collect(dataset, backbone, lake, source, augmentation)
    with watch.stage("head"):
        prior = make_prior(backbone.imagenet, IMAGENET_ROWS, LABELS)
        examples = {split: dataset.examples(split, features.vectors, prior) for split in SPLITS}
        further = [dataset.examples("train", seen.vectors, prior) for seen in augmented]
        decider = make_decider(mode, examples, prior, environment.hyperparameters, further)
        scored = _score(examples, decider)
    with watch.stage("export"):
        model = build_model(backbone, decider.head)
        shipped = ship(model, dataset, source, _by_photo(scored), decider.threshold)
    return Trained(dataset, backbone.spec, features, examples, decider, scored, model, shipped)


def _collect(
    dataset: TrainingDataset,
    backbone: Backbone,
    lake: LakeStore,
    source: PhotoSource,
    augmentation: Sequence[str],
) -> tuple[Features, list[Features]]:
    """Features of all photos as they are, and of train's photos in each further view."""

    @cache
    def extractor() -> bytes:
        return export_float32(embedding_model(backbone))

    def collect(photos: Sequence[str], view: str) -> Features:
        return collect_features(photos, FeatureCache(lake, backbone.spec, view), source, extractor)

    features = collect(dataset.photos, ORIGINAL_VIEW)
    readable = [photo for photo in dataset.photos_of("train") if photo in features.vectors]
    return features, [collect(readable, view) for view in augmentation]


def _score(examples: Mapping[Split, Examples], decider: Decider) -> dict[Split, Scored]:
    """Every split that has photos, by the stored features."""
    scored: dict[Split, Scored] = {}
    for split, found in examples.items():
        if len(found):
            probabilities = decider.head.probabilities(found.embeddings, found.margins)
            scored[split] = score(found.photos, found.positive, probabilities, decider.threshold)
            quality = scored[split].quality
            _LOG.info("%s: accuracy %.4f on %s photos", split, quality.accuracy, quality.photos)
    return scored


def _by_photo(scored: Mapping[Split, Scored]) -> dict[str, float]:
    return {
        photo: float(probability)
        for found in scored.values()
        for photo, probability in zip(found.photos, found.probabilities, strict=True)
    }
