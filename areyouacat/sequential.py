"""Which of two variants is right more often? A test that may be looked at after every answer.

An ordinary test that is looked at again and again promotes by luck sooner or later. This one bets
against "the second is not better", at odds that are fair if that is true: its `evidence` then ever
reaches 20 with a chance of at most 1/20, however often and whenever one looks (Ville's inequality).

The bet on one answer of each variant is the e-variable of R. J. Turner, A. Ly and P. D. Gruenwald,
Generic E-variables for exact sequential k-sample tests that allow for optional stopping, 2024. Of
several bets, one for each difference that would matter, the mean is taken; it is as fair as they.
"""

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# What the bets are on: the first variant's share of right answers, and the second's lead.
_SHARES: Final = (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.94, 0.97, 0.99)
_LEADS: Final = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 0.89)
_BETS: Final = tuple(
    (share, share + lead)
    for share, lead in itertools.product(_SHARES, _LEADS)
    if share + lead < 1.0
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the answers say so far. `pairs`: how many answers of each variant were used.

    `better`: the stake of who bets on "the second is right more often", which began at 1; `worse`:
    of who bets on "less often".
    """

    pairs: int
    better: float
    worse: float


NO_EVIDENCE: Final = Evidence(pairs=0, better=1.0, worse=1.0)


def evidence(first: Sequence[bool], second: Sequence[bool]) -> Evidence:
    """The evidence in two variants' answers, each right or wrong, in the order they came in.

    They are paired in that order; what one variant has more of waits for its pairs.
    """
    pairs = Counter(zip(first, second, strict=False))
    swapped = Counter({(theirs, ours): n for (ours, theirs), n in pairs.items()})
    return Evidence(pairs.total(), _stake(pairs), _stake(swapped))


def _stake(pairs: Counter[tuple[bool, bool]]) -> float:
    logarithms = [sum(n * _log_payout(pair, bet) for pair, n in pairs.items()) for bet in _BETS]
    largest = max(logarithms)
    mean = sum(math.exp(value - largest) for value in logarithms) / len(logarithms)
    return math.exp(min(largest + math.log(mean), 700.0))  # beyond, a float has no number


def _log_payout(pair: tuple[bool, bool], bet: tuple[float, float]) -> float:
    middle = sum(bet) / 2
    return sum(
        math.log(share / middle if right else (1 - share) / (1 - middle))
        for right, share in zip(pair, bet, strict=True)
    )
