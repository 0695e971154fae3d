"""What a run is told of its gate, whether it became a version or not."""

from dataclasses import replace

import pytest

from areyouacat.errors import RegistryError
from areyouacat.settings import GATE
from lambdas.pipeline.logic.outcome import (
    Evaluation,
    Rule,
    record_evaluation,
    record_outcome,
)
from tests.unit.lambdas.pipeline.fakes import MemoryLake, MemoryRegistry

PREFIX = "training/job-1/evaluation/"
REFUSED = Evaluation(
    passed=False,
    applicable=True,
    reason="accuracy: 0.8000, must be at least 0.9000 (0.1000 short)",
    rules=[
        Rule("parity", True, 0.001, 0.02, 0.0),
        Rule("accuracy", False, 0.8, GATE.min_accuracy, 0.1),
    ],
    metrics={"test_accuracy": 0.8, "test_photos": 100},
    champion_version="7",
    prefix=PREFIX,
)


@pytest.fixture
def lake() -> MemoryLake:
    return MemoryLake({f"{PREFIX}evaluation.json": b"{}", f"{PREFIX}evaluation.md": b"# no"})


def test_every_rule_and_metric_becomes_a_number_of_the_run(lake: MemoryLake) -> None:
    registry = MemoryRegistry()

    record_evaluation(lake, registry, "run", REFUSED)

    numbers = registry.metrics["run"]
    assert all(name.startswith("gate_") for name in numbers)
    assert numbers["gate_passed"] == 0.0
    assert numbers["gate_test_accuracy"] == 0.8
    assert numbers["gate_rule_accuracy_shortfall"] == 0.1
    assert (numbers["gate_rule_parity_passed"], numbers["gate_rule_accuracy_passed"]) == (1.0, 0.0)


def test_the_run_says_which_rules_failed_and_against_whom(lake: MemoryLake) -> None:
    registry = MemoryRegistry()

    record_outcome(registry, "run", "rejected", REFUSED.reason)
    record_evaluation(lake, registry, "run", REFUSED)

    assert registry.runs["run"] == {
        "outcome": "rejected",
        "outcome_reason": REFUSED.reason,
        "gate_passed": "false",
        "gate_applicable": "true",
        "gate_reason": REFUSED.reason,
        "gate_failed_rules": "accuracy",
        "compared_with_version": "7",
    }


def test_the_evaluations_files_stand_in_a_folder_of_their_own(lake: MemoryLake) -> None:
    registry = MemoryRegistry()

    assert record_evaluation(lake, registry, "run", REFUSED) == (
        "evaluation.json",
        "evaluation.md",
    )
    assert registry.artifacts["run"] == {
        "evaluation/evaluation.json": b"{}",
        "evaluation/evaluation.md": b"# no",
    }


def test_files_that_are_gone_do_not_keep_the_numbers_out() -> None:
    registry = MemoryRegistry()

    assert record_evaluation(MemoryLake(), registry, "run", REFUSED) == ()
    assert registry.metrics["run"]["gate_passed"] == 0.0


def test_a_first_model_that_passes_is_compared_with_none() -> None:
    passed = replace(
        REFUSED, passed=True, rules=[REFUSED.rules[0]], champion_version=None, reason="all passed"
    )

    assert passed.tags()["gate_failed_rules"] == "none"
    assert passed.tags()["compared_with_version"] == "none"


def test_an_outage_is_an_error_that_is_tried_again(lake: MemoryLake) -> None:
    with pytest.raises(RegistryError):
        record_evaluation(lake, MemoryRegistry(away=True), "run", REFUSED)


def test_a_failed_run_that_nobody_closed_is_closed_and_no_other() -> None:
    registry = MemoryRegistry(open_runs={"killed", "rejected"})

    record_outcome(registry, "killed", "failed", "SIGKILL")
    record_outcome(registry, "rejected", "rejected", "worse")

    assert registry.open_runs == {"rejected"}
