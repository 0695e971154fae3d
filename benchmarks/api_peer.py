"""`mlflow models serve` of the same Keras model beside our API, both as their users call them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import keras
import mlflow
import numpy as np
import psutil

from areyouacat.images import decode, to_model_input
from benchmarks.api import cold_start
from benchmarks.faked_writes import faked_writes, quiet
from benchmarks.figures import BenchmarkError, Context, Figure
from benchmarks.http_load import Connection, Load, Request, load, poll
from benchmarks.invocation import event, invoke
from benchmarks.local_api import LocalApi, refuse_failures
from benchmarks.local_cloud import ROOT, LocalCloud, free_port, local_cloud
from benchmarks.repetition import (
    milliseconds,
    per_second,
    rate_ratio,
    repeated_median,
    repeated_ratio,
)
from benchmarks.sample_photos import SMALL, different, photo_like

NAME = "api_peer"
DESCRIPTION = "our API beside mlflow models serve of the same Keras model, over HTTP"
MIN_LATENCY_RATIO, MIN_THROUGHPUT_RATIO, MAX_MEMORY_SHARE = 20.0, 10.0, 0.25
ONE_BY_ONE, AT_ONCE, CLIENTS = 100, 400, 8
PEER_ONE_BY_ONE, PEER_AT_ONCE = 30, 40
STARTS, QUICK_STARTS = 3, 1
QUICK_SHARE: Final = 5
START_SECONDS: Final = 240.0


@dataclass(frozen=True, slots=True)
class Served:
    """What a server was seen to do.

    `starts`: seconds from starting its process to its first answer. Memory: of its largest process
    and of all, MB.
    """

    starts: list[float]
    alone: Load
    crowded: Load
    largest_mb: float
    all_mb: float


def run(context: Context) -> list[Figure]:
    """One after the other, so that neither takes the other's cores."""
    share = QUICK_SHARE if context.quick else 1
    photo = photo_like(SMALL)
    with local_cloud(context, NAME, starter=True) as cloud, TemporaryDirectory() as folder:
        context.say("  our API")
        ours = _ours(cloud, photo, share, _starts(context))
        model = _saved(cloud, Path(folder))
        keras_ms = _in_process_ms(model, photo)
        with faked_writes(cloud.pointer(), cloud.served()), quiet():
            handler_ms = _milliseconds(lambda: invoke(event(photo)), 50)
        context.say("  mlflow models serve")
        peer = _peer(Path(folder) / "model", photo, share, _starts(context))
    return figures(ours, peer, keras_ms, handler_ms)


def figures(
    ours: Served, peer: Served, keras_ms: Sequence[float], handler_ms: Sequence[float]
) -> list[Figure]:
    """Start, latency, throughput and memory of both, and the network's own part in a process."""
    alone = [[1000 * reply.seconds for reply in one.alone.replies] for one in (ours, peer)]
    told = Figure.told
    return [
        told("start, ours", repeated_median(ours.starts), "s",
             "from an interpreter to the first answer of the function, its model from the lake"),
        told("start, mlflow models serve", repeated_median(peer.starts), "s",
             "from its command to its first answer"),
        told("start: mlflow / ours", repeated_ratio(peer.starts, ours.starts, paired=False),
             "times"),
        told("p50, ours", repeated_median(alone[0]), "ms", "JPEG, HTTPS, key, writes"),
        told("p50, mlflow models serve", repeated_median(alone[1]), "ms", "JSON array"),
        told("p95, ours", milliseconds(ours.alone, 0.95), "ms"),
        told("p95, mlflow models serve", milliseconds(peer.alone, 0.95), "ms"),
        Figure.at_least("p50: mlflow / ours", repeated_ratio(alone[1], alone[0], paired=False),
                        "times", MIN_LATENCY_RATIO),
        told("at 8 clients, ours", per_second(ours.crowded), "1/s"),
        told("at 8 clients, mlflow models serve", per_second(peer.crowded), "1/s"),
        Figure.at_least("at 8 clients: ours / mlflow", rate_ratio(ours.crowded, peer.crowded),
                        "times", MIN_THROUGHPUT_RATIO),
        told("memory of a serving process, ours", ours.largest_mb, "MB", "the largest"),
        told("memory of a serving process, mlflow", peer.largest_mb, "MB", "the largest"),
        Figure.at_most("memory of a serving process: ours / mlflow",
                       ours.largest_mb / peer.largest_mb, "times", MAX_MEMORY_SHARE),
        told("memory of all that serve, ours", ours.all_mb, "MB", f"{CLIENTS} clients"),
        told("memory of all that serve, mlflow", peer.all_mb, "MB", f"{CLIENTS} clients"),
        told("in process: Keras predict", repeated_median(keras_ms), "ms", "of an array"),
        told("in process: handler", repeated_median(handler_ms), "ms", "from JPEG bytes"),
        told("in process: Keras predict / handler",
             repeated_ratio(keras_ms, handler_ms, paired=False), "times"),
    ]  # fmt: skip


