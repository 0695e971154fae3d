"""How much load `POST /predict` takes, what happens beyond that, and whether it stays in shape."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from benchmarks.api_load import lost_and_doubled, predictions
from benchmarks.figures import BenchmarkError, Context, Figure
from benchmarks.http_load import Reply, load
from benchmarks.load_chart import draw
from benchmarks.load_steps import (
    MAX_LAG_SECONDS,
    MAX_P95_SECONDS,
    MIN_ACHIEVED,
    Step,
    climb,
    knee,
)
from benchmarks.local_api import LocalApi
from benchmarks.local_cloud import local_cloud
from benchmarks.open_loop import Sent, arrivals, drive
from benchmarks.overload import Overload, Plan, refusals, server_errors
from benchmarks.sample_photos import SMALL, different, photo_like
from benchmarks.soak import soak
from infra_cdk.settings import API, FUNCTIONS

NAME = "load"
DESCRIPTION = "open-loop load to the knee, beyond it and back, throttled and not; then a soak"
OFFERED: Final = (1, 2, 5, 10, 15, 20, 25, 30, 35, 40, 50, 60, 80, 100, 150, 200, 300)
QUICK_OFFERED: Final = (2, 10, 40, 80, 160)
EXECUTIONS: Final = FUNCTIONS["predict"].reserved_concurrency or 20
# At once, before anything is measured. Step by step: all cold starts together would take longer
# than the function may.
WARM: Final = range(4, EXECUTIONS + 1, 4)
PLAN_SHARE: Final = 0.5  # of the knee: where the usage plan's limit goes if it is above that
BEYOND: Final = 2.0  # times the knee: the least that is an overload
CLIENTS_AGAIN: Final = 4
WHY_FAILURES: Final = (
    "the local cloud starts a process for each request at once and knows no reserved executions; "
    "most of what fails is a new process that does not get the serving pointer in time"
)


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long each part takes. `few`: so many requests a step has at least."""

    step: float
    few: int
    before: float
    during: float
    after: float
    soak: float


REAL: Final = Seconds(step=10, few=30, before=12, during=10, after=25, soak=240)
QUICK: Final = Seconds(step=4, few=8, before=5, during=4, after=12, soak=20)


class LoadTest:
    """One local cloud under load; it remembers what became of all that it has sent."""

    def __init__(self, context: Context, api: LocalApi) -> None:
        self._context = context
        self._api = api
        self._seed = 0
        self.seconds = QUICK if context.quick else REAL
        self.photos = different(photo_like(SMALL))
        self.sent: list[Sent] = []

    def step(self, rate: float) -> Step:
        """One offered load for a while."""
        seconds = max(self.seconds.step, self.seconds.few / rate)
        step = Step(rate, seconds, self._drive(arrivals(rate, seconds, self.seed())))
        self._context.say(f"    {step.line()}")
        return step

    def overload(self, light: float, heavy: float) -> Overload:
        """Too much after little, and little again."""
        times = self.seconds
        plan = Plan(light, heavy, times.before, times.during, times.after)
        found = Overload(plan, self._drive(plan.due(self.seed())))
        self._context.say(f"    {found.during.line()}")
        return found

    def seed(self) -> int:
        """Another one each time, and the same ones in each run."""
        self._seed += 10
        return self._seed

    def _drive(self, due: Sequence[float]) -> list[Sent]:
        found = drive(self._api.connect, map(self._api.predict, self.photos), due)
        self.sent += found
        return found


