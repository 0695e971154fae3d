"""What our own code adds to a prediction: warm, with its writes, from a cold start, and in size."""

import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from benchmarks.faked_writes import faked_writes, quiet
from benchmarks.figures import BenchmarkError, Context, Figure
from benchmarks.first_request import first_requests
from benchmarks.floor import Floor
from benchmarks.invocation import event, invoke
from benchmarks.local_cloud import ROOT, LocalCloud, local_cloud
from benchmarks.repetition import repeated_median, repeated_ratio
from benchmarks.sample_photos import LARGE, SMALL, different, photo_like
from infra_cdk.bundling import BundlingError, CachingBundler
from infra_cdk.targets import Target

NAME = "api"
DESCRIPTION = "the predict function: warm and cold beside bare LiteRT, and its bundle's size"
COLD: Final = "cold start: handler"
BUNDLE: Final = "serving"
MAX_WARM, MAX_COLD, MAX_BUNDLE_MB = 1.15, 1.6, 150.0
SIZES: Final = {"500x375": (SMALL, 300), "12 megapixels": (LARGE, 80)}  # and how often
QUICK_ROUNDS: Final = 10
COLD_PAIRS, QUICK_COLD_PAIRS = 9, 2

Kind = Literal["floor", "handler"]


def run(context: Context) -> list[Figure]:
    """Warm with the writes faked, warm with real ones, cold, from a snapshot; then the bundles."""
    with local_cloud(context, NAME, starter=True) as cloud:
        figures = _warm(context, cloud) + _cold(context, cloud)
        pairs = QUICK_COLD_PAIRS if context.quick else COLD_PAIRS
        context.say(f"  first request of a snapshot: {pairs} pairs")
        figures += first_requests(cloud, pairs)
    return figures + _bundles(context)


def _warm(context: Context, cloud: LocalCloud) -> list[Figure]:
    files = cloud.served()
    floor = Floor(files.tflite)
    figures = []
    for name, (size, many) in SIZES.items():
        context.say(f"  warm: {name}")
        rounds = QUICK_ROUNDS if context.quick else many
        photo = photo_like(size)
        with faked_writes(cloud.pointer(), files):
            bare, ours = _milliseconds(floor, repeat(photo), rounds)
        with cloud.as_client(cloud.function_environment()):
            bare_beside, written = _milliseconds(floor, different(photo), rounds)
        figures += [
            Figure.told(f"{name}: bare", repeated_median(bare), "ms", "p50"),
            Figure.told(f"{name}: handler, writes faked", repeated_median(ours), "ms", "p50"),
            Figure.at_most(
                f"{name}: handler / bare", repeated_ratio(ours, bare), "times", MAX_WARM
            ),
            Figure.told(f"{name}: handler, local writes", repeated_median(written), "ms", "p50"),
            Figure.told(
                f"{name}: handler, local writes / bare",
                repeated_ratio(written, bare_beside),
                "times",
            ),
        ]
    return figures


def _milliseconds(
    floor: Floor, photos: Iterator[bytes], rounds: int
) -> tuple[list[float], list[float]]:
    """Of the floor and of the handler, on the same photos in turn, so that both meet one machine.

    `rounds` are measured after two more that warm up.
    """
    bare: list[float] = []
    ours: list[float] = []
    with quiet():
        for _ in range(rounds + 2):
            photo = next(photos)
            asked = event(photo)
            bare.append(_seconds(lambda: floor.predict(photo)))  # noqa: B023 - called at once
            ours.append(_seconds(lambda: invoke(asked)))  # noqa: B023
    return [1000 * one for one in bare[2:]], [1000 * one for one in ours[2:]]


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _cold(context: Context, cloud: LocalCloud) -> list[Figure]:
    pairs = QUICK_COLD_PAIRS if context.quick else COLD_PAIRS
    context.say(f"  cold: {pairs} pairs")
    environment = os.environ | cloud.function_environment()
    found: dict[Kind, list[tuple[float, float]]] = {"floor": [], "handler": []}
    with TemporaryDirectory() as folder:
        model, base = Path(folder) / "model.tflite", photo_like(SMALL)
        model.write_bytes(cloud.served().tflite)
        for photo, _ in zip(different(base, 1_000_000), range(pairs + 1), strict=False):
            for kind, measured in found.items():
                measured.append(cold_start(kind, photo, model, environment))
    # The first pair finds nothing in the disk's cache.
    seconds = {kind: [one for one, _ in each[1:]] for kind, each in found.items()}
    worked = {kind: [cpu for _, cpu in each[1:]] for kind, each in found.items()}
    bare, ours = seconds["floor"], seconds["handler"]
    note = "median"
    return [
        Figure.told("cold start: bare", repeated_median(bare), "s", note),
        Figure.told(
            COLD, repeated_median(ours), "s", f"{note}; model and writes by the local cloud"
        ),
        Figure.at_most(f"{COLD} / bare", repeated_ratio(ours, bare), "times", MAX_COLD),
        Figure.told("cold start: bare, processor", repeated_median(worked["floor"]), "s", note),
        Figure.told(f"{COLD}, processor", repeated_median(worked["handler"]), "s", note),
    ]


def cold_start(
    kind: Kind, photo: bytes, model: Path, environment: Mapping[str, str]
) -> tuple[float, float]:
    """Seconds from starting an interpreter to its first answer, and seconds of processor."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "photo.jpg"
        file.write_bytes(photo)
        command = [sys.executable, "-m", "benchmarks.cold_start", kind, str(file), str(model)]
        done = subprocess.run(
            [*command, str(time.monotonic())],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise BenchmarkError(f"the cold start of the {kind} failed:\n{done.stderr[-2000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    return told["seconds"], told["processor_seconds"]


def _bundles(context: Context) -> list[Figure]:
    figures = []
    for target in Target:
        context.say(f"  bundle for {target}")
        try:
            path = CachingBundler(target, context.state / "bundles").build(BUNDLE)
        except BundlingError as error:  # the other platform's packages, and no network
            context.say(f"  {error}")
            continue
        figures.append(
            Figure.at_most(
                f"bundle for {target}, unzipped", unzipped_megabytes(path), "MB", MAX_BUNDLE_MB
            )
        )
    return figures


def unzipped_megabytes(path: Path) -> float:
    """What a zip file's content takes, in millions of bytes."""
    with zipfile.ZipFile(path) as opened:
        return sum(entry.file_size for entry in opened.infolist()) / 1_000_000
