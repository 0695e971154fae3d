"""An hour's requests at a steady pace, and what the processes that serve them hold meanwhile."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import psutil

from benchmarks.figures import BenchmarkError, Figure
from benchmarks.http_load import Request
from benchmarks.load_steps import answered, in_words, statuses
from benchmarks.local_api import LocalApi
from benchmarks.memory_growth import Growth, Memory, Sample, growth, sampled
from benchmarks.open_loop import Sent, arrivals, drive

REQUESTS: Final = 3_600  # an hour at one a second
MAX_GROWTH: Final = 0.5  # MB per 1,000 requests


@dataclass(frozen=True, slots=True)
class Soak:
    """What was sent, and the memory at the time: of the serving processes and of the gateway."""

    rate: float
    seconds: float
    sent: Sequence[Sent]
    serving: Sequence[Sample]
    gateway: Sequence[Sample]
    processes: int
    joined: int

    def figures(self) -> list[Figure]:
        """The slopes, and what an hour would make of them."""
        try:
            serving, gateway = growth(self.serving), growth(self.gateway)
        except ValueError as error:
            raise BenchmarkError(f"the soak was too short: {error}") from error
        how = f"{self.rate:.3g} a second for {self.seconds:.0f} s; {REQUESTS:,}: an hour at 1/s"
        return [
            Figure.told("soak: requests", len(self.sent), "", how),
            Figure.at_most(
                "soak: requests without a 200", len(self.sent) - len(answered(self.sent)), "", 0,
                in_words(statuses(self.sent)),
            ),
            Figure.at_most(
                "soak: growth of the serving processes", serving.per_thousand, "MB/1,000",
                MAX_GROWTH, f"{serving.line()}; {self.processes} processes together, "
                f"{self.serving[-1].megabytes:.0f} MB in the end"
                + (f", {self.joined} more began meanwhile" if self.joined else "")
                + f"; {self._hour(serving)}",
            ),
            Figure.told(
                "soak: growth of the gateway", gateway.per_thousand, "MB/1,000",
                f"{gateway.line()}; the emulator's own: it holds tables, logs and metrics in "
                f"memory; {self.gateway[-1].megabytes:.0f} MB in the end; {self._hour(gateway)}",
            ),
        ]  # fmt: skip

    def _hour(self, found: Growth) -> str:
        return f"an hour at this rate: {found.per_thousand * 3.6 * self.rate:+.1f} MB"


def soak(
    api: LocalApi, photos: Iterator[bytes], rate: float, max_seconds: float, seed: int
) -> Soak:
    """As many requests as an hour has at one a second, or what fits into `max_seconds`."""
    seconds = min(REQUESTS / rate, max_seconds)
    due = arrivals(rate, seconds, seed)
    workers = api.workers()
    serving, gateway = Memory(workers), Memory([psutil.Process(api.cloud.gateway_pid)])
    seen: tuple[list[Sample], list[Sample]] = ([], [])
    latest = 0

    def requests() -> Iterator[Request]:
        nonlocal latest
        for number, photo in enumerate(photos):
            latest = number
            yield api.predict(photo)

    def look() -> None:
        for memory, samples in zip((serving, gateway), seen, strict=True):
            samples.append(Sample(latest, memory.megabytes()))

    with sampled(look):
        sent = drive(api.connect, requests(), due)
    joined = len({one.pid for one in api.workers()} - {one.pid for one in workers})
    return Soak(rate, seconds, sent, *seen, len(workers), joined)