def run(context: Context) -> list[Figure]:
    """Climb to the knee, go beyond it with and without a throttle, soak, then count."""
    with local_cloud(context, NAME, starter=True) as cloud:
        api = LocalApi.of(cloud)
        api.raise_throttles()
        for clients in WARM:
            api.warm_up(photo_like(SMALL, seed=2), clients)
        stored, busy = predictions(cloud), os.getloadavg()[0]
        test = LoadTest(context, api)
        context.say("  the climb")
        steps = list(climb(test.step, QUICK_OFFERED if context.quick else OFFERED))
        top = knee(steps)
        if top is None:
            raise BenchmarkError("this machine is too busy: no step of the load holds")
        context.say(f"  half of the knee, which is at {top.offered:g} a second")
        half = test.step(top.offered / 2)
        context.say("  the soak")
        soaked = soak(api, test.photos, half.offered, test.seconds.soak, test.seed())
        context.say("  beyond it, without a throttle")
        heavy = max(BEYOND * top.offered, steps[-1].offered)
        crowded = test.overload(half.offered, heavy)
        rate, burst = min(API.rate_per_second, PLAN_SHARE * top.offered), API.burst_requests
        context.say(f"  beyond it, with a usage plan of {rate:g} a second, {burst} at once")
        api.throttle(rate, burst)
        throttled = test.overload(rate / 2, heavy)
        api.raise_throttles()
        sent = [*test.sent, *soaked.sent]
        context.say("  what failed is sent again, and all is counted")
        again = [one.request for one in sent if one.request is not None]
        replies = [*(one.reply for one in sent), *load(api.connect, again, CLIENTS_AGAIN).replies]
        told = prediction_ids(replies)
        lost, doubled = lost_and_doubled(told, predictions(cloud) - stored)
    served = [*_all(step for step in (*steps, half) if step.offered <= top.offered), *soaked.sent,
              *throttled.sent]  # fmt: skip
    beyond = [*_all(step for step in steps if step.offered > top.offered), *crowded.sent]
    draw(steps, throttled.during, top, context.state / f"{NAME}.png")
    return [
        *_of_the_climb(steps, top, half, busy),
        *crowded.figures("overload"),
        *throttled.figures("throttled"),
        *refusals(throttled, rate, burst),
        server_errors("up to the knee, in the soak and throttled", served, limit=0),
        server_errors("beyond the knee without a throttle", beyond, limit=None, why=WHY_FAILURES),
        Figure.at_most("predictions lost", lost, "", 0, f"of {len(told):,}"),
        Figure.at_most(
            "predictions doubled", doubled, "", 0,
            f"{len(again):,} that failed were sent again under their Idempotency-Key",
        ),
        *soaked.figures(),
    ]  # fmt: skip


def prediction_ids(replies: Iterable[Reply]) -> list[str]:
    """What the answers with 200 call their predictions."""
    return [
        json.loads(reply.body)["prediction_id"]
        for reply in replies
        if reply.status == HTTPStatus.OK
    ]


def _all(steps: Iterable[Step]) -> list[Sent]:
    return [one for step in steps for one in step.sent]


def _of_the_climb(steps: Sequence[Step], top: Step, half: Step, busy: float) -> list[Figure]:
    lagged = [step for step in steps if not step.honest]
    return [
        Figure.told(
            "knee", top.offered, "1/s",
            f"the highest offered load of which {100 * MIN_ACHIEVED:g} % is achieved with p95 at "
            f"most {1000 * MAX_P95_SECONDS:g} ms from the time that a request was due; load "
            f"average of the machine before: {busy:.1f} on {os.cpu_count()} processors",
        ),
        *(
            Figure.told(f"half the knee: p{percent}", half.latency_ms(percent / 100), "ms",
                        f"{half.offered:g} a second, {len(half.sent)} requests")
            for percent in (50, 95, 99)
        ),
        Figure.at_most(
            "driver's lag up to the knee, p99",
            max(step.lag_ms for step in (*steps, half) if step.offered <= top.offered),
            "ms", 1000 * MAX_LAG_SECONDS,
            "the worst step; the lag is part of every latency here"
            + (f"; it lagged at {', '.join(f'{one.offered:g}' for one in lagged)} a second"
               if lagged else ""),
        ),
    ]  # fmt: skip
