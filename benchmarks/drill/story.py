"""One drill: calm, change, alarm, retraining, canary, recovery."""

import itertools
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.drill.callers import Answer, Callers
from benchmarks.drill.changes import Change
from benchmarks.drill.events import Event, Execution, Watch
from benchmarks.drill.world import Labelled, World
from benchmarks.figures import BenchmarkError, Say
from benchmarks.http_load import poll
from benchmarks.local_cloud import LocalCloud

RECOVERED: Final = 0.8  # of the lost accuracy
SECONDS: Final = 600.0  # a drill's, after the first seeding
_BATCH: Final = 40  # photos that are one point of the chart
_IDLE_BATCH: Final = 20  # while a training runs, ...
_IDLE_SECONDS: Final = 4.0  # ... and how long they take, so that the training has a processor too
_CALM_LABELLED: Final = 0.25  # of the calm photos
_ALARM_SECONDS: Final = 60.0
_RETRAIN_SECONDS: Final = 900.0
_MONITOR_SECONDS: Final = 120.0
_PUBLISHED: Final = "StartPending"  # the state of monitor after which nothing starts any more
_MARGIN_HOURS: Final = 2 / 3600  # clocks, and what was asked for a moment before


@dataclass(frozen=True, slots=True)
class Point:
    """A batch of answers. `at`: seconds since the drill began; accuracy in [0, 1].

    `versions`: how many answers each model version gave.
    """

    at: float
    accuracy: float
    answers: int
    versions: dict[str, int]


@dataclass(slots=True)
class Story:
    """What happened. Times are seconds since the world changed, accuracies in [0, 1].

    `accuracy_before`: on photos as the first model knows them. `accuracy_during` and `_after`: on
    the same changed photos, which never got a label, by the first model and by the one that was
    promoted; None where none was. `executions_started`: of train, those that trained;
    `executions_turned_away`: those that others made needless. `points`, `events`: for the chart.
    """

    change: str
    visitors: bool
    accuracy_before: float = math.nan
    accuracy_during: float = math.nan
    accuracy_after: float | None = None
    seconds_to_alarm: float | None = None
    seconds_to_recovered: float | None = None
    seconds: float = math.nan
    executions_started: int = 0
    executions_turned_away: int = 0
    requests: int = 0
    failed_requests: int = 0
    labels: int = 0
    outcome: str = ""
    alarms: list[str] = field(default_factory=list)
    drifted: list[str] = field(default_factory=list)  # features, the farthest first
    failures: list[str] = field(default_factory=list)
    changed_at: float = math.nan  # seconds since the drill began
    points: list[Point] = field(default_factory=list)
    events: list[tuple[float, str]] = field(default_factory=list)

    @property
    def recovered(self) -> float | None:
        """The share of the lost accuracy that came back; None where none was lost or promoted."""
        lost = self.accuracy_before - self.accuracy_during
        if self.accuracy_after is None or lost <= 0:
            return None
        return (self.accuracy_after - self.accuracy_during) / lost