def _starts(context: Context) -> int:
    return QUICK_STARTS if context.quick else STARTS


def _ours(cloud: LocalCloud, photo: bytes, share: int, starts: int) -> Served:
    api = LocalApi.of(cloud)
    api.raise_throttles()
    api.warm_up(photo_like(SMALL, seed=2), CLIENTS)
    photos = different(photo)
    environment = os.environ | cloud.function_environment()
    started = [
        cold_start("handler", one, Path(os.devnull), environment)[0]
        for one in islice(photos, starts)
    ]
    alone = load(api.connect, map(api.predict, islice(photos, ONE_BY_ONE // share)), 1)
    crowded = load(api.connect, map(api.predict, islice(photos, AT_ONCE // share)), CLIENTS)
    refuse_failures([*alone.failures(), *crowded.failures()])
    memory = api.worker_megabytes()
    return Served(started, alone, crowded, memory[0], sum(memory))


def _peer(model: Path, photo: bytes, share: int, starts: int) -> Served:
    array = to_model_input(decode(photo))[np.newaxis]
    body = json.dumps({"inputs": array.tolist()}).encode()
    request = Request("POST", "/invocations", body, {"Content-Type": "application/json"})
    seconds = []
    for number in range(1, starts + 1):
        start = time.monotonic()
        with _mlflow_serving(model) as (process, connect):
            refuse_failures(load(connect, [request], 1).failures())
            seconds.append(time.monotonic() - start)
            if number < starts:
                continue
            refuse_failures(load(connect, repeat(request, 2), 1).failures())
            alone = load(connect, repeat(request, PEER_ONE_BY_ONE // share), 1)
            crowded = load(connect, repeat(request, PEER_AT_ONCE // share), CLIENTS)
            refuse_failures([*alone.failures(), *crowded.failures()])
            family = (process, *process.children(recursive=True))
            memory = [one.memory_info().rss / 2**20 for one in family]
    return Served(seconds, alone, crowded, max(memory), sum(memory))


def _saved(cloud: LocalCloud, folder: Path) -> Any:
    """The served version's Keras model, saved in MLflow's own way."""
    file = folder / "model.keras"
    file.write_bytes(cloud.served_keras())
    model = keras.models.load_model(file, compile=False)
    mlflow.keras.save_model(model, str(folder / "model"))
    return model


@contextmanager
def _mlflow_serving(model: Path) -> Iterator[tuple[psutil.Process, Callable[[], Connection]]]:
    """Its first process and a way to it, once it says that it is well."""
    port, log = free_port(), model.parent / "serve.log"
    command = ["-m", "mlflow", "models", "serve", "-m", str(model), "-p", str(port)]
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"

    def connect() -> Connection:
        return Connection(f"http://127.0.0.1:{port}")

    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, *command, "--env-manager", "local"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as server,
    ):
        process = psutil.Process(server.pid)
        try:
            poll("mlflow models serve", lambda: _answers(server, connect, log), START_SECONDS)
            yield process, connect
        finally:
            for one in (*process.children(recursive=True), process):
                one.kill()


def _answers(server: subprocess.Popen[bytes], connect: Callable[[], Connection], log: Path) -> bool:
    if server.poll() is not None:
        raise BenchmarkError(f"mlflow models serve ended:\n{log.read_text()[-2000:]}")
    with connect() as connection:
        return connection.send(Request("GET", "/ping")).status == 200


def _in_process_ms(model: Any, photo: bytes) -> list[float]:
    array = to_model_input(decode(photo))[np.newaxis]
    return _milliseconds(lambda: model.predict(array, verbose=0), 20)


def _milliseconds(work: Callable[[], object], times: int) -> list[float]:
    """Of so many times, after three that warm up."""
    taken = []
    for _ in range(times + 3):
        start = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start))
    return taken[3:]
