from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from areyouacat.dataset import ManifestEntry
from areyouacat.errors import CorruptModelError, DatasetError
from areyouacat.images import decode, to_model_input
from areyouacat.lake import photo_key, sha256_hex
from lambdas.serving.handlers.evaluate_candidate import handler
from lambdas.serving.logic.loaded_model import LoadedModel, ModelFiles
from tests.unit.lambdas.conftest import FakeContext
from tests.unit.lambdas.serving.conftest import LAKE, Lake, jpeg, tiny_files

ARTIFACT_KEY = "training/train-1/output/model.tar.gz"
VERSION = "0123456789abcdef"
Run = Callable[..., dict[str, Any]]


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture
def photos(s3: Any) -> dict[str, bytes]:
    """Ten bright photos that are labelled as cats, ten dark ones that are not."""
    files = [jpeg(grey, (64, 64)) for grey in (*range(241, 251), *range(1, 11))]
    by_hash = {sha256_hex(data): data for data in files}
    for sha, data in by_hash.items():
        s3.put_object(Bucket=LAKE, Key=photo_key(sha), Body=data)
    lines = [
        json.dumps(
            asdict(
                ManifestEntry(
                    photo=sha,
                    label="cat" if number < 10 else "not_cat",
                    split="test",
                    source="seed",
                    labelled_by="seed",
                    group=sha,
                )
            )
        )
        for number, sha in enumerate(by_hash)
    ]
    body = "\n".join(lines).encode()
    s3.put_object(Bucket=LAKE, Key=f"datasets/{VERSION}/manifest.jsonl", Body=body)
    return by_hash


@pytest.fixture
def run(s3: Any, photos: dict[str, bytes]) -> Run:
    """Evaluates a candidate made of these files, with the Keras scores it deserves."""

    def evaluate(
        files: ModelFiles, *, off_by: float = 0.0, scores: bytes | None = None
    ) -> dict[str, Any]:
        if scores is None:
            model = LoadedModel(files)
            rows = [
                {
                    "photo": sha,
                    "split": "test",
                    "probability": model.score(to_model_input(decode(data))).probability + off_by,
                }
                for sha, data in photos.items()
            ]
            scores = "\n".join(map(json.dumps, rows)).encode()
        data = archive(
            {
                "model.tflite": files.tflite,
                "model.json": files.spec,
                "model.keras": b"keras",
                "scores.jsonl": scores,
                "metrics.json": b"{}",
            }
        )
        s3.put_object(Bucket=LAKE, Key=ARTIFACT_KEY, Body=data)
        return handler(event(), FakeContext())  # type: ignore[arg-type]

    return evaluate


def event(**changes: Any) -> dict[str, Any]:
    return {
        "model_artifact": f"s3://{LAKE}/{ARTIFACT_KEY}",
        "dataset": {"version": VERSION, "mode": "trained"},
        "training": {"job_name": "train-1"},
        **changes,
    }


def test_a_good_first_candidate_passes(run: Run) -> None:
    evaluation = run(tiny_files())

    assert evaluation["gate"]["passed"]
    assert evaluation["gate"]["applicable"]
    assert evaluation["metrics"]["test_accuracy"] == 1.0
    assert evaluation["metrics"]["scored_photos"] == 20
    assert evaluation["champion_version"] is None
    assert evaluation["mlflow_run_id"] == "run-1"


def test_the_output_fits_between_two_states(run: Run) -> None:
    text = json.dumps(run(tiny_files()), allow_nan=False)

    assert len(text) < 10_000
    rules = {rule["name"]: rule for rule in json.loads(text)["gate"]["rules"]}
    assert rules["accuracy"].keys() == {
        "name",
        "passed",
        "value",
        "limit",
        "shortfall",
        "detail",
    }


def test_the_details_are_in_the_lake_beside_the_jobs_output(run: Run, lake: Lake, s3: Any) -> None:
    lake.point(lake.stage("1", tiny_files()))

    prefix = run(tiny_files(inverted=True))["evaluation_prefix"]

    assert prefix == "training/train-1/evaluation/"
    assert lake.keys(prefix) == [f"{prefix}evaluation.json", f"{prefix}evaluation.md"]
    stored = s3.get_object(Bucket=LAKE, Key=f"{prefix}evaluation.json")
    found = json.loads(stored["Body"].read())
    assert found["champion"]["version"] == "1"
    assert found["comparisons"][0]["only_champion_right"]["number"] == 20
    markdown = s3.get_object(Bucket=LAKE, Key=f"{prefix}evaluation.md")["Body"].read().decode()
    assert "# train-1: refused" in markdown


