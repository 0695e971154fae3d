"""What an open-loop load shows: steps, the knee among them, and the way back from an overload."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from benchmarks.http_load import percentile
from benchmarks.open_loop import Sent

MIN_ACHIEVED: Final = 0.95  # of what is offered
MAX_P95_SECONDS: Final = 1.0  # people notice more; past the knee it is many times that
MAX_LAG_SECONDS: Final = 0.05  # p99 of how late the driver may be
WINDOW_SECONDS: Final = 3.0  # whose p95 says whether it has recovered
_EVERY_SECONDS: Final = 0.25
_FAILING_IN_A_ROW: Final = 2


@dataclass(frozen=True, slots=True)
class Step:
    """So many seconds of one offered load, in requests a second, and what became of it."""

    offered: float
    seconds: float
    sent: Sequence[Sent]

    @property
    def achieved(self) -> float:
        """Answers with 200 a second, until the last answer was there."""
        last = max((one.answered for one in self.sent), default=0.0)
        return len(answered(self.sent)) / max(self.seconds, last)

    def latency_ms(self, share: float) -> float:
        """The percentile of what callers waited for a 200; infinite where nobody got one."""
        seconds = [one.latency for one in answered(self.sent)]
        return 1000 * percentile(seconds, share) if seconds else float("inf")

    @property
    def lag_ms(self) -> float:
        """The 99th percentile of how late the driver was."""
        return 1000 * percentile([one.lag for one in self.sent], 0.99)

    @property
    def honest(self) -> bool:
        """Whether the driver kept to its times, so that the step is what it says."""
        return self.lag_ms <= 1000 * MAX_LAG_SECONDS

    @property
    def holds(self) -> bool:
        """Whether the server keeps up with what is offered, and answers in time."""
        return (
            self.honest
            and self.achieved >= MIN_ACHIEVED * self.offered
            and self.latency_ms(0.95) <= 1000 * MAX_P95_SECONDS
        )

    def line(self) -> str:
        """The step in words."""
        p50, p95, p99 = (self.latency_ms(share) for share in (0.5, 0.95, 0.99))
        return (
            f"{self.offered:g}/s: {self.achieved:.1f}/s, p50 {p50:.0f} ms, p95 {p95:.0f} ms, "
            f"p99 {p99:.0f} ms, {in_words(statuses(self.sent))}, lag {self.lag_ms:.1f} ms"
            + ("" if self.honest else " (the driver lagged)")
        )


def climb(measure: Callable[[float], Step], offered: Iterable[float]) -> Iterator[Step]:
    """Steps of growing load, until two in a row do not hold: the knee is behind."""
    failing = 0
    for rate in offered:
        step = measure(rate)
        yield step
        failing = 0 if step.holds else failing + 1
        if failing == _FAILING_IN_A_ROW:
            return


def knee(steps: Iterable[Step]) -> Step | None:
    """The step of the highest offered load that holds, if any does."""
    return max((step for step in steps if step.holds), key=lambda step: step.offered, default=None)


def recovery_seconds(sent: Sequence[Sent], end: float, limit: float) -> float | None:
    """Seconds from `end`, when an overload ended, until callers are served as before.

    From then on, for `WINDOW_SECONDS`, all who ask get a 200, and the 95th percentile of what they
    wait is at most `limit` seconds. None if that does not happen.
    """
    after = [one for one in sent if one.due >= end]
    last = max((one.due for one in after), default=end)
    start = end
    while start + WINDOW_SECONDS <= last + _EVERY_SECONDS:
        window = [one for one in after if start <= one.due < start + WINDOW_SECONDS]
        good = [one.latency for one in answered(window)]
        if window and len(good) == len(window) and percentile(good, 0.95) <= limit:
            return start - end
        start += _EVERY_SECONDS
    return None


def answered(sent: Iterable[Sent]) -> list[Sent]:
    """Those that got a 200."""
    return [one for one in sent if one.reply.status == HTTPStatus.OK]


def statuses(sent: Iterable[Sent]) -> Counter[int]:
    """How often each status came; 0: no answer."""
    return Counter(one.reply.status for one in sent)


def in_words(counts: Counter[int]) -> str:
    """Such as `120 of 200, 3 of 429`."""
    return ", ".join(f"{many} of {status}" for status, many in sorted(counts.items()))
