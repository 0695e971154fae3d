"""The whole job on drawn pictures, and how it ends when something is wrong."""

import hashlib
import json
import math
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from areyouacat.drift import Histogram
from areyouacat.drift_features import (
    INPUT_FEATURES,
    LABEL_FEATURE,
    PROBABILITY_FEATURE,
    SKETCH_FEATURES,
    read_baseline,
)
from areyouacat.drift_sample import read_sample
from areyouacat.model_spec import ModelSpec
from areyouacat.settings import LABELS, BackboneSpec
from tests.unit.training_job.folder_lake import FolderLake
from training_job import features, job, lake_store, tracking, train
from training_job.backbone import Backbone
from training_job.comparison import TfliteModel
from training_job.dataset import read_dataset
from training_job.errors import TrainingDataError
from training_job.feature_cache import FeatureCache
from training_job.job import run_job
from training_job.photos import PhotoSource
from training_job.sagemaker_env import TrainingEnvironment, read_environment
from training_job.settings import FEATURES as SETTINGS

Draw = Callable[[int, bool], bytes]


class RecordingRun:
    """An MLflow run that remembers."""

    def __init__(self) -> None:
        self.run_id: str | None = "run-1"
        self.seen_parameters: dict[str, object] = {}
        self.seen_tags: dict[str, str] = {}
        self.seen_metrics: dict[str, float] = {}
        self.curves: dict[str, list[int]] = {}
        self.seen_dataset: tracking.UsedDataset | None = None
        self.files: dict[str, bytes] = {}
        self.status = "RUNNING"

    def parameters(self, values: Mapping[str, object]) -> None:
        self.seen_parameters |= values

    def tags(self, values: Mapping[str, str]) -> None:
        self.seen_tags |= values

    def metrics(self, values: Mapping[str, float]) -> None:
        self.seen_metrics |= values

    def curve(self, name: str, steps: Sequence[int], values: Sequence[float]) -> None:
        self.curves[name] = list(steps)
        assert len(steps) == len(values)

    def dataset(self, used: tracking.UsedDataset) -> None:
        self.seen_dataset = used

    def artifacts(self, folder: Path) -> None:
        self.files |= {path.name: path.read_bytes() for path in folder.iterdir()}

    def end(self, status: tracking.RunStatus) -> None:
        assert self.status == "RUNNING"
        self.status = status


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "ml/input/config").mkdir(parents=True)
    (tmp_path / "ml/input/data/dataset").mkdir(parents=True)
    return {
        "SAGEMAKER_BASE_DIR": str(tmp_path / "ml"),
        "LAKE_BUCKET": "lake",
        "TRAINING_JOB_NAME": "job-1",
    }


@pytest.fixture
def fill(environ: dict[str, str], lake: FolderLake, draw_photo: Draw) -> Callable[..., None]:
    """Write a data set of drawn pictures into lake and channel."""

    def write(mode: str, per_split: Mapping[str, int]) -> None:
        entries: list[dict[str, str]] = []
        for number, split in enumerate(Counter(per_split).elements()):
            for label in LABELS.all:
                photo = lake.add_photo(draw_photo(number, label == LABELS.positive))
                entries.append(
                    {
                        "photo": photo,
                        "label": label,
                        "split": split,
                        "source": "drawn",
                        "labelled_by": "seed",
                        "group": photo,
                    }
                )
        entries.sort(key=lambda entry: entry["photo"])
        manifest = "".join(json.dumps(entry) + "\n" for entry in entries).encode()
        channel = Path(environ["SAGEMAKER_BASE_DIR"]) / "input/data/dataset"
        (channel / "manifest.jsonl").write_bytes(manifest)
        version = hashlib.sha256(manifest).hexdigest()[:16]
        counts = {split: dict.fromkeys(LABELS.all, n) for split, n in per_split.items()}
        measured = asdict(Histogram((0.5,), (len(entries), 0)))
        inputs = dict.fromkeys(INPUT_FEATURES, measured)
        (channel / "reference_inputs.csv").write_text(
            "photo,brightness,contrast,sharpness,size,aspect\n"
            + "".join(
                f"{entry['photo']},0.5,0.25,0.01,11.6,0.4\n"
                for entry in entries
                if entry["split"] in {"train", "validation"}
            )
        )
        summary = {"version": version, "mode": mode, "counts": counts, "inputs": inputs}
        (channel / "summary.json").write_text(json.dumps(summary))

    return write


@pytest.fixture
def environment(environ: dict[str, str]) -> TrainingEnvironment:
    return read_environment(environ)


TRAINED = {"train": 60, "validation": 20, "test": 20, "recent": 5}


