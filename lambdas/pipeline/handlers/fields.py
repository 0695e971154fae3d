"""Field types that several requests share."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, Field

from lambdas.pipeline.logic.outcome import Evaluation, Rule

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
