"""Who may train, and when: the lease, the cooldown, the daily cap, and what has to wait.

One document, changed by pure functions alone; whoever stores it writes only over what was read.
Cooldown and cap keep alarms and schedule from training in circles: right after a training, whoever
asked for it, an alarm still tells of the model before. A person waits for nothing but a training
that runs, and does not count against the cap.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from areyouacat.lake import parse_utc, utc_text

MANUAL: Final = "manual"
"""Source of a start by a person; all others are automatic."""

_DAY: Final = timedelta(days=1)


class Admission(StrEnum):
    """What became of somebody who wants to train."""

    ACQUIRED = "acquired"
    ALREADY_RUNNING = "already_running"
    COOLING_DOWN = "cooling_down"
    CAPPED = "capped"


@dataclass(frozen=True, slots=True)
class RetrainRules:
    """Limits of automatic trainings. `daily_cap`: at most so many begin within 24 hours.

    `same_cause`: an alarm that comes so soon after a training has begun tells of what that training
    was begun for, and its data set holds all that the alarm has seen.
    """

    cooldown: timedelta
    daily_cap: int
    same_cause: timedelta


@dataclass(frozen=True, slots=True)
class Asker:
    """An execution of train that wants to begin. `alarm`: which one started it, if any."""

    execution_arn: str
    reason: str
    source: str
    alarm: str | None = None

    @property
    def is_automatic(self) -> bool:
        """Whether no person asked."""
        return self.source != MANUAL


@dataclass(frozen=True, slots=True)
class Pending:
    """An alarm whose training was turned away. `since`: when that happened first."""

    reason: str
    since: datetime
    because: Admission


@dataclass(frozen=True, slots=True)
class TrainingLedger:
    """The whole state. `holder`: the execution that trains.

    `begun`: automatic trainings of the last 24 hours, oldest first. `cooling_since`: the end of the
    last training, or its beginning while it has not ended. `pending`: by alarm name.
    """

    holder: str | None = None
    begun: tuple[datetime, ...] = ()
    cooling_since: datetime | None = None
    pending: Mapping[str, Pending] = field(default_factory=dict)

    def closed_until(self, rules: RetrainRules, now: datetime) -> tuple[Admission, datetime] | None:
        """Why and until when no automatic training may begin; None if one may."""
        if self.cooling_since is not None and now < self.cooling_since + rules.cooldown:
            return Admission.COOLING_DOWN, self.cooling_since + rules.cooldown
        lately = [at for at in self.begun if at > now - _DAY]
        if len(lately) >= rules.daily_cap:
            return Admission.CAPPED, lately[-rules.daily_cap] + _DAY
        return None

    def to_json(self) -> str:
        """The document."""
        return json.dumps(
            {
                "holder": self.holder,
                "begun": [utc_text(at) for at in self.begun],
                "cooling_since": utc_text(self.cooling_since) if self.cooling_since else None,
                "pending": {
                    alarm: {
                        "reason": one.reason,
                        "since": utc_text(one.since),
                        "because": one.because.value,
                    }
                    for alarm, one in sorted(self.pending.items())
                },
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> TrainingLedger:
        """Read the document.

        Raises:
            ValueError: it is none.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            cooling = values["cooling_since"]
            return cls(
                holder=values["holder"],
                begun=tuple(parse_utc(at) for at in values["begun"]),
                cooling_since=parse_utc(cooling) if cooling else None,
                pending={
                    alarm: Pending(
                        one["reason"], parse_utc(one["since"]), Admission(one["because"])
                    )
                    for alarm, one in values["pending"].items()
                },
            )
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a training ledger: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Admitted:
    """The answer to an `Asker`. `holder`: who trains now; `until`: when it is worth asking again.

    `answers`: the alarms that were waiting and that this training is for, too.
    """

    admission: Admission
    holder: str | None
    until: datetime | None = None
    answers: tuple[str, ...] = ()


def admit(
    ledger: TrainingLedger, asker: Asker, rules: RetrainRules, now: datetime, *, holder_runs: bool
) -> tuple[TrainingLedger, Admitted]:
    """The ledger after somebody asked to train, and what to tell him.

    `holder_runs`: whether the execution that holds the lease still runs; one that has ended holds
    nothing. Asking again changes nothing. An alarm that is turned away waits as pending, unless the
    training that runs is for it, too; who trains trains for all that wait.
    """
    if ledger.holder == asker.execution_arn:
        return ledger, Admitted(Admission.ACQUIRED, asker.execution_arn)
    if ledger.holder is not None and holder_runs:
        found = Admitted(Admission.ALREADY_RUNNING, ledger.holder)
        if ledger.cooling_since is not None and now < ledger.cooling_since + rules.same_cause:
            return ledger, found
        return _waiting(ledger, asker, found.admission, now), found
    if asker.is_automatic and (closed := ledger.closed_until(rules, now)):
        found = Admitted(closed[0], None, until=closed[1])
        return _waiting(ledger, asker, found.admission, now), found
    begun = tuple(at for at in ledger.begun if at > now - _DAY)
    if asker.is_automatic:
        begun = (*begun, now)
    taken = TrainingLedger(asker.execution_arn, begun, cooling_since=now)
    answers = tuple(sorted(ledger.pending))
    return taken, Admitted(Admission.ACQUIRED, asker.execution_arn, answers=answers)


def release(ledger: TrainingLedger, execution_arn: str, now: datetime) -> TrainingLedger:
    """The ledger after an execution has ended; unchanged if it did not hold the lease."""
    if ledger.holder != execution_arn:
        return ledger
    return replace(ledger, holder=None, cooling_since=now)


def forget(ledger: TrainingLedger, alarms: frozenset[str]) -> TrainingLedger:
    """The ledger without alarms that no longer stand."""
    kept = {alarm: one for alarm, one in ledger.pending.items() if alarm not in alarms}
    return ledger if len(kept) == len(ledger.pending) else replace(ledger, pending=kept)


def _waiting(
    ledger: TrainingLedger, asker: Asker, because: Admission, now: datetime
) -> TrainingLedger:
    if asker.alarm is None:
        return ledger
    before = ledger.pending.get(asker.alarm)
    since = before.since if before else now
    pending = Pending(asker.reason, since, because)
    if pending == before:
        return ledger
    return replace(ledger, pending={**ledger.pending, asker.alarm: pending})
