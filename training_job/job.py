"""One training job, step by step: data set, features, head, export, report."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from areyouacat.model_spec import ModelSpec
from areyouacat.settings import IMAGENET_ROWS, LABELS
from areyouacat.splits import Split
from training_job.backbone import Backbone, load_backbone
from training_job.dataset import read_dataset
from training_job.decide import Decider, make_decider
from training_job.evaluation import evaluate
from training_job.export import export_float32
from training_job.feature_cache import FeatureCache
from training_job.features import collect_features
from training_job.fit import Examples
from training_job.head import make_prior
from training_job.lake_store import LakeStore
from training_job.model import build_model, embedding_model
from training_job.model_files import Trained, model_spec, write_model
from training_job.photos import PhotoSource
from training_job.report import Scored, write_report
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
    spec = model_spec(trained, environment.training_job_name, run.run_id)
    with TemporaryDirectory() as folder:
        with watch.stage("report"):
            write_report(
                Path(folder),
                spec,
                trained.scored,
                trained.decider.fit.chosen if trained.decider.fit else None,
                source,
                counts=trained.dataset.summary.get("counts", {}),
                unreadable=list(trained.features.unreadable),
            )
            write_model(paths.model, trained, spec, watch.seconds)
        with watch.stage("tracking"):
            _track_results(run, trained, watch)
            run.artifacts(Path(folder))
            run.artifacts(paths.model)
    return spec


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
        features = collect_features(
            dataset.photos,
            FeatureCache(lake, backbone.spec),
            source,
            lambda: export_float32(embedding_model(backbone)),
        )
    with watch.stage("head"):
        examples = dataset.examples(features.vectors, backbone.spec.embedding_dim)
        prior = make_prior(backbone.imagenet, IMAGENET_ROWS, LABELS)
        decider = make_decider(mode, examples, prior, environment.hyperparameters)
        scored = _score(examples, decider)
    with watch.stage("export"):
        model = build_model(backbone, decider.head)
        shipped = ship(model, dataset, source, _by_photo(scored), decider.threshold)
    return Trained(dataset, backbone.spec, features, examples, decider, scored, model, shipped)


def _score(examples: Mapping[Split, Examples], decider: Decider) -> dict[Split, Scored]:
    """Every split that has photos, by the stored features."""
    scored: dict[Split, Scored] = {}
    for split, found in examples.items():
        if len(found):
            probabilities = decider.head.probabilities(found.embeddings)
            quality = evaluate(probabilities, found.positive, decider.threshold)
            scored[split] = Scored(found.photos, found.positive, probabilities, quality)
            _LOG.info("%s: accuracy %.4f on %s photos", split, quality.accuracy, quality.photos)
    return scored


def _by_photo(scored: Mapping[Split, Scored]) -> dict[str, float]:
    return {
        photo: float(probability)
        for found in scored.values()
        for photo, probability in zip(found.photos, found.probabilities, strict=True)
    }


def _track_results(run: Run, trained: Trained, watch: Stopwatch) -> None:
    stages = {f"seconds_{stage}": seconds for stage, seconds in watch.seconds.items()}
    run.metrics({**trained.metrics(), **stages})
    run.parameters({"tflite_variant": trained.shipped.chosen.exported.variant})
    if trained.decider.fit:
        chosen = trained.decider.fit.chosen
        run.parameters({"l2_chosen": chosen.l2})
        run.curve("train_loss", chosen.train_loss)
        run.curve("validation_loss", chosen.validation_loss)
