"""CollectWindow over many predictions: time and memory, beside what the function is given.

Each measurement is the real `collect` in a process of its own:
`python -m benchmarks.monitor <source> <rows>` is one of them. From `records` it reads finished
records, which leaves the statistics alone; from `table` it reads DynamoDB's answers through boto3.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final

from benchmarks.exponents import power_law
from benchmarks.figures import Context, Figure
from benchmarks.process import Cost, Meter, run_alone

NAME: Final = "monitor"
DESCRIPTION: Final = "the monitor's look at up to 1,000,000 predictions: seconds, growth, memory"

RECORDS: Final = "records"
TABLE: Final = "table"
SIZES: Final = {RECORDS: (10_000, 100_000, 1_000_000), TABLE: (50_000, 1_000_000)}
QUICK_SIZES: Final = {RECORDS: (2_000, 20_000), TABLE: (2_000, 10_000)}
FUNCTION: Final = "collect-window"
VCPU_MB: Final = 1769  # Lambda gives a function of this memory one whole vCPU
QUERY_SECONDS: Final = 0.02  # one Query of 1 MB on AWS; 10 to 20 ms are usual
MAX_EXPONENT: Final = 1.15


@dataclass(frozen=True, slots=True)
class Measured(Cost):
    """One look at a window.

    What makes finished records is in it; what makes DynamoDB's answers is not in the processor's
    seconds. `queries`: sent, one after another.
    """

    rows: int
    queries: int

    @property
    def note(self) -> str:
        """What else there is to say."""
        each = f"{self.processor_seconds / self.rows * 1e6:.0f} µs each, {self.memory_mb:.0f} MB"
        return f"{each}, {self.queries:,} queries" if self.queries else each


@dataclass(frozen=True, slots=True)
class Size:
    """What a Lambda function has."""

    memory_mb: int
    timeout_seconds: int

    @property
    def share(self) -> float:
        """Of one vCPU. More than one would be of no use: Python computes on one."""
        return min(1.0, self.memory_mb / VCPU_MB)

    def seconds(self, measured: Measured) -> float:
        """How long the same would take there, on a vCPU as fast as a core here."""
        return measured.processor_seconds / self.share + measured.queries * QUERY_SECONDS


def run(context: Context) -> list[Figure]:
    """Statistics alone, then with boto3's part."""
    sizes = QUICK_SIZES if context.quick else SIZES
    measured: dict[str, list[Measured]] = {}
    for source, counts in sizes.items():
        measured[source] = []
        for rows in counts:
            context.say(f"  {rows:,} predictions as {source}")
            measured[source].append(measure(source, rows))
    return figures(measured[RECORDS], measured[TABLE], function_size())


def figures(records: Sequence[Measured], table: Sequence[Measured], size: Size) -> list[Figure]:
    """What was measured, and what it means for a function of that size."""
    largest = table[-1]
    waited = f"{largest.queries:,} queries of {QUERY_SECONDS * 1000:.0f} ms, one after another"
    given = f"{size.memory_mb:,} MB, so {size.share:.0%} of a vCPU"
    return [
        *_told("statistics", records),
        Figure.at_most(
            "statistics: growth of their time", _exponent(records), "", MAX_EXPONENT,
            "exponent fitted to processor seconds; 1 is linear",
        ),
        *_told("from DynamoDB's answers", table),
        Figure.at_most(
            f"{FUNCTION}: {largest.rows:,} predictions", size.seconds(largest), "s",
            size.timeout_seconds, f"reckoned: {given}; {waited}, which the network would take",
        ),
        Figure.at_most(
            f"{FUNCTION}: memory at {largest.rows:,}", largest.memory_mb, "MB", size.memory_mb,
            "peak of the whole process; those who send the answers are in it",
        ),
    ]  # fmt: skip


def _told(what: str, measured: Sequence[Measured]) -> Iterator[Figure]:
    for one in measured:
        yield Figure.told(f"{what}: {one.rows:,}", one.processor_seconds, "s of CPU", one.note)


def _exponent(measured: Sequence[Measured]) -> float:
    rows, seconds = zip(*((one.rows, one.processor_seconds) for one in measured), strict=True)
    return power_law(rows, seconds).exponent.value


def function_size() -> Size:
    """What the monitor's function is given."""
    # Imports the CDK, which starts Node: nothing that a measurement wants beside it.
    from infra_cdk.settings import FUNCTIONS  # noqa: PLC0415

    found = FUNCTIONS[FUNCTION]
    return Size(found.memory_mb, found.timeout_seconds)


def measure(source: str, rows: int) -> Measured:
    """One look at a window of so many predictions."""
    return Measured(**run_alone("benchmarks.monitor", source, str(rows)))


def main(source: str, rows: str) -> dict[str, Any]:
    """Collect one window, everything that the function imports beside it."""
    # The handler brings what the function has in memory beside its work.
    import lambdas.monitoring.handlers.collect_window  # noqa: F401, PLC0415
    from benchmarks import generated_predictions as made  # noqa: PLC0415
    from lambdas.monitoring.logic.collection import collect  # noqa: PLC0415
    from lambdas.shared.predictions_table import PredictionsTable  # noqa: PLC0415

    kinds = made.kinds()
    records = made.GeneratedRecords(int(rows), kinds)
    table = made.GeneratedTable(int(rows), kinds)
    predictions = PredictionsTable(table.client(), "any") if source == TABLE else records
    known = made.baseline(kinds)
    meter = Meter()
    found = collect(predictions, made.pointer(), known, made.HOURS, made.NOW)
    cost = meter.read()
    if (found.served.predictions, found.judged.labels) != (int(rows), made.labelled(int(rows))):
        raise RuntimeError(f"{found.served.predictions} predictions seen of {rows}")
    own = cost.processor_seconds - table.seconds
    measured = Measured(cost.seconds, own, cost.memory_mb, int(rows), table.queries)
    return asdict(measured)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*islice(sys.argv, 1, 3))))
