"""Light load, too much, light load again, without a pause: what each of them gets."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from benchmarks.figures import Figure
from benchmarks.http_load import Reply
from benchmarks.load_steps import WINDOW_SECONDS, Step, in_words, recovery_seconds, statuses
from benchmarks.open_loop import Sent, arrivals

RECOVERED: Final = 2.0  # times the p95 of before the overload
MAX_RECOVERY_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is offered: `light` and `heavy` in requests a second, the rest in seconds."""

    light: float
    heavy: float
    before: float
    during: float
    after: float

    @property
    def end(self) -> float:
        """When the overload is over."""
        return self.before + self.during

    def due(self, seed: int) -> list[float]:
        """When each request is to be sent."""
        return [
            *arrivals(self.light, self.before, seed),
            *arrivals(self.heavy, self.during, seed + 1, self.before),
            *arrivals(self.light, self.after, seed + 2, self.end),
        ]


@dataclass(frozen=True, slots=True)
class Overload:
    """A plan, and what became of it."""

    plan: Plan
    sent: Sequence[Sent]

    @property
    def before(self) -> Step:
        """Those who came before it was too much."""
        early = [one for one in self.sent if one.due < self.plan.before]
        return Step(self.plan.light, self.plan.before, early)

    @property
    def during(self) -> Step:
        """Those who came while it was too much."""
        found = [one for one in self.sent if self.plan.before <= one.due < self.plan.end]
        since = [
            Sent(
                one.due - self.plan.before,
                one.left - self.plan.before,
                one.answered - self.plan.before,
                one.reply,
                one.request,
            )
            for one in found
        ]
        return Step(self.plan.heavy, self.plan.during, since)

    def figures(self, name: str) -> list[Figure]:
        """What those within got, and how long those after it still suffered from it."""
        during = self.during
        return [
            Figure.told(f"{name}: answered with 200", during.achieved, "1/s", during.line()),
            self._recovery(f"{name}: recovered after"),
        ]

    def _recovery(self, name: str) -> Figure:
        plan, usual = self.plan, self.before.latency_ms(0.95)
        found = recovery_seconds(self.sent, plan.end, RECOVERED * usual / 1000)
        note = (
            f"until p95 over {WINDOW_SECONDS:g} s is at most {RECOVERED:g} times what it was "
            f"before, {usual:.0f} ms; {plan.heavy:.3g} a second came for {plan.during:g} s, "
            f"then {plan.light:.3g}"
        )
        if found is None:
            limit = f"≤ {MAX_RECOVERY_SECONDS:g}"
            return Figure(name, plan.after, "s", limit, met=False, note=f"not even then; {note}")
        return Figure.at_most(name, found, "s", MAX_RECOVERY_SECONDS, note)


def refusals(found: Overload, rate: float, burst: int) -> list[Figure]:
    """What a usage plan of this rate and burst has refused, and in which shape."""
    during = found.during
    refused = [one.reply for one in during.sent if one.reply.status == HTTPStatus.TOO_MANY_REQUESTS]
    expected = 1 - (rate * found.plan.during + burst) / len(during.sent)
    return [
        Figure.at_least(
            "throttled: share of 429",
            100 * len(refused) / len(during.sent),
            "%",
            1,
            f"{100 * expected:.0f} % by the plan's {rate:g} a second and {burst} at once; "
            f"{found.plan.heavy:.3g} a second were offered",
        ),
        Figure.at_most("throttled: 429 in another shape than ours", misshapen(refused), "", 0),
    ]


def misshapen(replies: Iterable[Reply]) -> int:
    """How many are not `{"error": {"code", "message"}}`."""
    return sum(not _is_ours(reply.body) for reply in replies)


def _is_ours(body: bytes) -> bool:
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return (
        isinstance(said, dict)
        and said.keys() == {"error"}
        and isinstance(said["error"], dict)
        and said["error"].keys() == {"code", "message"}
    )


def server_errors(where: str, sent: Sequence[Sent], limit: int | None, why: str = "") -> Figure:
    """Answers from 500 on, and requests without any answer; the first in words, and `why`."""
    failed = [one.reply for one in sent if one.request is not None]
    name = f"answers from 500 on, or none, {where}"
    note = in_words(statuses(sent))
    if failed:
        note += f"; the first: {failed[0].status} {failed[0].body[:120]!r}"
        note += f"; {why}" if why else ""
    if limit is None:
        return Figure.told(name, len(failed), "", note)
    return Figure.at_most(name, len(failed), "", limit, note)
