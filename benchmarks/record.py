"""`bench.json`: all runs of each benchmark's last call, with when, where and their summary."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from benchmarks.figures import Figure
from benchmarks.runs import Run, summaries

FORMAT: Final = 2
PACKAGES: Final = ("tensorflow-cpu", "keras", "ai-edge-litert", "numpy", "pillow", "mlflow")
_KINDS: Final = {False: "measured", True: "quick"}


class Record:
    """Quick figures are kept apart: they show that a benchmark works, nothing more."""

    def __init__(self, file: Path, *, quick: bool) -> None:
        """What is there of another format is forgotten with the next `keep`."""
        self._file = file
        found = json.loads(file.read_bytes()) if file.exists() else {}
        self._all: dict[str, Any] = found if found.get("format") == FORMAT else {"format": FORMAT}
        self._known: dict[str, Any] = self._all.setdefault(_KINDS[quick], {})

    def runs(self) -> dict[str, list[Run]]:
        """By benchmark."""
        return {
            name: [Run.from_json(one) for one in entry["runs"]]
            for name, entry in self._known.items()
        }

    def figures(self) -> dict[str, list[Figure]]:
        """Of the run in the middle, by benchmark."""
        return {name: [one.figure for one in summaries(runs)] for name, runs in self.runs().items()}

    def keep(self, name: str, runs: Sequence[Run]) -> None:
        """Put these in the place of the benchmark's former runs."""
        self._known[name] = {
            "summary": [asdict(one) for one in summaries(runs)],
            "runs": [one.to_json() for one in runs],
        }
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(self._all, indent=2, ensure_ascii=False), encoding="utf-8")
        fresh.replace(self._file)


def run_of(figures: Sequence[Figure], seconds: float) -> Run:
    """A run that has just ended, here."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Run(now, seconds, _machine(), _versions(), tuple(figures))


def _machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "memory_gb": round(memory / 2**30, 1),
        "load_average": round(os.getloadavg()[1], 1),  # of five minutes: its own part included
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found