def read_json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.fixture
def quick_learner(environ: dict[str, str]) -> TrainingEnvironment:
    """Large steps: the tiny backbone's random prior is worth nothing and must be unlearnt."""
    config = Path(environ["SAGEMAKER_BASE_DIR"]) / "input/config/hyperparameters.json"
    config.write_text(json.dumps({"learning_rate": "0.05"}))
    return read_environment(environ)


def test_a_trained_model_leaves_everything_that_serving_and_the_gate_read(
    fill: Callable[..., None],
    quick_learner: TrainingEnvironment,
    lake: FolderLake,
    tiny_backbone: Backbone,
) -> None:
    fill("trained", TRAINED)
    run = RecordingRun()

    run_job(quick_learner, lake, run, load=lambda: tiny_backbone)

    model = quick_learner.paths.model
    spec = ModelSpec.from_json((model / "model.json").read_bytes())
    tflite = (model / "model.tflite").read_bytes()
    assert spec.mode == "trained"
    assert spec.tflite.sha256 == hashlib.sha256(tflite).hexdigest()
    assert (spec.training_job_name, spec.mlflow_run_id) == ("job-1", "run-1")
    assert spec.backbone_hash == tiny_backbone.spec.hash
    assert spec.metrics["test_accuracy"] > 0.9
    known = read_baseline(spec.baseline)
    assert set(known) == {*INPUT_FEATURES, *SKETCH_FEATURES, PROBABILITY_FEATURE, LABEL_FEATURE}
    assert known[PROBABILITY_FEATURE].total == 40
    assert {known[name].total for name in SKETCH_FEATURES} == {2 * sum(TRAINED.values())}

    reference = read_sample((model / "reference.csv").read_bytes())
    assert len(reference["label"]) == 2 * (TRAINED["train"] + TRAINED["validation"])
    assert sum(reference["label"]) == TRAINED["train"] + TRAINED["validation"]
    probabilities = [p for p in reference["probability"] if not math.isnan(p)]
    assert len(probabilities) == 2 * TRAINED["validation"]  # the others were learnt from
    sketches = known["sketch_00"].count(reference["sketch_00"])
    assert all(sketches.counts)

    scores = [json.loads(line) for line in (model / "scores.jsonl").read_text().splitlines()]
    assert Counter(score["split"] for score in scores) == {
        "validation": 40,
        "test": 40,
        "recent": 10,
    }
    source = PhotoSource(Path("no channel"), lake)
    served = [TfliteModel(tflite).probability(source.pixels(s["photo"])) for s in scores[:10]]
    np.testing.assert_allclose(served, [s["probability"] for s in scores[:10]], atol=0.02)

    assert set(read_json(model / "metrics.json")["export"]) == {"float32", "float16", "int8"}
    assert {"model.json", "model.tflite", "model.keras", "model_card.md", "roc.png"} <= set(
        run.files
    )
    assert {"precision_recall.png", "reliability_test.png", "confusion_test.png"} <= set(run.files)
    assert {"training_curve.png", "summary.json", "worst_mistakes.json"} <= set(run.files)
    assert run.curves["train_loss"] == run.curves["validation_loss"]
    assert run.seen_parameters["mode"] == run.seen_tags["mode"] == "trained"
    assert run.seen_tags["dataset_version"] == spec.dataset_version
    assert run.seen_metrics["test_accuracy"] == spec.metrics["test_accuracy"]
    assert run.seen_metrics["test_accuracy_low"] <= run.seen_metrics["test_accuracy"]
    assert run.seen_metrics[f"dataset_train_{LABELS.positive}"] == 60
    assert run.seen_dataset is not None
    assert run.seen_dataset.version == spec.dataset_version
    assert run.seen_dataset.uri == f"s3://lake/datasets/{spec.dataset_version}/"


def test_augmentations_teach_with_train_photos_alone_and_are_kept_for_the_next_run(
    fill: Callable[..., None],
    environ: dict[str, str],
    lake: FolderLake,
    tiny_backbone: Backbone,
) -> None:
    fill("trained", {"train": 30, "validation": 10, "test": 10})
    config = Path(environ["SAGEMAKER_BASE_DIR"]) / "input/config/hyperparameters.json"
    config.write_text(json.dumps({"augmentation": "flip"}))
    environment = read_environment(environ)

    run_job(environment, lake, RecordingRun(), load=lambda: tiny_backbone)
    flipped = FeatureCache(lake, tiny_backbone.spec, "flip").load(
        read_dataset(environment.paths.channel("dataset")).photos
    )

    assert len(flipped) == 60  # of both labels


