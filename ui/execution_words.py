"""What the Training page says of executions and their steps."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from areyouacat.execution_history import Ending
from ui import deployment_words as say
from ui.executions import SUCCEEDED, Execution, Gate, Rule
from ui.steps import State, Step

MARKS: Final = MappingProxyType(
    {
        State.WAITING: ":material/radio_button_unchecked:",
        State.RUNNING: ":blue[:material/play_circle:]",
        State.DONE: ":green[:material/check_circle:]",
        State.HANDLED: ":orange[:material/error:]",
        State.FAILED: ":red[:material/cancel:]",
        State.STOPPED: ":material/stop_circle:",
    }
)
_ENDINGS: Final = MappingProxyType(
    {
        Ending.SUCCEEDED: ("Succeeded", ":green[:material/check_circle:]"),
        Ending.REJECTED: ("Not better, kept out", ":material/block:"),
        Ending.ROLLED_BACK: ("Taken back after its canary", ":material/undo:"),
        Ending.NOT_DEPLOYED: ("Registered, not deployed", ":material/pause_circle:"),
        Ending.ALREADY_RUNNING: ("Another training was running", ":material/low_priority:"),
        Ending.TOO_SOON: ("Too soon after the last one", ":material/schedule:"),
        Ending.FAILED: ("Failed", ":red[:material/cancel:]"),
    }
)
_STATUSES: Final = MappingProxyType(
    {"ABORTED": "Stopped by hand", "TIMED_OUT": "Took too long and was ended"}
)
_SOURCES: Final = MappingProxyType(
    {"manual": "a person", "schedule": "the schedule", "alarm": "an alarm", "train": "a training"}
)


def headline(one: Execution) -> tuple[str, str]:
    """How an execution stands, in a few words, and an icon for it."""
    if one.is_running:
        return "Running", ":blue[:material/play_circle:]"
    if one.status == SUCCEEDED and one.ending:
        return _ENDINGS[one.ending]
    icon = ":material/stop_circle:" if one.status == "ABORTED" else ":red[:material/cancel:]"
    return _STATUSES.get(one.status, "Failed"), icon


def started_by(one: Execution) -> str:
    """Who or what wanted it."""
    return _SOURCES.get(one.source or "", one.source or "nobody knows")


def verdict(gate: Gate) -> str:
    """The gate's word on the candidate."""
    if not gate.applicable:
        return f"The gate does not apply: {gate.reason}"
    return f"{'Passed' if gate.passed else 'Not passed'}: {gate.reason}"


def rule_line(rule: Rule) -> str:
    """A rule of the gate in one line of Markdown."""
    mark = MARKS[State.DONE] if rule.passed else MARKS[State.FAILED]
    name = say.plain(rule.name.replace("_", " "))
    return f"{mark} **{name}** {'passed' if rule.passed else 'missed'}: {say.plain(rule.detail)}"


def step_line(step: Step, now: datetime) -> str:
    """A step in one line of Markdown."""
    took = step.seconds + ((now - step.since).total_seconds() if step.since else 0.0)
    parts = [step.state.value, say.duration(took)] if took >= 1 else [step.state.value]
    if step.visits > 1:
        parts.append(f"{step.visits} times")
    if step.failures:
        attempts = "attempt" if step.failures == 1 else "attempts"
        parts.append(f"{step.failures} failed {attempts}")
    return f"{MARKS[step.state]} **{say.plain(step.name)}** {say.plain(', '.join(parts))}"


def trouble(step: Step) -> str | None:
    """What went wrong last in a step, as plain text."""
    return f"{step.error}: {step.cause}" if step.error else None


def since(at: datetime) -> str:
    """How long ago something was."""
    return f"{say.duration((datetime.now(UTC) - at).total_seconds())} ago"
