"""The first request of an environment that starts from a snapshot, with priming and without.

`python -m benchmarks.first_request {primed|imported} PHOTO` is one such environment: a process that
has imported the function, and for `primed` has run its hooks, as Lambda does when it publishes a
version and restores it. Prints a line of JSON: milliseconds of the first request and of a later
one, the processor's of both, and memory. What Lambda takes to restore a snapshot is not in it.
"""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, Final, Literal

from PIL import Image

from areyouacat.settings import IMAGES
from benchmarks.figures import BenchmarkError, Figure
from benchmarks.http_load import percentile
from benchmarks.local_cloud import ROOT, LocalCloud
from benchmarks.process import peak_memory_mb
from benchmarks.sample_photos import SMALL, different, photo_like

PRIMED: Final = "first request of a snapshot: primed"
IMPORTED: Final = "first request of a snapshot: imports alone"
LATER: Final = "a later request, processor"
MEMORY: Final = "memory of the function"
MEMORY_LARGEST: Final = "memory of the function with the largest photo it takes"
WARM_REQUESTS: Final = 9

Kind = Literal["primed", "imported"]


def first_requests(cloud: LocalCloud, pairs: int) -> list[Figure]:
    """Figures of so many processes of each kind, in turn; the first pair warms up the disk."""
    # Memory that the processes below, which run this module too, must not hold.
    from benchmarks.repetition import repeated_median, repeated_ratio  # noqa: PLC0415

    environment = os.environ | cloud.function_environment()
    measured: dict[Kind, list[dict[str, float]]] = {"primed": [], "imported": []}
    photos = different(photo_like(SMALL), 2_000_000_000)
    for _ in range(pairs + 1):
        for kind, found in measured.items():
            found.append(_measured(kind, next(photos), environment))

    def each(kind: Kind, figure: str) -> list[float]:
        return [one[figure] for one in measured[kind][1:]]

    note = "median; model and writes by the local cloud"
    figures = []
    for of, unit in (("", "ms"), (", processor", "cpu_ms")):
        imported, primed = each("imported", f"first_{unit}"), each("primed", f"first_{unit}")
        later = repeated_median(each("primed", f"warm_{unit}"))
        figures += [
            Figure.told(f"{IMPORTED}{of}", repeated_median(imported), "ms", note),
            Figure.told(
                f"{PRIMED}{of}",
                repeated_median(primed),
                "ms",
                f"{note}; a later one: {later.value:.0f} ms",
            ),
            Figure.told(f"{IMPORTED} / primed{of}", repeated_ratio(imported, primed), "times"),
        ]
    return [
        *figures,
        Figure.told(LATER, later, "ms", note),
        Figure.told(MEMORY, repeated_median(each("primed", "memory_mb")), "MB"),
        Figure.told(MEMORY_LARGEST, repeated_median(each("primed", "memory_largest_mb")), "MB"),
    ]


def _measured(kind: Kind, photo: bytes, environment: dict[str, str]) -> dict[str, float]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "photo.jpg"
        file.write_bytes(photo)
        done = subprocess.run(
            [sys.executable, "-m", __name__, kind, str(file)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise BenchmarkError(f"the {kind} function failed:\n{done.stderr[-2000:]}")
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


class Registry(ModuleType):
    """Stands in for the module in which Lambda's runtime keeps a function's hooks."""

    def __init__(self) -> None:
        """Nothing is registered."""
        super().__init__("snapshot_restore_py")
        self._before: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._after: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def register_before_snapshot(self, hook: Callable[..., None], *arguments: Any) -> None:
        """As the runtime's module has it, so far as the function uses it."""
        self._before.append((hook, arguments))

    def register_after_restore(self, hook: Callable[..., None], *arguments: Any) -> None:
        """The same."""
        self._after.append((hook, arguments))

    def run(self) -> None:
        """Publishes and restores."""
        for hook, arguments in (*reversed(self._before), *self._after):
            hook(*arguments)


def _environment_of(kind: str, photo: bytes) -> dict[str, float]:
    registry = Registry()
    sys.modules[registry.__name__] = registry
    from benchmarks.invocation import event, invoke  # noqa: PLC0415 - registers the hooks

    if kind == "primed":
        registry.run()
    taken, worked = [], []
    for number in range(WARM_REQUESTS + 1):
        asked = event(photo + number.to_bytes(1, "big"))
        started, cpu_started = time.perf_counter(), time.process_time()
        invoke(asked)
        taken.append(1000 * (time.perf_counter() - started))
        worked.append(1000 * (time.process_time() - cpu_started))
    memory = peak_memory_mb()
    invoke(event(_largest()))
    return {
        "memory_mb": memory,
        "memory_largest_mb": peak_memory_mb(),
        "first_ms": taken[0],
        "warm_ms": percentile(taken[1:], 0.5),
        "first_cpu_ms": worked[0],
        "warm_cpu_ms": percentile(worked[1:], 0.5),
    }


def _largest() -> bytes:
    """A photo of as many pixels as are taken, in the format that has to be decoded whole."""
    file = io.BytesIO()
    Image.new("RGB", (8_000, IMAGES.max_pixels // 8_000)).save(file, "PNG", compress_level=1)
    return file.getvalue()


if __name__ == "__main__":
    _, chosen, file_of_photo = sys.argv
    found_here = _environment_of(chosen, Path(file_of_photo).read_bytes())
    sys.stdout.write(f"\n{json.dumps(found_here)}\n")