class Drill:
    """Runs one on a cloud that is up, with the first model trained."""

    def __init__(
        self, cloud: LocalCloud, callers: Callers, world: World, change: Change, say: Say
    ) -> None:
        """`world`: what is sent, already changed where it is to be."""
        self._cloud, self._callers, self._world, self._say = cloud, callers, world, say
        self._change = change
        self._workflows = cloud.client("stepfunctions")
        self._monitor: str = cloud.endpoints()["state_machines"]["monitor"]
        self._first = cloud.pointer().champion.version

    def run(self, *, visitors: bool) -> Story:
        """The whole of it.

        Raises:
            BenchmarkError: an alarm fires before anything has changed, or never does.
        """
        story = Story(self._change.name, visitors)
        start = time.monotonic()
        with Watch(self._cloud) as watch:
            self._calm(story, start)
            if alarms := sorted(_alarms(watch.events)):
                raise BenchmarkError(f"in the calm, without a reason: {', '.join(alarms)}")
            changed = watch.note(f"the world changes: {self._change.name.replace('_', ' ')}")
            story.changed_at = changed - start
            self._changed(story, start)
            story.drifted = self._run_monitor(time.monotonic() - changed)["drift"]["worst"]
            alarm_at = self._first_alarm(watch, changed)
            story.seconds_to_alarm = alarm_at - changed
            trained = self._retrained(story, watch, start)
            self._judge(story, trained, start, changed)
            self._run_monitor(time.monotonic() - changed)
            story.events = [(one.at - start, one.what) for one in watch.events]
            story.alarms = sorted({w.removeprefix("alarm ") for w in _alarms(watch.events)})
            executions = watch.train_executions()
        story.executions_started = sum(one.trained for one in executions)
        story.executions_turned_away = len(executions) - story.executions_started
        story.requests = self._callers.requests
        story.failed_requests = len(self._callers.failures)
        story.failures = self._callers.failures[:10]
        story.seconds = time.monotonic() - changed
        return story

    def _calm(self, story: Story, start: float) -> None:
        began = time.monotonic()
        self._say("  calm: photos as the first model knows them")
        measured = self._send(story, self._world.calm_measured, start, labelled=False)
        story.accuracy_before = _accuracy(measured)
        calm = self._world.calm
        few = math.ceil(len(calm) * _CALM_LABELLED)
        self._send(story, calm[:few], start, labelled=True)
        self._send(story, calm[few:], start, labelled=False)
        drift = self._run_monitor(time.monotonic() - began)["drift"]
        worst = ", ".join(drift["worst"]) or "nothing"
        self._say(f"    accuracy {story.accuracy_before:.3f}; drifted: {worst}")

    def _changed(self, story: Story, start: float) -> None:
        self._say(f"  the world changes: {self._change.meaning}")
        measured = self._send(story, self._world.changed_measured, start, labelled=False)
        story.accuracy_during = _accuracy(measured)
        self._say(f"    accuracy {story.accuracy_during:.3f}")
        self._send(story, self._world.changed, start, labelled=True)
        story.labels = len(self._world.changed)

    def _first_alarm(self, watch: Watch, changed: float) -> float:
        try:
            found: float = poll("an alarm", lambda: watch.first("alarm", changed), _ALARM_SECONDS)
        except TimeoutError as error:
            raise BenchmarkError(
                f"no alarm within {_ALARM_SECONDS:.0f} s of the monitor's run"
            ) from error
        self._say(f"    alarm after {found - changed:.0f} s")
        return found

    def _retrained(self, story: Story, watch: Watch, start: float) -> Execution:
        """The training that the alarm began; callers go on asking meanwhile."""
        self._say("  retraining, while the same callers go on asking")
        deadline = time.monotonic() + _RETRAIN_SECONDS
        more = itertools.cycle(self._world.changed)
        while time.monotonic() < deadline:
            trained = [one for one in watch.train_executions() if one.trained]
            if trained and not watch.running():
                return trained[0]
            began = time.monotonic()
            self._send(story, list(itertools.islice(more, _IDLE_BATCH)), start, labelled=False)
            time.sleep(max(0.0, _IDLE_SECONDS - (time.monotonic() - began)))
        raise BenchmarkError(f"no training ended within {_RETRAIN_SECONDS:.0f} s of the alarm")

    def _judge(self, story: Story, trained: Execution, start: float, changed: float) -> None:
        champion = self._cloud.pointer().champion.version
        if champion == self._first:
            gate = trained.output.get("evaluation", {}).get("gate", {})
            story.outcome = f"not promoted: {gate.get('reason', trained.status)}"
            self._say(f"    {story.outcome}")
            return
        more = itertools.cycle(self._world.changed)

        def everyone_has_it() -> bool:
            batch = list(itertools.islice(more, _IDLE_BATCH))
            answers = self._send(story, batch, start, labelled=False)
            return {one.version for one in answers} == {champion}

        poll(f"version {champion} to answer everybody", everyone_has_it, _ALARM_SECONDS)
        measured = self._send(story, self._world.changed_measured, start, labelled=False)
        story.accuracy_after = _accuracy(measured)
        story.outcome = f"version {champion} was promoted"
        if story.recovered is not None and story.recovered >= RECOVERED:
            story.seconds_to_recovered = time.monotonic() - changed
        self._say(f"    {story.outcome}; accuracy {story.accuracy_after:.3f}")

    def _send(
        self, story: Story, photos: Sequence[Labelled], start: float, *, labelled: bool
    ) -> list[Answer]:
        every = []
        for batch in _batches(photos):
            answers = self._callers.ask(batch, labelled=labelled)
            if not answers:
                raise BenchmarkError(f"no request succeeds: {self._callers.failures[-1]}")
            every += answers
            versions: dict[str, int] = {}
            for one in answers:
                versions[one.version] = versions.get(one.version, 0) + 1
            story.points.append(
                Point(time.monotonic() - start, _accuracy(answers), len(answers), versions)
            )
        return every

    def _run_monitor(self, seconds: float) -> dict[str, Any]:
        """What the hourly schedule does, on as much time as the drill's hour has had; it found."""
        arn = self._workflows.start_execution(
            stateMachineArn=self._monitor,
            input=json.dumps({"window_hours": seconds / 3600 + _MARGIN_HOURS}),
        )["executionArn"]
        output: dict[str, Any] = poll("the monitor", lambda: self._published(arn), _MONITOR_SECONDS)
        summary: dict[str, Any] = output["collected"]["summary"]
        return summary

    def _published(self, arn: str) -> dict[str, Any] | None:
        """What the monitor has found, as soon as it is published; a drift report may take longer.

        Raises:
            BenchmarkError: it failed before that.
        """
        pages = self._workflows.get_paginator("get_execution_history").paginate(executionArn=arn)
        for event in (event for page in pages for event in page["events"]):
            left = event.get("stateExitedEventDetails", {})
            if left.get("name") == _PUBLISHED:
                output: dict[str, Any] = json.loads(left["output"])
                return output
            if "executionFailedEventDetails" in event:
                raise BenchmarkError(
                    f"the monitor failed: {event['executionFailedEventDetails'].get('cause')}"
                )
        return None


def _batches(photos: Sequence[Labelled]) -> Iterator[Sequence[Labelled]]:
    for at in range(0, len(photos), _BATCH):
        yield photos[at : at + _BATCH]


def _accuracy(answers: Sequence[Answer]) -> float:
    return sum(one.right for one in answers) / len(answers) if answers else math.nan


def _alarms(events: Sequence[Event]) -> Iterator[str]:
    return (one.what for one in events if one.what.startswith("alarm "))
