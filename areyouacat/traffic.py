"""Has a challenger earned the traffic? A decision on plain counts, with its reasons.

In a canary it need not be better, only not worse: it was found better on photos already. Clear harm
ends it at once; no harm until the bake's end, and the golden photos right, promotes it. In an A/B
test it has to be better, and people's feedback decides that by a sequential test.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from areyouacat.sequential import Evidence, evidence
from areyouacat.serving_pointer import Strategy
from areyouacat.settings import AB_TEST, CANARY, GOLDEN, AbTestRules, CanaryRules, GoldenRules

_EXACT_UP_TO: Final = 1_000  # the binomial coefficients of more fit no float


class Verdict(StrEnum):
    """What is to be done with a challenger."""

    WAIT = "wait"
    PROMOTE = "promote"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True)
class RoleEvidence:
    """What one role's requests showed since the traffic was shifted.

    `latencies_ms`: of the requests it answered. `failures`: requests that it failed and the
    champion answered for. `judged`: whether each answer that people judged was right, in the order
    of their feedback. `golden`, `golden_right`: photos that have to be known.
    """

    version: str
    latencies_ms: Sequence[float]
    failures: int
    judged: Sequence[bool]
    golden: int
    golden_right: int

    @property
    def requests(self) -> int:
        """How many callers it was given, whether it answered them or not."""
        return len(self.latencies_ms) + self.failures

    @property
    def latency_p95_ms(self) -> float | None:
        """Nearest rank; None without an answer."""
        if not self.latencies_ms:
            return None
        return sorted(self.latencies_ms)[math.ceil(0.95 * len(self.latencies_ms)) - 1]


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict and why, a sentence each. `test`: what the feedback says so far."""

    verdict: Verdict
    reasons: tuple[str, ...]
    test: Evidence


def decide(
    champion: RoleEvidence,
    challenger: RoleEvidence,
    strategy: Strategy,
    *,
    bake_is_over: bool,
    canary: CanaryRules = CANARY,
    ab_test: AbTestRules = AB_TEST,
    golden: GoldenRules = GOLDEN,
) -> Decision:
    """Whether the challenger is promoted, rolled back, or watched on."""
    test = evidence(champion.judged, challenger.judged)
    harm = tuple(
        reason
        for reason in (
            golden_harm(challenger.golden, challenger.golden_right, golden),
            _failing(challenger, canary),
            _slow(champion, challenger, canary),
            _wrong_by_feedback(champion, challenger, test, canary),
        )
        if reason
    )
    if harm:
        return Decision(Verdict.ROLL_BACK, harm, test)
    told = _told(champion, challenger, test)
    if strategy is Strategy.AB_TEST:
        return _compared(champion, challenger, test, told, ab_test, bake_is_over=bake_is_over)
    if not bake_is_over:
        return Decision(Verdict.WAIT, told, test)
    return Decision(Verdict.PROMOTE, ("no harm was seen until the bake ended", *told), test)


def golden_harm(photos: int, right: int, rules: GoldenRules = GOLDEN) -> str | None:
    """Why a challenger must not meet callers, by the photos it has to know; None if it may."""
    wrong = photos - right
    if wrong <= rules.max_wrong_share * photos:
        return None
    return (
        f"wrong on {wrong} of {photos} golden photos, which the champion knows without a doubt; "
        f"at most {rules.max_wrong_share:.0%} may be"
    )


def at_least(number: int, of: int, share: float) -> float:
    """The chance that of `of` events with the chance `share` each, `number` or more happen.

    Exact for up to a thousand events, by the normal distribution beyond.
    """
    if of > _EXACT_UP_TO:
        deviation = math.sqrt(of * share * (1.0 - share))
        return 0.5 * math.erfc((number - 0.5 - of * share) / deviation / math.sqrt(2.0))
    return math.fsum(
        math.comb(of, k) * share**k * (1.0 - share) ** (of - k) for k in range(number, of + 1)
    )


def _failing(challenger: RoleEvidence, rules: CanaryRules) -> str | None:
    chance = at_least(challenger.failures, challenger.requests, rules.max_failure_share)
    if challenger.failures == 0 or chance >= rules.significance:
        return None
    return (
        f"failed {challenger.failures} of {challenger.requests} requests (the champion answered "
        f"them); at most {rules.max_failure_share:.0%} may fail"
    )


def _slow(champion: RoleEvidence, challenger: RoleEvidence, rules: CanaryRules) -> str | None:
    """A p95 above the limit, told from the share of answers above it, which has no luck in it."""
    usual = champion.latency_p95_ms
    if usual is None or len(champion.latencies_ms) < rules.min_champion_requests:
        return None
    limit = max(rules.slower_factor * usual, usual + rules.slower_ms)
    slow = sum(latency > limit for latency in challenger.latencies_ms)
    answered = len(challenger.latencies_ms)
    if slow == 0 or at_least(slow, answered, 0.05) >= rules.significance:
        return None
    return (
        f"{slow} of {answered} answers took longer than {limit:.0f} ms, where the champion's p95 "
        f"is {usual:.0f} ms: the challenger's p95 is {challenger.latency_p95_ms:.0f} ms"
    )


def _wrong_by_feedback(
    champion: RoleEvidence, challenger: RoleEvidence, test: Evidence, rules: CanaryRules
) -> str | None:
    if test.worse < rules.feedback_odds:
        return None
    return (
        f"people called {_share(challenger)} of its answers right and {_share(champion)} of the "
        f"champion's: odds of {test.worse:.0f} to 1 that it is worse"
    )


def _compared(
    champion: RoleEvidence,
    challenger: RoleEvidence,
    test: Evidence,
    told: tuple[str, ...],
    rules: AbTestRules,
    *,
    bake_is_over: bool,
) -> Decision:
    if test.better >= rules.odds:
        better = (
            f"people called {_share(challenger)} of its answers right and {_share(champion)} of "
            f"the champion's: odds of {test.better:.0f} to 1 that it is better"
        )
        return Decision(Verdict.PROMOTE, (better, *told), test)
    if bake_is_over:
        same = f"not shown to be better: odds of {test.better:.1f} to 1, {rules.odds:.0f} are asked"
        return Decision(Verdict.ROLL_BACK, (same, *told), test)
    return Decision(Verdict.WAIT, told, test)


def _told(champion: RoleEvidence, challenger: RoleEvidence, test: Evidence) -> tuple[str, ...]:
    golden = (
        f"{challenger.golden_right} of {challenger.golden} golden photos right"
        if challenger.golden
        else "there were no golden photos to try"
    )
    if test.pairs:
        feedback = (
            f"feedback called {_share(challenger)} of its answers right, {_share(champion)} of the "
            "champion's: no evidence of harm"
        )
    else:
        feedback = "no feedback on both variants to compare"
    return (
        f"{challenger.requests} requests, {challenger.failures} failed",
        golden,
        feedback,
    )


def _share(role: RoleEvidence) -> str:
    return f"{sum(role.judged)} of {len(role.judged)}"
