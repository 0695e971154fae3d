"""CheckCanary: what the requests of both variants say, and what follows from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from areyouacat.predictions import PredictionItem
from areyouacat.sequential import NO_EVIDENCE
from areyouacat.serving_pointer import ServingPointer, Strategy
from areyouacat.settings import CANARY, CanaryRules
from areyouacat.traffic import Decision, RoleEvidence, Verdict, decide


class Predictions(Protocol):
    """Predictions by time."""

    def predicted_between(self, start: datetime, end: datetime) -> Iterable[PredictionItem]:
        """Predictions made in that time."""

    def labelled_between(self, start: datetime, end: datetime) -> Iterable[PredictionItem]:
        """Predictions whose feedback came in that time."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A challenger beside the champion: who they are and how long it lasts.

    `golden`, `golden_right`: the photos that the challenger had to know.
    """

    execution_arn: str
    strategy: Strategy
    champion_version: str
    challenger_version: str
    began_at: datetime
    bake_seconds: int
    check_seconds: int
    golden: int
    golden_right: int


@dataclass(frozen=True, slots=True)
class Check:
    """A look at a trial. `wait_seconds`: until the next one."""

    decision: Decision
    champion: RoleEvidence
    challenger: RoleEvidence
    wait_seconds: int


def check(
    predictions: Predictions, pointer: ServingPointer | None, trial: Trial, now: datetime
) -> Check:
    """Looks at what both variants answered since the traffic was shifted, and decides."""
    champion, challenger = gather(predictions, trial, now)
    left = trial.bake_seconds - (now - trial.began_at).total_seconds()
    deployment = pointer.deployment if pointer else None
    if deployment is None or deployment.execution_arn != trial.execution_arn:
        why = f"taken out of the traffic meanwhile: {pointer.reason}" if pointer else "no pointer"
        decision = Decision(Verdict.ROLL_BACK, (why,), NO_EVIDENCE)
    else:
        decision = decide(champion, challenger, trial.strategy, bake_is_over=left <= 0)
    wait = max(1, min(trial.check_seconds, round(left)))
    return Check(decision, champion, challenger, wait)


def gather(
    predictions: Predictions, trial: Trial, now: datetime, rules: CanaryRules = CANARY
) -> tuple[RoleEvidence, RoleEvidence]:
    """The evidence of champion and challenger.

    Health is that of the last hour at most: reading more of a long test would cost much and say
    little. Feedback is all that was given on answers since the traffic was shifted.
    """
    versions = (trial.champion_version, trial.challenger_version)
    latencies: dict[str, list[float]] = {version: [] for version in versions}
    failures = dict.fromkeys(versions, 0)
    since = max(trial.began_at, now - timedelta(hours=rules.health_hours))
    for item in predictions.predicted_between(since, now):
        prediction = item.prediction
        if prediction.failed_version in failures:
            # Whoever answered in its place took longer for that; it says nothing about him.
            failures[prediction.failed_version] += 1
        elif prediction.model_version in latencies:
            latencies[prediction.model_version].append(prediction.latency_ms)
    judged = _judged(predictions.labelled_between(trial.began_at, now), trial)

    def evidence(version: str, golden_right: int) -> RoleEvidence:
        return RoleEvidence(
            version=version,
            latencies_ms=latencies[version],
            failures=failures[version],
            judged=judged[version],
            golden=trial.golden,
            golden_right=golden_right,
        )

    # Golden photos are those that the champion has right.
    return (
        evidence(trial.champion_version, trial.golden),
        evidence(trial.challenger_version, trial.golden_right),
    )


def _judged(items: Iterable[PredictionItem], trial: Trial) -> dict[str, list[bool]]:
    found: dict[str, list[tuple[datetime, bool]]] = {
        trial.champion_version: [],
        trial.challenger_version: [],
    }
    for item in items:
        prediction, feedback = item.prediction, item.feedback
        answered_in_trial = prediction.predicted_at >= trial.began_at
        if feedback and answered_in_trial and prediction.model_version in found:
            right = prediction.label == feedback.label
            found[prediction.model_version].append((feedback.at, right))
    return {version: [right for _, right in sorted(judged)] for version, judged in found.items()}