def test_a_model_says_what_made_it_and_its_card_says_it_to_people(
    fill: Callable[..., None],
    environ: dict[str, str],
    lake: FolderLake,
    tiny_backbone: Backbone,
) -> None:
    fill("trained", {"train": 30, "validation": 10, "test": 10})
    told = {"CODE_REVISION": "abc123", "EXECUTION_ARN": "arn:execution"}
    environment = read_environment({**environ, **told})
    run = RecordingRun()

    spec = run_job(environment, lake, run, load=lambda: tiny_backbone)

    assert spec.provenance.code_revision == "abc123"
    assert spec.provenance.execution_arn == "arn:execution"
    assert spec.provenance.requirements_sha256 == environment.requirements_digest
    assert spec.provenance.training_job_arn == ""
    card = run.files["model_card.md"].decode()
    assert "| drawn | 30 / 30 | 10 / 10 | 10 / 10 |" in card
    assert "- Code revision: `abc123`" in card
    assert "- Training job ARN: not told" in card
    accuracy = spec.metrics["test_accuracy"]
    low, high = run.seen_metrics["test_accuracy_low"], run.seen_metrics["test_accuracy_high"]
    assert f"| test | 20 | {accuracy:.4f} ({low:.4f} to {high:.4f}) |" in card
    measured = read_json(environment.paths.model / "metrics.json")["splits"]["test"]
    assert measured["intervals"]["accuracy"] == [low, high]
    assert measured["slices"][0]["name"] == "source drawn"


def test_the_same_job_again_gives_the_same_model_and_computes_no_feature(
    fill: Callable[..., None],
    environment: TrainingEnvironment,
    lake: FolderLake,
    tiny_backbone: Backbone,
) -> None:
    fill("trained", {"train": 30, "validation": 10, "test": 10})
    first = run_job(environment, lake, RecordingRun(), load=lambda: tiny_backbone)
    scores = (environment.paths.model / "scores.jsonl").read_bytes()

    second = run_job(environment, lake, RecordingRun(), load=lambda: tiny_backbone)

    assert second.metrics["features_computed"] == 0
    assert (environment.paths.model / "scores.jsonl").read_bytes() == scores
    for name in ("threshold", "bands", "temperature", "baseline"):
        assert getattr(first, name) == getattr(second, name)


def test_bootstrap_answers_with_the_prior_at_a_threshold_of_one_half(
    fill: Callable[..., None],
    environment: TrainingEnvironment,
    lake: FolderLake,
    tiny_backbone: Backbone,
) -> None:
    fill("bootstrap", {"train": 9, "validation": 1, "test": 1})

    run = RecordingRun()
    spec = run_job(environment, lake, run, load=lambda: tiny_backbone)

    assert (spec.mode, spec.threshold, spec.temperature) == ("bootstrap", 0.5, 1.0)
    reference = read_sample((environment.paths.model / "reference.csv").read_bytes())
    assert sum(not math.isnan(p) for p in reference["probability"]) == 18  # train's
    assert "ImageNet's own head answers" in run.files["model_card.md"].decode()
    assert "training_curve.png" not in run.files
    scores = (environment.paths.model / "scores.jsonl").read_text().splitlines()
    assert len(scores) == 22  # train too: there is hardly anything else to compare with
    dataset = read_dataset(environment.paths.channel("dataset"))
    negatives = {
        entry.photo
        for entry in dataset.entries
        if entry.split == "train" and entry.label == LABELS.negative
    }
    above = [s for s in map(json.loads, scores) if s["photo"] in negatives]
    assert sum(score["probability"] >= 0.5 for score in above) == 1  # 99th percentile of nine


def test_a_data_set_from_before_references_gives_a_model_without_one(
    fill: Callable[..., None],
    environment: TrainingEnvironment,
    lake: FolderLake,
    tiny_backbone: Backbone,
) -> None:
    fill("bootstrap", {"train": 9, "validation": 1, "test": 1})
    (environment.paths.channel("dataset") / "reference_inputs.csv").unlink()

    run_job(environment, lake, RecordingRun(), load=lambda: tiny_backbone)

    assert not (environment.paths.model / "reference.csv").exists()
    assert (environment.paths.model / "model.json").exists()


@pytest.mark.parametrize(
    ("manifest", "summary"),
    [
        ("not json", "{}"),
        ("", '{"version": "1", "mode": "trained"}'),
        ('{"photo": "a"}', '{"version": "1", "mode": "trained"}'),
    ],
)
def test_a_broken_data_set_is_refused(
    environment: TrainingEnvironment, manifest: str, summary: str
) -> None:
    channel = environment.paths.channel("dataset")
    (channel / "manifest.jsonl").write_text(manifest)
    (channel / "summary.json").write_text(summary)

    with pytest.raises(TrainingDataError):
        read_dataset(channel)


