"""The quality gate: may this candidate be registered? Pure arithmetic on measured values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from areyouacat.model_spec import Mode
from areyouacat.settings import GATE, GateRules

_SIGNIFICANCE = 0.05


@dataclass(frozen=True, slots=True)
class Measured:
    """Quality of one model on some photos; all in [0, 1]. `photos`: how many."""

    photos: int
    accuracy: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class Paired:
    """Candidate and champion on the same photos."""

    photos: int
    only_champion_right: int
    only_candidate_right: int

    @property
    def difference_points(self) -> float:
        """Candidate's accuracy minus the champion's, in percentage points."""
        if self.photos == 0:
            return 0.0
        return 100.0 * (self.only_candidate_right - self.only_champion_right) / self.photos

    @property
    def p_worse(self) -> float:
        """Exact one-sided McNemar test: small when the candidate is surely worse."""
        discordant = self.only_champion_right + self.only_candidate_right
        if discordant == 0:
            return 1.0
        tail = sum(
            math.comb(discordant, k) for k in range(self.only_champion_right, discordant + 1)
        )
        return float(tail / 2**discordant)


@dataclass(frozen=True, slots=True)
class GateInput:
    """Everything the gate looks at.

    `parity_difference`: 99th percentile of |Keras - TFLite| of the probability.
    `latency_ms`: p50 of one inference. `against_champion`, `recent_against_champion`:
    None where there is no champion or no such photo.
    """

    mode: Mode
    test: Measured
    parity_difference: float
    latency_ms: float
    against_champion: Paired | None
    recent_against_champion: Paired | None


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule's outcome; `detail` says which rule and by how much."""

    name: str
    passed: bool
    value: float
    limit: float
    detail: str


@dataclass(frozen=True, slots=True)
class GateDecision:
    """`applicable` is False for a bootstrap model: too few photos to judge its quality."""

    passed: bool
    applicable: bool
    rules: tuple[RuleResult, ...]
    reason: str


def decide(measured: GateInput, rules: GateRules = GATE) -> GateDecision:
    """Judge a candidate.

    Parity and latency always count: they need no labels. Quality rules are marked not
    applicable in bootstrap mode, where a test of a handful of photos would say nothing.
    """
    always = (
        _at_most("parity", measured.parity_difference, rules.max_parity_difference),
        _at_most("latency_ms", measured.latency_ms, rules.max_latency_ms),
    )
    applicable = measured.mode == "trained"
    results = (*always, *_quality(measured, rules)) if applicable else always
    failed = [result for result in results if not result.passed]
    if failed:
        reason = "; ".join(result.detail for result in failed)
    elif applicable:
        reason = f"all {len(results)} rules passed"
    else:
        reason = "too few photos to judge quality (bootstrap); parity and latency passed"
    return GateDecision(not failed, applicable, results, reason)


def _quality(measured: GateInput, rules: GateRules) -> Sequence[RuleResult]:
    results = [
        _at_least("accuracy", measured.test.accuracy, rules.min_accuracy),
        _at_least("precision", measured.test.precision, rules.min_precision),
        _at_least("recall", measured.test.recall, rules.min_recall),
    ]
    paired = measured.against_champion
    if paired is not None and paired.photos:
        results.append(
            _at_least(
                "not_worse_than_champion_points",
                paired.difference_points,
                -rules.non_inferiority_points,
            )
        )
        results.append(_at_least("p_worse_than_champion", paired.p_worse, _SIGNIFICANCE))
    recent = measured.recent_against_champion
    if recent is not None and recent.photos >= rules.min_recent_photos:
        better = recent.difference_points > 0.0
        results.append(
            RuleResult(
                "better_on_recent_points",
                better,
                recent.difference_points,
                0.0,
                f"better_on_recent_points: {recent.difference_points:+.2f} on "
                f"{recent.photos} recent photos, must be above 0",
            )
        )
    return results


def _at_least(name: str, value: float, limit: float) -> RuleResult:
    passed = value >= limit
    return RuleResult(
        name, passed, value, limit, f"{name}: {value:.4f}, must be at least {limit:.4f}"
    )


def _at_most(name: str, value: float, limit: float) -> RuleResult:
    passed = value <= limit
    return RuleResult(
        name, passed, value, limit, f"{name}: {value:.4f}, must be at most {limit:.4f}"
    )
