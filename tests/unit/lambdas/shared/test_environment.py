from __future__ import annotations

from dataclasses import dataclass

import pytest

from lambdas.shared.environment import MissingEnvironmentError, load_environment


@dataclass(frozen=True)
class Environment:
    lake_bucket: str
    predictions_table: str
    log_format: str = "json"


def test_variables_fill_the_fields_that_bear_their_names() -> None:
    environment = load_environment(Environment, {"LAKE_BUCKET": "l", "PREDICTIONS_TABLE": "p"})

    assert environment == Environment("l", "p", "json")


def test_every_missing_variable_is_named_at_once() -> None:
    with pytest.raises(MissingEnvironmentError, match="LAKE_BUCKET, PREDICTIONS_TABLE"):
        load_environment(Environment, {"LAKE_BUCKET": ""})


def test_a_default_is_overridden_by_the_variable() -> None:
    variables = {"LAKE_BUCKET": "l", "PREDICTIONS_TABLE": "p", "LOG_FORMAT": "text"}

    assert load_environment(Environment, variables).log_format == "text"
