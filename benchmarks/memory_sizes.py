"""What memory the function `predict` should have: its share of a vCPU, its latency and its price.

Lambda gives processor time in proportion to memory, one vCPU at 1,769 MB, and charges for memory
times time. Source: "Configure Lambda function memory", Lambda developer guide.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from areyouacat.costs import PRICES, Prices, prediction_costs
from benchmarks.figures import BenchmarkError, Context, Figure
from benchmarks.first_request import LATER, MEMORY_LARGEST
from infra_cdk.settings import FUNCTIONS

NAME = "memory_sizes"
DESCRIPTION = "the predict function at several sizes of memory: vCPU, latency and price, reckoned"
SIZES_MB: Final = (512, 885, 1769, 2654, 3538)
ONE_VCPU_MB: Final = 1769
WAIT_MS: Final = 20.0
"""Of a prediction's writes to S3 and DynamoDB, which run beside each other, past the network's own
work. Assumed: nobody has measured it on AWS. Waiting costs the same at any share of a vCPU."""


@dataclass(frozen=True, slots=True)
class Size:
    """One choice. `vcpu`: what Lambda gives. `dollars`: of 1,000 predictions, list prices."""

    memory_mb: int
    vcpu: float
    latency_ms: float
    dollars: float


def sizes(
    cpu_ms: float,
    peak_mb: float,
    *,
    choices_mb: Sequence[int] = SIZES_MB,
    wait_ms: float = WAIT_MS,
    prices: Prices = PRICES,
) -> list[Size]:
    """The choices in which the process fits, smallest first.

    `cpu_ms`: processor time of one request, which one thread has nearly all of: more than a whole
    vCPU hastens nothing. `peak_mb`: the most that the process held.
    """
    found = []
    for memory in sorted(choices_mb):
        if memory < peak_mb:
            continue
        vcpu = memory / ONE_VCPU_MB
        latency = cpu_ms / min(1.0, vcpu) + wait_ms
        dollars = prediction_costs(1000, 1000, 1000 * latency, memory, prices)
        found.append(Size(memory, vcpu, latency, dollars or 0.0))
    return found


def run(context: Context) -> list[Figure]:
    """Reckons from what `api` has measured. Raises BenchmarkError if it has not."""
    cpu_ms = context.earlier_value("api", LATER)
    peak_mb = context.earlier_value("api", MEMORY_LARGEST)
    if cpu_ms is None or peak_mb is None:
        raise BenchmarkError("measure the function first: make bench ONLY=api")
    return [
        Figure.told(
            f"{size.memory_mb:,} MB",
            size.latency_ms,
            "ms",
            f"{size.vcpu:.2f} vCPU, ${1000 * size.dollars:.2f} a million"
            + (", as deployed" if size.memory_mb == FUNCTIONS["predict"].memory_mb else ""),
        )
        for size in sizes(cpu_ms, peak_mb)
    ]
