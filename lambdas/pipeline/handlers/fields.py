"""Field types that several requests share."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from areyouacat.serving_pointer import Strategy, Variant
from lambdas.pipeline.logic.outcome import Evaluation, Rule
from lambdas.pipeline.logic.promotion import Move

VersionNumber = Annotated[str, Field(pattern=r"^[1-9][0-9]*$", coerce_numbers_to_str=True)]
"""A model version as MLflow counts them; people write 3 as well as "3"."""


class RuleField(BaseModel):
    """One rule of the gate; what it says in words is in the gate's reason."""

    name: str
    passed: bool
    value: float
    limit: float
    shortfall: float


class GateField(BaseModel):
    """What the quality gate said."""

    passed: bool
    applicable: bool
    reason: str
    rules: list[RuleField]


class EvaluationField(BaseModel):
    """Output of EvaluateCandidate."""

    gate: GateField
    metrics: Mapping[str, float]
    champion_version: str | None
    mlflow_run_id: str | None
    evaluation_prefix: str

    def evaluation(self) -> Evaluation:
        """The same for the logic."""
        return Evaluation(
            passed=self.gate.passed,
            applicable=self.gate.applicable,
            reason=self.gate.reason,
            rules=[Rule(**rule.model_dump()) for rule in self.gate.rules],
            metrics=self.metrics,
            champion_version=self.champion_version,
            prefix=self.evaluation_prefix,
        )


class StagedField(BaseModel):
    """Output of StageVariant: the variant, and how it is to be deployed."""

    variant: Variant
    strategy: Strategy
    canary_weight: float
    bake_seconds: int
    check_seconds: int
    reason: str


class RoleField(BaseModel):
    """What CheckCanary tells of one role."""

    model_config = ConfigDict(extra="ignore")

    requests: int
    failures: int
    latency_p95_ms: float | None
    feedback: int
    feedback_right: int
    golden: int
    golden_right: int


class TestField(BaseModel):
    """What the feedback says: the odds of who bets on the challenger, and against it."""

    pairs: int
    better: float
    worse: float


class CheckField(BaseModel):
    """Output of CheckCanary, as far as other states read it."""

    model_config = ConfigDict(extra="ignore")

    reasons: list[str]
    champion: RoleField
    challenger: RoleField
    test: TestField

    def figures(self) -> dict[str, float]:
        """As metrics of an MLflow run, all names beginning with `traffic_`."""
        roles = {"champion": self.champion, "challenger": self.challenger}
        return {
            f"traffic_{role}_{name}": float(value)
            for role, field in roles.items()
            for name, value in field.model_dump().items()
            if value is not None
        } | {f"traffic_test_{name}": float(value) for name, value in self.test.model_dump().items()}


def moved(move: Move, reasons: Sequence[str]) -> dict[str, Any]:
    """A move as the state machine hands it on."""
    return {**asdict(move), "reasons": list(reasons)}
