"""Run drills: `python -m benchmarks.drill [--change NAME] [--data PATH] [--visitors PATH]`.

A local cloud of its own is seeded and trained once; each drill begins with that state. What
happened goes to `$LOCAL_STATE_DIR/drill.json`, the picture beside it. Exit code 0 if everything
went as it should, 1 if it did not, 2 if the drill could not be run.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from areyouacat.settings import LABELS
from benchmarks.drill.callers import Callers
from benchmarks.drill.changes import CHANGES, Change
from benchmarks.drill.chart import draw
from benchmarks.drill.stage import Stage
from benchmarks.drill.story import RECOVERED, SECONDS, Drill, Story
from benchmarks.drill.world import Plan, Supply, held_out, plan_for, write_seed
from benchmarks.figures import BenchmarkError
from local_cloud import starter
from training_job.labelled_photos import LabelledPhotosError

DEFAULT_STATE: Final = Path(__file__).resolve().parents[2] / ".local"
_KEYS, _ADDRESSES = 6, 60
"""Callers: enough that 1,500 labels in an hour are within what one key and one address may say."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Set the stage, run the drills one by one, write what happened, judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drill")
    parser.add_argument("--change", choices=[*CHANGES, "all"], default="night")
    parser.add_argument("--data", type=Path, help="folder or zip with .../<label>/*")
    parser.add_argument("--visitors", type=Path, help="photos of the negative label that come anew")
    options = parser.parse_args(arguments)
    state = Path(os.environ.get("LOCAL_STATE_DIR") or DEFAULT_STATE).resolve()
    changes = list(CHANGES.values()) if options.change == "all" else [CHANGES[options.change]]
    if options.change == "all" and options.visitors is None:
        changes = [change for change in changes if not change.needs_visitors]
    try:
        stories, plan = _run(state, changes, options.data, options.visitors)
    except (BenchmarkError, LabelledPhotosError) as error:
        print(f"The drill cannot be run: {error}", file=sys.stderr)
        return 2
    missed = [f"{one.change}: {problem}" for one in stories for problem in problems(one, plan)]
    _say(f"\n{state / 'drill.json'}")
    for problem in missed:
        _say(f"MISSED {problem}")
    return int(bool(missed))


def _run(
    state: Path, changes: Sequence[Change], data: Path | None, visitors: Path | None
) -> tuple[list[Story], Plan]:
    supply = Supply(data or _starter_photos(state))
    plan = plan_for(supply)
    come = Supply(visitors, (LABELS.negative,)) if visitors else None
    stage = Stage(state / "drill", _say)
    stories = []
    stage.prepare(lambda folder: write_seed(supply, plan, folder), _named(data))
    for change in changes:
        _say(f"{change.name}: {change.meaning}")
        # Each drill begins as if there had been no other, so each may send the same photos.
        world = held_out(supply.again(), plan, change, come.again() if come else None)
        with stage.cloud() as cloud:
            callers = Callers(cloud, keys=_KEYS, addresses=_ADDRESSES)
            story = Drill(cloud, callers, world, change, _say).run(visitors=come is not None)
        draw(story, state / f"drill-{change.name}.png")
        _say(_summary(story))
        for failure in story.failures:
            _say(f"    failed: {failure}")
        stories.append(story)
        (state / "drill.json").write_text(json.dumps(record(stories, plan), indent=2) + "\n")
    return stories, plan


def problems(story: Story, plan: Plan) -> list[str]:
    """What did not go as it should. With few photos accuracy says nothing, and is not judged."""
    found = []
    if story.executions_started != 1:
        found.append(f"{story.executions_started} trainings instead of one")
    if story.failed_requests:
        found.append(f"{story.failed_requests} failed requests, the first: {story.failures[0]}")
    if not plan.is_full:
        return found
    if story.recovered is None or story.recovered < RECOVERED:
        share = "nothing" if story.recovered is None else f"{story.recovered:.0%}"
        found.append(f"{share} of the lost accuracy recovered, {RECOVERED:.0%} wanted")
    if story.seconds > SECONDS:
        found.append(f"{story.seconds:.0f} s, {SECONDS:.0f} allowed")
    return found


def record(stories: Sequence[Story], plan: Plan) -> dict[str, Any]:
    """The last drill's figures, and every drill's below them."""
    drills = []
    for story in stories:
        told = {name: value for name, value in asdict(story).items() if name != "points"}
        drills.append({**told, "recovered": story.recovered})
    return {**drills[-1], "photos_suffice": plan.is_full, "drills": drills}


def _summary(story: Story) -> str:
    after = "-" if story.accuracy_after is None else f"{story.accuracy_after:.3f}"
    back = "-" if story.recovered is None else f"{story.recovered:.0%}"
    return (
        f"  accuracy {story.accuracy_before:.3f} → {story.accuracy_during:.3f} → {after} "
        f"(recovered {back}); alarm after {story.seconds_to_alarm or 0:.0f} s, all of it in "
        f"{story.seconds:.0f} s; {story.executions_started} training, "
        f"{story.failed_requests} of {story.requests} requests failed"
    )


def _starter_photos(state: Path) -> Path:
    photos = state / "starter"
    _say("No DATASET is named: with the few starter photos a drill shows only that it works.")
    if starter.main([str(photos)]):
        raise BenchmarkError("the starter photos cannot be had")
    return photos


def _named(data: Path | None) -> str:
    return "starter" if data is None else f"{data.resolve()}-{data.stat().st_mtime_ns}"


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
