"""One run of one benchmark, in a process of its own: `python -m benchmarks.one_run NAME ANSWER`.

So no run finds what another has left: clients that know another cloud, caches, memory that is held.
The context comes as JSON by standard input, figures or an error go to the file ANSWER.
"""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from benchmarks.figures import Benchmark, BenchmarkError, Context, Figure, from_json, to_json


def module(name: str) -> Benchmark:
    """A benchmark by its name."""
    return cast("Benchmark", importlib.import_module(f"benchmarks.{name}"))


def measured(name: str, context: Context) -> list[Figure]:
    """The figures of a run.

    Raises:
        BenchmarkError: it cannot be run, or it broke; then standard error has its traceback.
    """
    given = {
        "data": str(context.data) if context.data else None,
        "quick": context.quick,
        "state": str(context.state),
        "earlier": {one: to_json(figures) for one, figures in context.earlier.items()},
    }
    with TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, "-m", __name__, name, str(answer)]
        done = subprocess.run(command, input=json.dumps(given), text=True, check=False)
        if done.returncode or not answer.exists():
            raise BenchmarkError(f"it broke with exit code {done.returncode}, see above")
        found = json.loads(answer.read_text(encoding="utf-8"))
    if "error" in found:
        raise BenchmarkError(found["error"])
    return from_json(found["figures"])


def main(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """What goes into the answer."""
    context = Context(
        Path(given["data"]) if given["data"] else None,
        given["quick"],
        Path(given["state"]),
        say,
        {one: from_json(figures) for one, figures in given["earlier"].items()},
    )
    benchmark = module(name)
    say(f"  {benchmark.DESCRIPTION}")
    try:
        return {"figures": to_json(benchmark.run(context))}
    except BenchmarkError as error:
        return {"error": str(error)}


def say(line: str) -> None:
    """Progress."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    answered = main(sys.argv[1], json.load(sys.stdin))
    Path(sys.argv[2]).write_text(json.dumps(answered), encoding="utf-8")
