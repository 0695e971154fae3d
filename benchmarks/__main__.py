"""Run benchmarks: `python -m benchmarks [--only NAME] [--data FOLDER] [--quick]`.

Figures go to `$LOCAL_STATE_DIR/bench.json`, by benchmark, and as a Markdown table to standard
output. Exit code 0 if every target is met, 1 if one is missed, 2 if a benchmark could not be run.
"""

import argparse
import importlib
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, cast

from benchmarks.figures import (
    Benchmark,
    BenchmarkError,
    Context,
    Figure,
    from_json,
    table,
    to_json,
)

# In this order: a later one may compare with what an earlier one measured.
NAMES: Final = (
    "snapshot", "quality", "training", "keras_fit", "api", "memory_sizes", "api_peer", "api_load",
    "malformed", "rollback", "drift", "monitor", "ui", "growth",
)  # fmt: skip
PACKAGES: Final = ("tensorflow-cpu", "keras", "ai-edge-litert", "numpy", "pillow", "mlflow")
DEFAULT_STATE: Final = Path(__file__).resolve().parents[1] / ".local"


def main(arguments: Sequence[str] | None = None) -> int:
    """Select, run, write, show."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=_description())
    parser.add_argument("--only", action="append", choices=NAMES, help="may be repeated")
    parser.add_argument("--data", type=Path, help="the folder with the development photos")
    parser.add_argument("--quick", action="store_true", help="a small part, to see that it works")
    parser.add_argument("--list", action="store_true", help="say what there is and end")
    options = parser.parse_args(arguments)
    if options.list:
        for name in NAMES:
            print(f"{name:12} {_module(name).DESCRIPTION}")
        return 0
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # read when TensorFlow is imported
    state = Path(os.environ.get("LOCAL_STATE_DIR") or DEFAULT_STATE).resolve()
    state.mkdir(parents=True, exist_ok=True)
    record = Record(state / "bench.json")
    measured: dict[str, list[Figure]] = {}
    failed = False
    for name in options.only or NAMES:
        benchmark = _module(name)
        _say(f"{name}: {benchmark.DESCRIPTION}")
        earlier = record.figures(quick=options.quick)
        context = Context(options.data, options.quick, state, _say, earlier)
        start = time.monotonic()
        try:
            measured[name] = benchmark.run(context)
        except BenchmarkError as error:
            _say(f"  {name} cannot be run: {error}")
            failed = True
            continue
        seconds = time.monotonic() - start
        _say(f"  {seconds:,.0f} s")
        record.keep(name, measured[name], seconds, quick=options.quick)
    print(table(measured))
    if options.quick:
        print("\nWith --quick: these figures show that the benchmarks work, nothing more.")
    if failed:
        return 2
    return int(any(figure.met is False for found in measured.values() for figure in found))


class Record:
    """`bench.json`: the newest figures of each benchmark, with where and when."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._known: dict[str, Any] = json.loads(file.read_bytes()) if file.exists() else {}

    def figures(self, *, quick: bool) -> dict[str, list[Figure]]:
        """What has been measured so, by benchmark; quick and real figures are kept apart."""
        return {
            name: from_json(entry["figures"])
            for name, entry in self._known.items()
            if entry["quick"] == quick
        }

    def keep(self, name: str, figures: Sequence[Figure], seconds: float, *, quick: bool) -> None:
        """Put these in the place of the benchmark's former figures."""
        self._known[name] = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(seconds, 1),
            "quick": quick,
            "machine": _machine(),
            "versions": {"python": platform.python_version(), **_versions()},
            "figures": to_json(figures),
        }
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps(self._known, indent=2, ensure_ascii=False), encoding="utf-8")
        fresh.replace(self.file)


def _module(name: str) -> Benchmark:
    return cast("Benchmark", importlib.import_module(f"benchmarks.{name}"))


def _description() -> str:
    return (__doc__ or "").partition("\n")[0]


def _machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "memory_gb": round(memory / 2**30, 1),
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