@pytest.fixture
def main(
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    lake: FolderLake,
    tiny_backbone: Backbone,
) -> Iterator[Callable[[], tuple[int, RecordingRun]]]:
    """The entry point with a lake in a folder, a tiny backbone and a run that remembers."""
    for name in ("HYPERPARAMETERS", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    run = RecordingRun()
    monkeypatch.setattr(tracking, "start_run", lambda *_: run)
    monkeypatch.setattr(lake_store, "S3Lake", lambda _: lake)
    monkeypatch.setattr(job, "run_job", partial(run_job, load=lambda: tiny_backbone))
    before = signal.getsignal(signal.SIGTERM)
    yield lambda: (train.main(), run)
    signal.signal(signal.SIGTERM, before)


def failure(environ: dict[str, str]) -> Path:
    return Path(environ["SAGEMAKER_BASE_DIR"]) / "output/failure"


def test_success_ends_with_zero_and_a_finished_run(
    main: Callable[[], tuple[int, RecordingRun]],
    fill: Callable[..., None],
    environ: dict[str, str],
) -> None:
    fill("bootstrap", {"train": 6})

    code, run = main()

    assert (code, run.status) == (0, "FINISHED")
    assert not failure(environ).exists()


def test_a_refused_hyperparameter_fails_before_a_run_is_opened(
    main: Callable[[], tuple[int, RecordingRun]], environ: dict[str, str]
) -> None:
    config = Path(environ["SAGEMAKER_BASE_DIR"]) / "input/config/hyperparameters.json"
    config.write_text(json.dumps({"epoch": "5"}))

    code, run = main()

    assert (code, run.status) == (1, "RUNNING")
    assert "unknown hyperparameters: epoch" in failure(environ).read_text()


def test_a_data_set_that_cannot_be_trained_on_fails_the_run_with_its_reason(
    main: Callable[[], tuple[int, RecordingRun]], environ: dict[str, str]
) -> None:
    code, run = main()  # the channel is empty

    assert (code, run.status) == (1, "FAILED")
    reason = failure(environ).read_text()
    assert reason.startswith("TrainingDataError: ")
    assert "manifest.jsonl" in reason
    assert not (Path(environ["SAGEMAKER_BASE_DIR"]) / "model/model.json").exists()


def test_an_unforeseen_error_still_leaves_a_reason(
    main: Callable[[], tuple[int, RecordingRun]],
    fill: Callable[..., None],
    environ: dict[str, str],
    lake: FolderLake,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill("bootstrap", {"train": 6})

    def full(key: str, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lake, "write", full)
    code, run = main()

    assert (code, run.status) == (1, "FAILED")
    assert "No space left on device" in failure(environ).read_text()


def test_a_tracking_server_that_went_away_does_not_hide_the_reason(
    main: Callable[[], tuple[int, RecordingRun]],
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(_: RecordingRun, status: str) -> None:
        raise ConnectionError("tracking server is gone")

    monkeypatch.setattr(RecordingRun, "end", gone)
    code, _ = main()

    assert code == 1
    assert "manifest.jsonl" in failure(environ).read_text()


def test_sigterm_ends_the_job_and_the_run_is_killed(
    main: Callable[[], tuple[int, RecordingRun]],
    fill: Callable[..., None],
    environ: dict[str, str],
    lake: FolderLake,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill("bootstrap", {"train": 6})
    monkeypatch.setattr(lake, "write", lambda *_: os.kill(os.getpid(), signal.SIGTERM))

    code, run = main()

    assert (code, run.status) == (143, "KILLED")
    assert not failure(environ).exists()
    assert not (Path(environ["SAGEMAKER_BASE_DIR"]) / "model/model.json").exists()


def test_an_interrupted_job_that_starts_again_computes_only_the_rest(
    main: Callable[[], tuple[int, RecordingRun]],
    fill: Callable[..., None],
    lake: FolderLake,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill("bootstrap", {"train": 6})
    monkeypatch.setattr(features, "FEATURES", replace(SETTINGS, photos_per_shard=5))

    def terminate(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    def write(key: str, data: bytes) -> None:
        FolderLake.write(lake, key, data)
        if key.endswith(".txt"):  # a whole shard is stored
            terminate()

    with monkeypatch.context() as interrupted:
        interrupted.setattr(lake, "write", write)
        code, run = main()
    before = stored_features(lake)
    assert (code, run.status) == (143, "KILLED")

    run.status = "RUNNING"
    monkeypatch.setattr(job, "make_prior", terminate)  # what comes next needs no lake
    code, _ = main()

    assert code == 143
    assert len(before) == 5
    assert len(set(stored_features(lake))) == len(stored_features(lake)) == 12


def stored_features(lake: FolderLake) -> list[str]:
    """The photos of all shards; one that is in two shards stands here twice."""
    lists = [key for key in lake.list_keys("features/") if key.endswith(".txt")]
    return [photo for key in lists for photo in lake.read(key).decode().split()]


def test_another_backbone_is_another_cache(tiny_spec: BackboneSpec) -> None:
    assert tiny_spec.hash != BackboneSpec("tiny", "0" * 64, 224, 24, 7, 2).hash
