"""What a run led to, told to MLflow: its outcome and all that the quality gate saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from areyouacat.lake import EVALUATION_JSON, EVALUATION_MARKDOWN
from lambdas.pipeline.logic.ports import Lake, Registry

Outcome = Literal["registered", "rejected", "failed"]

EVALUATION_FOLDER: Final = "evaluation"
"""Where the evaluation's files stand among a run's artifacts."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the quality gate, as `gates.RuleResult` has it."""

    name: str
    passed: bool
    value: float
    limit: float
    shortfall: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What EvaluateCandidate answered. `prefix`: where its files are in the lake."""

    passed: bool
    applicable: bool
    reason: str
    rules: Sequence[Rule]
    metrics: Mapping[str, float]
    champion_version: str | None
    prefix: str

    def tags(self) -> dict[str, str]:
        """What a run is found by."""
        failed = [rule.name for rule in self.rules if not rule.passed]
        return {
            "gate_passed": str(self.passed).lower(),
            "gate_applicable": str(self.applicable).lower(),
            "gate_reason": self.reason,
            "gate_failed_rules": ", ".join(failed) or "none",
            "compared_with_version": self.champion_version or "none",
        }

    def numbers(self) -> dict[str, float]:
        """What runs are compared by; all names begin with `gate_`."""
        return {
            "gate_passed": float(self.passed),
            **{f"gate_{name}": value for name, value in self.metrics.items()},
            **{
                f"gate_rule_{rule.name}_{part}": float(value)
                for rule in self.rules
                for part, value in (
                    ("value", rule.value),
                    ("limit", rule.limit),
                    ("shortfall", rule.shortfall),
                    ("passed", rule.passed),
                )
            },
        }


def record_outcome(registry: Registry, run_id: str, outcome: Outcome, reason: str) -> None:
    """Tag a run with what became of it; a failed one that nobody closed is closed.

    Raises:
        RegistryError: MLflow cannot be reached or refuses; calling again does no harm.
    """
    registry.tag_run(run_id, {"outcome": outcome, "outcome_reason": reason})
    if outcome == "failed":
        registry.close_failed_run(run_id)


def record_evaluation(
    lake: Lake, registry: Registry, run_id: str, evaluation: Evaluation
) -> tuple[str, ...]:
    """Put everything the gate saw into the run; the names of the files that went with it.

    Raises:
        RegistryError: MLflow cannot be reached or refuses; calling again does no harm.
    """
    registry.tag_run(run_id, evaluation.tags())
    registry.log_metrics(run_id, evaluation.numbers())
    found = {
        name: data
        for name in (EVALUATION_JSON, EVALUATION_MARKDOWN)
        if (data := lake.read(f"{evaluation.prefix}{name}")) is not None
    }
    registry.log_files(run_id, EVALUATION_FOLDER, found)
    return tuple(found)
