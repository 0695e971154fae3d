"""Where the time of one warm prediction goes: the handler in this process, under a profiler."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from pyinstrument import Profiler
from pyinstrument.renderers import ConsoleRenderer, HTMLRenderer
from pyinstrument.session import Session
from pyinstrument.stack_sampler import get_stack_sampler

from benchmarks.faked_writes import faked_writes, quiet
from benchmarks.figures import BenchmarkError, Context, Figure, number
from benchmarks.hot_path_stages import Stage, shares
from benchmarks.http_load import percentile
from benchmarks.invocation import event, invoke
from benchmarks.local_cloud import local_cloud
from benchmarks.sample_photos import SMALL, different, photo_like

NAME = "hot_path"
DESCRIPTION = "where the time of one warm prediction goes, stage by stage"
ROUNDS, QUICK_ROUNDS = 400, 40
WARM_UP: Final = 10
INTERVAL_SECONDS: Final = 0.0001
"""Between two looks of the profiler; a prediction has about a hundred of them."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Warm predictions: the median without the profiler and with it, and what it saw."""

    name: str
    plain_ms: float
    profiled_ms: float
    shares: Mapping[Stage, float]
    session: Session

    def figures(self) -> list[Figure]:
        """The median, and each stage's part of it, the largest first."""
        cost = f"the profiler makes it {self.profiled_ms / self.plain_ms:.2f} times as long"
        stages = sorted(self.shares.items(), key=lambda found: -found[1])
        return [
            Figure.told(f"{self.name}: a prediction", self.plain_ms, "ms", f"p50; {cost}"),
            *(
                Figure.told(f"{self.name}: {stage}", share * self.plain_ms, "ms", f"{share:.1%}")
                for stage, share in stages
            ),
        ]

    def lines(self) -> Iterator[str]:
        """The same as a Markdown table."""
        yield f"| {self.name} | ms | share |"
        yield "|---|---:|---:|"
        for figure in self.figures():
            yield f"| {figure.name.partition(': ')[2]} | {number(figure.value)} | {figure.note} |"
        yield ""


def run(context: Context) -> list[Figure]:
    """With writes that cost nothing, then with those of a local cloud."""
    rounds = QUICK_ROUNDS if context.quick else ROUNDS
    with local_cloud(context, NAME, starter=True) as cloud:
        pointer, files = cloud.pointer(), cloud.served()
        environment = cloud.function_environment()
        context.say(f"  {rounds} predictions with writes faked, {rounds} with local writes")
        found = (
            measured(
                "writes faked, processor", lambda: faked_writes(pointer, files), rounds,
                time.thread_time,
            ),
            measured(
                "local writes, wall", lambda: cloud.as_client(environment), rounds,
                time.perf_counter,
            ),
        )  # fmt: skip
    text = "\n".join(line for one in found for line in one.lines())
    as_text = ConsoleRenderer(unicode=True, show_all=True, time="percent_of_total")
    profiles = "\n".join(f"{one.name}\n{as_text.render(one.session)}" for one in found)
    (context.state / f"{NAME}.txt").write_text(f"{text}\n{profiles}", encoding="utf-8")
    html = HTMLRenderer().render(found[0].session)
    (context.state / f"{NAME}.html").write_text(html, encoding="utf-8")
    return [figure for one in found for figure in one.figures()]


def measured(
    name: str,
    world: Callable[[], AbstractContextManager[None]],
    rounds: int,
    clock: Callable[[], float],
) -> Measured:
    """Without and with the profiler in turn, so that both meet one machine.

    `clock`: what counts as time: the wall's, or this thread's of the processor, of which what else
    the machine does takes nothing.
    """
    photos = different(photo_like(SMALL))
    get_stack_sampler().timer_func = clock
    profiler = Profiler(interval=INTERVAL_SECONDS, async_mode="disabled")
    plain: list[float] = []
    profiled: list[float] = []
    with world(), quiet():
        for photo, _ in zip(photos, range(WARM_UP), strict=False):
            invoke(event(photo))
        for photo, _ in zip(photos, range(rounds), strict=False):
            plain.append(_milliseconds(clock, event(photo)))
            asked = event(next(photos))
            with profiler:
                profiled.append(_milliseconds(clock, asked))
    session = profiler.last_session
    root = session.root_frame() if session else None
    if session is None or root is None:
        raise BenchmarkError("the profiler has seen nothing")
    middle = percentile(plain, 0.5), percentile(profiled, 0.5)
    return Measured(name, *middle, shares(root), session)


def _milliseconds(clock: Callable[[], float], asked: Mapping[str, Any]) -> float:
    started = clock()
    invoke(asked)
    return 1000 * (clock() - started)
