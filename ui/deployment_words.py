"""What the Models page says about deployments."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Final

from areyouacat.serving_pointer import Strategy
from areyouacat.settings import AB_TEST, CANARY
from areyouacat.traffic import Verdict
from ui.answers import Serving
from ui.deployments import RUNNING, SUCCEEDED, Deployment, Trial, VariantResults

NONE: Final = "–"  # noqa: RUF001 - an en dash, as tables have it for "nothing"
STRATEGIES: Final = {
    Strategy.CANARY.value: "canary",
    Strategy.AB_TEST.value: "A/B test",
    Strategy.ALL_AT_ONCE.value: "all at once",
    "roll_back": "rollback",
}
_STATUSES: Final = {
    RUNNING: "is under way",
    SUCCEEDED: "ended",
    "ABORTED": "was stopped by hand",
    "TIMED_OUT": "took too long and was ended",
}
_MOST_ODDS: Final = 1_000.0


def plain(text: str) -> str:
    """Text that people or programs wrote, as it stands: nothing in it is Markdown."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~$:-])", r"\\\1", " ".join(text.split()))


def duration(seconds: float) -> str:
    """A time of >= 0 seconds in the two units that matter, such as "2 min 5 s"."""
    whole = max(0, round(seconds))
    units = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    for place, (size, unit) in enumerate(units):
        if whole >= size or size == 1:
            first, rest = divmod(whole, size)
            if place + 1 == len(units) or rest < units[place + 1][0]:
                return f"{first} {unit}"
            smaller, name = units[place + 1]
            return f"{first} {unit} {rest // smaller} {name}"
    raise AssertionError("the loop ends with seconds")


def odds(value: float) -> str:
    """Odds such as "3 to 1", rounded down: those that are asked for are never shown too early."""
    if value > _MOST_ODDS:
        return f"more than {_MOST_ODDS:,.0f} to 1"
    rounded = math.floor(value) if value >= 10 else math.floor(value * 10) / 10
    return f"{rounded:g} to 1"


def right_of(right: int, of: int) -> str:
    """A share with its counts, such as "9 of 10 (90 %)"; never rounded up to all."""
    return f"{right} of {of} ({math.floor(100 * right / of)} %)" if of else NONE


def results(one: VariantResults) -> tuple[str, ...]:
    """The cells of `RESULT_ROWS` for one variant."""
    latency = one.latency_p95_ms
    return (
        f"{one.requests:,}",
        f"{one.failures:,}",
        NONE if latency is None else f"{latency:.0f} ms",
        right_of(one.feedback_right, one.feedback),
        right_of(one.golden_right, one.golden),
    )


RESULT_ROWS: Final = (
    "Requests in the last hour",
    "Failures in the last hour",
    "95 of 100 answered within",
    "Right, people say",
    "Golden photos right",
)


def so_far(trial: Trial) -> str | None:
    """What an A/B test's feedback says so far; `None` for other deployments."""
    if trial.strategy != Strategy.AB_TEST or trial.check is None:
        return None
    better = f"Odds {odds(trial.check.better)} that version {trial.version} is better"
    return f"{better}; {AB_TEST.odds:.0f} are asked."


def what_next(trial: Trial) -> str:
    """What happens to a challenger now, in a sentence or two."""
    version = f"Version {trial.version}"
    verdict = trial.check.verdict if trial.check else Verdict.WAIT
    if verdict == Verdict.PROMOTE:
        return f"{version} has earned it: it takes all the traffic now."
    if verdict == Verdict.ROLL_BACK:
        return f"{version} is taken out of the traffic now."
    if trial.strategy == Strategy.AB_TEST:
        return (
            f"{version} takes all the traffic once the odds that it is better reach "
            f"{AB_TEST.odds:.0f} to 1. If they do not before the test ends, or if it does harm "
            f"(for one: odds of {CANARY.feedback_odds:.0f} to 1 that it is worse), it is taken out."
        )
    return (
        f"{version} takes all the traffic when the time is up, unless it does harm before: then "
        "it is taken out at once."
    )


def ending(one: Deployment) -> str:
    """How a deployment ended, in a few words."""
    if one.is_rollback:
        what = "Going back" + (f" from version {one.asked_version}" if one.asked_version else "")
    else:
        what = f"Deploying {f'version {one.asked_version}' if one.asked_version else 'a version'}"
    if one.status != SUCCEEDED or one.outcome is None:
        return f"{what} {_STATUSES.get(one.status, 'failed')}"
    moved = f"Version {one.moved_version or one.asked_version or '?'}"
    serves = f"version {one.version} serves" if one.version else "nothing serves"
    outcomes = {
        "promoted": f"{moved} took all the traffic",
        "rolled_back": f"{moved} was taken out; {serves}",
        "unchanged": f"{moved} did not serve any more; {serves}"
        if one.is_rollback
        else f"{moved} served already",
        "not_deployed": f"{moved} was left for later",
    }
    return outcomes.get(one.outcome, f"{what} ended")


def way_back(serving: Serving) -> str | None:
    """What rolling back does now, as a button says it; `None` if there is no way back."""
    if serving.challenger:
        return f"Take version {serving.challenger.version} out of the traffic"
    if serving.previous_version:
        return f"Go back to version {serving.previous_version}"
    return None


def consequence(serving: Serving) -> str:
    """What a rollback brings, before it is confirmed."""
    then = serving.champion.version if serving.challenger else serving.previous_version
    return f"Version {then} then answers everybody, within a minute."


def moment(at: datetime) -> str:
    """A moment such as "23 Nov 2026, 11:55"; `at` is in the reader's time zone."""
    return f"{at:%d %b %Y, %H:%M}".removeprefix("0")
