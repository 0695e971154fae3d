"""Picture sheets of an MLflow store whose artifacts are not in the lake."""

import json
from pathlib import Path

import pytest
from mlflow import MlflowClient

from training_job.mlflow_sheets import SheetsUnreachableError, erase_sheets

ERASED, OTHER = "a" * 64, "b" * 64


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A real store in a file, artifacts beside it; address as MLflow takes it."""
    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    MlflowClient(uri).create_experiment("cats", artifact_location=(folder / "artifacts").as_uri())
    return uri


def run_with(store: str, folder: Path, shown: list[str] | None) -> str:
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name("cats")
    run = client.create_run(experiment.experiment_id)
    folder.mkdir()
    (folder / "worst_mistakes.jpg").write_bytes(b"a picture")
    (folder / "model_card.md").write_text("words")
    if shown is not None:
        (folder / "worst_mistakes.json").write_text(json.dumps(shown))
    client.log_artifacts(run.info.run_id, str(folder))
    return str(run.info.run_id)


def artifacts(store: str, run: str) -> list[str]:
    return sorted(found.path for found in MlflowClient(store).list_artifacts(run))


def test_only_the_sheets_that_show_the_photo_go_even_those_of_deleted_runs(
    store: str, tmp_path: Path
) -> None:
    showing = run_with(store, tmp_path / "1", [OTHER, ERASED])
    deleted = run_with(store, tmp_path / "2", [ERASED])
    MlflowClient(store).delete_run(deleted)
    others = run_with(store, tmp_path / "3", [OTHER])
    unlisted = run_with(store, tmp_path / "4", None)

    assert set(erase_sheets(store, frozenset({ERASED}))) == {showing, deleted}

    assert artifacts(store, showing) == artifacts(store, deleted) == ["model_card.md"]
    assert artifacts(store, others) == [
        "model_card.md",
        "worst_mistakes.jpg",
        "worst_mistakes.json",
    ]
    assert artifacts(store, unlisted) == ["model_card.md", "worst_mistakes.jpg"]
    assert erase_sheets(store, frozenset({ERASED})) == []


def test_a_server_that_does_not_answer_is_one_sentence_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    with pytest.raises(SheetsUnreachableError, match="run the same command again"):
        erase_sheets("http://127.0.0.1:9", frozenset({ERASED}))
