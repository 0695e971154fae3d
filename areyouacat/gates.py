"""The quality gate: may this candidate be registered? Pure arithmetic on measured values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from areyouacat.model_spec import Mode
from areyouacat.settings import GATE, LABELS, GateRules

_SIGNIFICANCE = 0.05
_Z = 1.959964  # the standard normal's 97.5th percentile


@dataclass(frozen=True, slots=True)
class Measured:
    """Quality of one model on some photos; all in [0, 1].

    `photos`: how many; `positives`: how many of them carry the positive label.
    """

    photos: int
    positives: int
    accuracy: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class Paired:
    """Candidate and champion on the same photos: how many only one or neither has right."""

    photos: int
    only_champion_right: int
    only_candidate_right: int
    both_wrong: int = 0

    @property
    def difference_points(self) -> float:
        """Candidate's accuracy minus the champion's, in percentage points."""
        if self.photos == 0:
            return 0.0
        return 100.0 * (self.only_candidate_right - self.only_champion_right) / self.photos

    @property
    def difference_interval_points(self) -> tuple[float, float]:
        """95 % confidence limits of the difference, in percentage points.

        Wald's interval of paired shares with half a photo added to each of the four outcomes,
        which keeps it honest for few photos and for no disagreement at all. D. G. Bonett and
        R. M. Price, Adjusted Wald Confidence Interval for a Difference of Binomial Proportions
        Based on Paired Data, 2012.
        """
        if self.photos == 0:
            return (-100.0, 100.0)
        better = (self.only_candidate_right + 1) / (self.photos + 2)
        worse = (self.only_champion_right + 1) / (self.photos + 2)
        middle = better - worse
        reach = _Z * math.sqrt((better + worse - middle**2) / (self.photos + 2))
        return (100.0 * max(-1.0, middle - reach), 100.0 * min(1.0, middle + reach))

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
    """One rule's outcome.

    `shortfall`: by how much the value misses the limit, in the rule's own unit; 0 if it does
    not. `detail` says all of it in words.
    """

    name: str
    passed: bool
    value: float
    limit: float
    shortfall: float
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
    test = measured.test
    labelled = _both_labels(test)
    if not labelled.passed:
        return [labelled]  # of nothing there is no accuracy to speak of
    results = [
        labelled,
        _at_least("accuracy", test.accuracy, rules.min_accuracy),
        _at_least("precision", test.precision, rules.min_precision),
        _at_least("recall", test.recall, rules.min_recall),
    ]
    paired = measured.against_champion
    if paired is not None and paired.photos:
        results.append(
            _at_least(
                "not_worse_than_champion_points",
                paired.difference_points,
                -rules.non_inferiority_points,
                _in_words(paired, "test"),
            )
        )
        results.append(
            _at_least(
                "p_worse_than_champion",
                paired.p_worse,
                _SIGNIFICANCE,
                "one-sided exact McNemar test of the same photos",
            )
        )
    recent = measured.recent_against_champion
    if recent is not None and recent.photos >= rules.min_recent_photos:
        results.append(_better_on_recent(recent))
    return results


def _both_labels(test: Measured) -> RuleResult:
    """The test split must hold both labels: without them the other rules would judge nothing."""
    fewest = min(test.positives, test.photos - test.positives)
    return RuleResult(
        "test_photos_of_each_label",
        fewest >= 1,
        float(fewest),
        1.0,
        float(max(0, 1 - fewest)),
        f"test_photos_of_each_label: {test.positives} {LABELS.positive} and "
        f"{test.photos - test.positives} {LABELS.negative} could be scored of the test split, at "
        "least 1 of each is needed to judge a candidate; seed more photos",
    )


def _better_on_recent(recent: Paired) -> RuleResult:
    """Better, or as good where the champion leaves nothing to better."""
    difference = recent.difference_points
    faultless = recent.only_candidate_right + recent.both_wrong == 0
    passed = difference > 0.0 or (faultless and difference == 0.0)
    shortfall = 0.0 if passed else 100.0 / recent.photos - difference  # one photo ahead is better
    return RuleResult(
        "better_on_recent_points",
        passed,
        difference,
        0.0,
        shortfall,
        f"better_on_recent_points: {difference:+.2f}, must be above 0"
        f"{'' if passed else f' ({shortfall:.2f} short)'}; {_in_words(recent, 'recent')}",
    )


def _in_words(paired: Paired, photos: str) -> str:
    low, high = paired.difference_interval_points
    return (
        f"of {paired.photos} {photos} photos only the candidate is right on "
        f"{paired.only_candidate_right}, only the champion on {paired.only_champion_right}, a "
        f"difference of {paired.difference_points:+.2f} points (95 %: {low:+.2f} to {high:+.2f})"
    )


def _at_least(name: str, value: float, limit: float, more: str = "") -> RuleResult:
    return _bounded(
        name, value, limit, missed_by=limit - value, words=("least", "short"), more=more
    )


def _at_most(name: str, value: float, limit: float) -> RuleResult:
    return _bounded(name, value, limit, missed_by=value - limit, words=("most", "over"))


def _bounded(
    name: str,
    value: float,
    limit: float,
    *,
    missed_by: float,
    words: tuple[str, str],
    more: str = "",
) -> RuleResult:
    passed = missed_by <= 0.0  # no number is not at most 0 either
    bound, side = words
    detail = f"{name}: {value:.4f}, must be at {bound} {limit:.4f}"
    if not passed:
        detail += f" ({missed_by:.4f} {side})"
    if more:
        detail += f"; {more}"
    return RuleResult(name, passed, value, limit, 0.0 if passed else missed_by, detail)
