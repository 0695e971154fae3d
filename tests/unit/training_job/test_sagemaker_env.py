import json
from pathlib import Path

import pytest

from areyouacat.settings import LABELS
from training_job.errors import EnvironmentalError, HyperparameterError
from training_job.sagemaker_env import (
    Hyperparameters,
    base_paths,
    read_environment,
    write_failure,
)


@pytest.fixture
def job(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "input/config").mkdir(parents=True)
    (tmp_path / "input/data/dataset").mkdir(parents=True)
    return {"SAGEMAKER_BASE_DIR": str(tmp_path), "LAKE_BUCKET": "lake"}


def test_strings_become_typed_hyperparameters() -> None:
    parsed = Hyperparameters.parse(
        {"mode": "trained", "epochs": "5", "learning_rate": "0.01", "l2": "0.5", "seed": "3"}
    )

    assert parsed == Hyperparameters("trained", 5, 0.01, 0.5, 3)


def test_what_is_not_given_has_a_default() -> None:
    assert Hyperparameters.parse({}) == Hyperparameters()
    assert Hyperparameters.parse({"l2": "auto"}).l2 is None


def test_the_sdks_quoted_strings_and_own_entries_are_understood() -> None:
    parsed = Hyperparameters.parse(
        {"mode": '"bootstrap"', "epochs": '"7"', "sagemaker_program": '"train.py"'}
    )

    assert (parsed.mode, parsed.epochs) == ("bootstrap", 7)


def test_class_weights_name_every_label_or_a_rule() -> None:
    def weights(text: str) -> object:
        return Hyperparameters.parse({"class_weights": text}).class_weights

    assert weights("balanced") is None
    assert weights("none") == {LABELS.positive: 1.0, LABELS.negative: 1.0}
    assert weights(f"{LABELS.negative}=3,{LABELS.positive}=0.5") == {
        LABELS.positive: 0.5,
        LABELS.negative: 3.0,
    }


def test_augmentations_are_put_into_one_order_so_that_the_same_ones_train_the_same() -> None:
    assert Hyperparameters.parse({"augmentation": "none"}).augmentation == ()
    assert Hyperparameters.parse({"augmentation": "zoom,flip"}).augmentation == ("flip", "zoom")


def test_an_unknown_hyperparameter_is_refused_by_name() -> None:
    with pytest.raises(HyperparameterError, match="epoch; known"):
        Hyperparameters.parse({"epoch": "5"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", "ten"),
        ("epochs", "1.5"),
        ("epochs", "0"),
        ("learning_rate", "-1"),
        ("learning_rate", "nan"),
        ("l2", "-0.1"),
        ("l2", "inf"),
        ("seed", "-1"),
        ("mode", "quick"),
        ("mode", '"unfinished\\"'),
        ("class_weights", f"{LABELS.positive}=2"),
        ("class_weights", f"{LABELS.positive}=2,{LABELS.positive}=2"),
        ("class_weights", f"{LABELS.positive}=0,{LABELS.negative}=1"),
        ("class_weights", f"{LABELS.positive}=heavy,{LABELS.negative}=1"),
        ("augmentation", "flop"),
        ("augmentation", ""),
    ],
)
def test_a_value_of_the_wrong_type_or_range_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(HyperparameterError, match=name):
        Hyperparameters.parse({name: value})


def test_the_environment_is_read_once_and_typed(job: dict[str, str]) -> None:
    config = Path(job["SAGEMAKER_BASE_DIR"]) / "input/config/hyperparameters.json"
    config.write_text(json.dumps({"epochs": "3"}))

    environment = read_environment({**job, "TRAINING_JOB_NAME": "job-1", "EXECUTION_ARN": "arn"})

    assert environment.hyperparameters.epochs == 3
    assert environment.tags()["training_job_name"] == "job-1"
    assert environment.tags()["execution_arn"] == "arn"
    assert "code_revision" not in environment.tags()


def test_a_missing_variable_is_named(job: dict[str, str]) -> None:
    del job["LAKE_BUCKET"]

    with pytest.raises(EnvironmentalError, match="LAKE_BUCKET"):
        read_environment(job)


def test_a_missing_channel_is_named(job: dict[str, str]) -> None:
    (Path(job["SAGEMAKER_BASE_DIR"]) / "input/data/dataset").rmdir()

    with pytest.raises(EnvironmentalError, match="dataset"):
        read_environment(job)


@pytest.mark.parametrize("content", ["{", "[]", '{"epochs": 3}'])
def test_a_broken_configuration_file_is_named(job: dict[str, str], content: str) -> None:
    config = Path(job["SAGEMAKER_BASE_DIR"]) / "input/config/hyperparameters.json"
    config.write_text(content)

    with pytest.raises(EnvironmentalError, match=r"hyperparameters\.json"):
        read_environment(job)


def test_the_hyperparameter_decides_the_mode_before_the_summary(job: dict[str, str]) -> None:
    config = Path(job["SAGEMAKER_BASE_DIR"]) / "input/config/hyperparameters.json"
    config.write_text(json.dumps({"mode": "trained"}))
    assert read_environment(job).mode({"mode": "bootstrap"}) == "trained"

    config.write_text(json.dumps({"mode": "auto"}))
    assert read_environment(job).mode({"mode": "bootstrap"}) == "bootstrap"
    with pytest.raises(EnvironmentalError, match="mode"):
        read_environment(job).mode({})


def test_the_base_directory_is_opt_ml_unless_told_otherwise() -> None:
    assert base_paths({}).base == Path("/opt/ml")
    assert base_paths({"SAGEMAKER_BASE_DIR": "/elsewhere"}).base == Path("/elsewhere")


def test_the_failure_reason_lies_where_sagemaker_looks_and_is_cut_to_its_limit(
    tmp_path: Path,
) -> None:
    paths = base_paths({"SAGEMAKER_BASE_DIR": str(tmp_path)})

    write_failure(paths, "x" * 5000)

    assert (tmp_path / "output/failure").read_text() == "x" * 1024