def test_a_repeated_evaluation_says_the_same_but_for_the_clock(run: Run, lake: Lake) -> None:
    lake.point(lake.stage("1", tiny_files(inverted=True)))

    first, second = run(tiny_files()), run(tiny_files())

    for evaluation in (first, second):
        del evaluation["metrics"]["latency_ms_p50"]
        evaluation["gate"]["rules"] = [
            rule for rule in evaluation["gate"]["rules"] if rule["name"] != "latency_ms"
        ]
    assert first == second


@pytest.mark.parametrize("split", ["validation", "recent"])
def test_a_data_set_without_test_photos_refuses_the_candidate_with_the_reason(
    run: Run, s3: Any, split: str
) -> None:
    key = f"datasets/{VERSION}/manifest.jsonl"
    manifest = s3.get_object(Bucket=LAKE, Key=key)["Body"].read()
    s3.put_object(Bucket=LAKE, Key=key, Body=manifest.replace(b'"test"', f'"{split}"'.encode()))

    gate = run(tiny_files())["gate"]

    assert not gate["passed"]
    assert "0 cat and 0 not_cat could be scored of the test split" in gate["reason"]


def test_a_sample_of_which_no_photo_is_left_is_an_error_that_says_so(
    run: Run, photos: dict[str, bytes], s3: Any
) -> None:
    for sha in photos:
        s3.delete_object(Bucket=LAKE, Key=photo_key(sha))

    with pytest.raises(CorruptModelError, match="no photo to try the model on can be read"):
        run(tiny_files())


def test_a_candidate_worse_than_the_champion_is_rejected_with_reasons(run: Run, lake: Lake) -> None:
    lake.point(lake.stage("1", tiny_files()))

    evaluation = run(tiny_files(inverted=True))

    assert not evaluation["gate"]["passed"]
    assert "not_worse_than_champion_points" in evaluation["gate"]["reason"]
    assert evaluation["champion_version"] == "1"
    assert evaluation["metrics"]["champion_test_accuracy"] == 1.0


def test_scores_that_differ_from_training_are_rejected(run: Run) -> None:
    evaluation = run(tiny_files(), off_by=0.2)

    assert not evaluation["gate"]["passed"]
    assert "parity" in evaluation["gate"]["reason"]


def test_a_bootstrap_candidate_is_not_judged_by_quality(run: Run) -> None:
    evaluation = run(tiny_files(inverted=True, mode="bootstrap"))

    assert evaluation["gate"]["passed"]
    assert not evaluation["gate"]["applicable"]
    assert "bootstrap" in evaluation["gate"]["reason"]


def test_a_corrupt_champion_does_not_keep_a_good_candidate_out(run: Run, lake: Lake) -> None:
    champion = lake.stage("1", tiny_files())
    lake.spoil(champion)
    lake.point(champion)

    evaluation = run(tiny_files())

    assert evaluation["gate"]["passed"]
    assert evaluation["champion_version"] is None


def test_erased_photos_are_counted_and_do_not_stop_it(
    run: Run, photos: dict[str, bytes], s3: Any
) -> None:
    s3.delete_object(Bucket=LAKE, Key=photo_key(next(iter(photos))))

    metrics = run(tiny_files())["metrics"]

    assert (metrics["scored_photos"], metrics["unscored_photos"]) == (19, 1)


@pytest.mark.parametrize("scores", [b"", b"{", b'{"photo": "x"}', b"[1]"])
def test_scores_that_cannot_be_used_are_a_corrupt_model(run: Run, scores: bytes) -> None:
    with pytest.raises(CorruptModelError, match=r"scores\.jsonl"):
        run(tiny_files(), scores=scores)


@pytest.mark.parametrize(
    "uri", [f"s3://{LAKE}/training/none/output/model.tar.gz", "s3://elsewhere/model.tar.gz"]
)
def test_an_archive_that_is_not_in_the_lake_is_a_corrupt_model(s3: Any, uri: str) -> None:
    with pytest.raises(CorruptModelError):
        handler(event(model_artifact=uri), FakeContext())  # type: ignore[arg-type]


def test_a_data_set_without_manifest_is_a_dataset_error(run: Run, s3: Any) -> None:
    s3.delete_object(Bucket=LAKE, Key=f"datasets/{VERSION}/manifest.jsonl")

    with pytest.raises(DatasetError, match=r"manifest\.jsonl"):
        run(tiny_files())
