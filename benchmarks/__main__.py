"""Run benchmarks: `python -m benchmarks [--only NAME ...] [--repeat N] [--data FOLDER] [--quick]`.

All runs go to `$LOCAL_STATE_DIR/bench.json`, a report on everything measured so far to `bench.md`
with `bench.png`, what was measured now as a Markdown table to standard output. Exit code 0 if every
target is met, 1 if one is missed, 2 if a benchmark could not be run.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks import report
from benchmarks.chart import draw
from benchmarks.drill.figures import figures as drills_figures
from benchmarks.figures import BenchmarkError, Context
from benchmarks.one_run import measured, module, say
from benchmarks.record import Record, run_of
from benchmarks.runs import Run, agreement, summaries
from benchmarks.targets import DRILL

# In this order: a later one may compare with what an earlier one measured.
NAMES: Final = (
    "snapshot",
    "quality",
    "training",
    "keras_fit",
    "api",
    "memory_sizes",
    "api_peer",
    "api_load",
    "malformed",
    "rollback",
    "batch",
    "drift",
    "monitor",
    "sagemaker",
    "load",
    "hot_path",
    "growth",
    "ui",
)
DEFAULT_STATE: Final = Path(__file__).resolve().parents[1] / ".local"


def main(arguments: Sequence[str] | None = None) -> int:
    """Select, run, write, show."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=_description())
    parser.add_argument("--only", action="extend", nargs="+", choices=NAMES, help="these alone")
    parser.add_argument("--repeat", type=int, default=1, help="how often each is run")
    parser.add_argument("--data", type=Path, help="the folder with the development photos")
    parser.add_argument("--quick", action="store_true", help="a small part, to see that it works")
    parser.add_argument("--list", action="store_true", help="say what there is and end")
    options = parser.parse_args(arguments)
    if options.list:
        for name in NAMES:
            print(f"{name:12} {module(name).DESCRIPTION}")
        return 0
    if options.repeat < 1:
        parser.error("--repeat wants 1 or more")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # read when TensorFlow is imported
    state = Path(os.environ.get("LOCAL_STATE_DIR") or DEFAULT_STATE).resolve()
    state.mkdir(parents=True, exist_ok=True)
    record = Record(state / "bench.json", quick=options.quick)
    done: dict[str, list[Run]] = {}
    failed = False
    for name in options.only or NAMES:
        try:
            for number in range(options.repeat):
                say(f"{name}, run {number + 1} of {options.repeat}")
                earlier = record.figures()
                run = _run(name, Context(options.data, options.quick, state, say, earlier))
                done.setdefault(name, []).append(run)
                record.keep(name, done[name])
        except BenchmarkError as error:
            say(f"  {name} cannot be run: {error}")
            failed = True
    written = _report(record, state, quick=options.quick)
    found = {name: summaries(runs) for name, runs in done.items()}
    every = [one for each in found.values() for one in each]
    print(report.table(found))
    print(f"\n{agreement(every)}\n{written}" if every else f"\n{written}")
    if options.quick:
        print(report.QUICK)
    return 2 if failed else int(any(one.figure.met is False for one in every))


def _run(name: str, context: Context) -> Run:
    start = time.monotonic()
    figures = measured(name, context)
    seconds = time.monotonic() - start
    say(f"  {seconds:,.0f} s")
    return run_of(figures, seconds)


def _report(record: Record, state: Path, *, quick: bool) -> Path:
    """On everything that is known, whatever was measured now; the file."""
    name = "bench-quick" if quick else "bench"
    drills, chart = drills_figures(state / "drill.json"), f"{name}.png"
    text = report.report(record.runs(), drills, chart, quick=quick)
    (state / f"{name}.md").write_text(text, encoding="utf-8")
    draw({**record.figures(), DRILL: drills}, state / chart)
    return state / f"{name}.md"


def _description() -> str:
    return (__doc__ or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
