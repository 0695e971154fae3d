"""A figure of several repetitions, and how far another run like it could be from it.

The spread is where 19 of 20 further runs would find the figure, were luck with the repetitions all
that differs: the value and, to both sides, as many standard errors as Student's t says, of its
logarithm where it cannot be negative. The error is a bootstrap's, of stretches of consecutive
repetitions (circular block bootstrap; Politis and Romano, 1992), since a busy moment of the machine
touches neighbours; it is taken times the root of two, because a further run has luck of its own.
What is measured in pairs is drawn in pairs. Of a share the limits are Wilson's, which say something
at 0 and at 1, too, widened likewise.

It knows nothing of what differs from run to run as a whole: `runs` looks at that.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from areyouacat.resampling import wilson
from benchmarks.figures import Repeated, Spread
from benchmarks.http_load import Load, percentile

MIN_REPETITIONS: Final = 6
"""With fewer, not even the range from the lowest to the highest holds a median 95 times of 100."""

_DRAWS: Final = 400
_SEED: Final = 20_261_130
_FURTHER_RUN: Final = math.sqrt(2)


def median(values: Sequence[float]) -> float:
    """The middle one (nearest rank, as all percentiles here)."""
    return percentile(values, 0.5)


def repeated(
    figure: Callable[..., float], *samples: Sequence[float], paired: bool = False
) -> Repeated:
    """`figure(*samples)` with its spread.

    `paired`: the samples are of one length, and what stands at one place was measured together.
    """
    value, fewest = figure(*samples), min(map(len, samples))
    if fewest < MIN_REPETITIONS:
        return Repeated(value, fewest, None)
    random = np.random.default_rng(_SEED)
    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples]
    found = []
    for _ in range(_DRAWS):
        places = [_places(random, len(array)) for array in (arrays[:1] if paired else arrays)]
        drawn = zip(arrays, places * len(arrays) if paired else places, strict=True)
        found.append(figure(*(array[at].tolist() for array, at in drawn)))
    return Repeated(value, fewest, _spread(value, found, _FURTHER_RUN * _errors(fewest)))


def repeated_median(values: Sequence[float]) -> Repeated:
    """Their median."""
    return repeated(median, values)


def repeated_ratio(
    above: Sequence[float], below: Sequence[float], *, paired: bool = True
) -> Repeated:
    """How many times the one's median is the other's."""
    return repeated(lambda one, other: median(one) / median(other), above, below, paired=paired)


def repeated_share(part: int, whole: int) -> Repeated:
    """Per cent of so many trials."""
    value, (low, high) = 100 * part / whole, wilson(part, whole)
    below, above = _FURTHER_RUN * (value - 100 * low), _FURTHER_RUN * (100 * high - value)
    return Repeated(value, whole, (max(0.0, value - below), min(100.0, value + above)))


def milliseconds(load: Load, share: float) -> Repeated:
    """A percentile, `share` of (0, 1], of what the requests of a load took."""
    taken = [1000 * reply.seconds for reply in load.replies]
    return repeated(lambda values: percentile(values, share), taken)


def per_second(load: Load) -> Repeated:
    """Answers a second.

    Each client sends its next request when it has its answer, so the rate goes as the inverse of
    what a request takes, and the spread of the one is that of the other.
    """
    taken = [reply.seconds for reply in load.replies]
    whole = load.per_second * float(np.mean(taken))
    return repeated(lambda values: whole / float(np.mean(values)), taken)


def rate_ratio(above: Load, below: Load) -> Repeated:
    """How many times the one's answers a second are the other's."""
    taken = [[reply.seconds for reply in load.replies] for load in (above, below)]
    mean = [float(np.mean(one)) for one in taken]
    whole = above.per_second * mean[0] / (below.per_second * mean[1])
    return repeated(lambda one, other: whole * float(np.mean(other)) / float(np.mean(one)), *taken)


def _spread(value: float, drawn: Sequence[float], errors: float) -> Spread:
    if min(value, *drawn) > 0:
        factor = math.exp(errors * float(np.std(np.log(drawn))))
        return (value / factor, value * factor)
    reach = errors * float(np.std(drawn))
    return (value - reach, value + reach)


def _places(random: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
    """Which repetitions a draw has: stretches, from the end round to the beginning."""
    length = round(math.sqrt(count))
    starts = random.integers(0, count, _stretches(count))
    return ((starts[:, np.newaxis] + np.arange(length)) % count).ravel()[:count]


def _stretches(count: int) -> int:
    """Each as long as the root of the number of repetitions."""
    return math.ceil(count / round(math.sqrt(count)))


def _errors(count: int) -> float:
    """How many standard errors: few stretches know little of how much they vary."""
    stretches = _stretches(count)
    # Many megabytes, which a process that is measured must not hold.
    from scipy.stats import t as student  # noqa: PLC0415

    quantile = float(student.ppf(0.975, stretches - 1))
    return quantile * math.sqrt(stretches / (stretches - 1))
