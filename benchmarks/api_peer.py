"""`mlflow models serve` of the same Keras model beside our API, both as their users call them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
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
from benchmarks.faked_writes import faked_writes, quiet
from benchmarks.figures import BenchmarkError, Context, Figure
from benchmarks.http_load import Connection, Load, Request, load, percentile, poll
from benchmarks.invocation import event, invoke
from benchmarks.local_api import LocalApi, refuse_failures
from benchmarks.local_cloud import ROOT, LocalCloud, free_port, local_cloud
from benchmarks.sample_photos import SMALL, different, photo_like

NAME = "api_peer"
DESCRIPTION = "our API beside mlflow models serve of the same Keras model, over HTTP"
MIN_LATENCY_RATIO, MIN_THROUGHPUT_RATIO, MAX_MEMORY_SHARE = 20.0, 10.0, 0.25
ONE_BY_ONE, AT_ONCE, CLIENTS = 100, 400, 8
PEER_ONE_BY_ONE, PEER_AT_ONCE = 30, 40
QUICK_SHARE: Final = 5
START_SECONDS: Final = 240.0


@dataclass(frozen=True, slots=True)
class Served:
    """What a server was seen to do. Memory: of its largest process and of all, MB."""

    alone: Load
    crowded: Load
    largest_mb: float
    all_mb: float


def run(context: Context) -> list[Figure]:
    """One after the other, so that neither takes the other's cores."""
    share = QUICK_SHARE if context.quick else 1
    photo = photo_like(SMALL)
    with local_cloud(context, NAME, starter=True) as cloud:
        context.say("  our API")
        ours = _ours(cloud, photo, share)
        with TemporaryDirectory() as folder:
            model = _saved(cloud, Path(folder))
            predict_ms = _in_process_ms(model, photo)
            with faked_writes(cloud.pointer(), cloud.served()), quiet():
                handler_ms = _p50_ms(lambda: invoke(event(photo)), 50)
            context.say("  mlflow models serve")
            with _mlflow_serving(Path(folder) / "model") as (port, process, start_seconds):
                peer = _peer(port, process, photo, share)
    faster = peer.alone.milliseconds(0.5) / ours.alone.milliseconds(0.5)
    more = ours.crowded.per_second / peer.crowded.per_second
    memory = f"ours {ours.largest_mb:.0f} MB, its processes {peer.all_mb:.0f} MB together"
    return [
        Figure.told("p50, ours", ours.alone.milliseconds(0.5), "ms", "JPEG, HTTPS, key, writes"),
        Figure.told("p50, mlflow models serve", peer.alone.milliseconds(0.5), "ms", "JSON array"),
        Figure.at_least("p50: mlflow / ours", faster, "times", MIN_LATENCY_RATIO),
        Figure.told("at 8 clients, ours", ours.crowded.per_second, "1/s"),
        Figure.told("at 8 clients, mlflow models serve", peer.crowded.per_second, "1/s"),
        Figure.at_least("at 8 clients: ours / mlflow", more, "times", MIN_THROUGHPUT_RATIO),
        Figure.at_most(
            "memory of a serving process: ours / mlflow",
            ours.largest_mb / peer.largest_mb,
            "times",
            MAX_MEMORY_SHARE,
            f"{memory}; the largest process of each is compared",
        ),
        Figure.told("memory of all that serve, ours", ours.all_mb, "MB", f"{CLIENTS} clients"),
        Figure.told("start, mlflow models serve", start_seconds, "s"),
        Figure.told("in process: Keras predict / handler", predict_ms / handler_ms, "times",
                    f"{predict_ms:.0f} ms / {handler_ms:.1f} ms, the handler from JPEG bytes"),
    ]  # fmt: skip


def _ours(cloud: LocalCloud, photo: bytes, share: int) -> Served:
    api = LocalApi.of(cloud)
    api.raise_throttles()
    api.warm_up(photo_like(SMALL, seed=2), CLIENTS)
    photos = different(photo)
    alone = load(api.connect, map(api.predict, islice(photos, ONE_BY_ONE // share)), 1)
    crowded = load(api.connect, map(api.predict, islice(photos, AT_ONCE // share)), CLIENTS)
    refuse_failures([*alone.failures(), *crowded.failures()])
    memory = api.worker_megabytes()
    return Served(alone, crowded, memory[0], sum(memory))


def _peer(port: int, process: psutil.Process, photo: bytes, share: int) -> Served:
    array = to_model_input(decode(photo))[np.newaxis]
    body = json.dumps({"inputs": array.tolist()}).encode()
    request = Request("POST", "/invocations", body, {"Content-Type": "application/json"})

    def connect() -> Connection:
        return Connection(f"http://127.0.0.1:{port}")

    refuse_failures(load(connect, repeat(request, 3), 1).failures())
    alone = load(connect, repeat(request, PEER_ONE_BY_ONE // share), 1)
    crowded = load(connect, repeat(request, PEER_AT_ONCE // share), CLIENTS)
    refuse_failures([*alone.failures(), *crowded.failures()])
    memory = [one.memory_info().rss / 2**20 for one in (process, *process.children(recursive=True))]
    return Served(alone, crowded, max(memory), sum(memory))


def _saved(cloud: LocalCloud, folder: Path) -> Any:
    """The served version's Keras model, saved in MLflow's own way."""
    file = folder / "model.keras"
    file.write_bytes(cloud.served_keras())
    model = keras.models.load_model(file, compile=False)
    mlflow.keras.save_model(model, str(folder / "model"))
    return model


@contextmanager
def _mlflow_serving(model: Path) -> Iterator[tuple[int, psutil.Process, float]]:
    port, log = free_port(), model.parent / "serve.log"
    command = ["-m", "mlflow", "models", "serve", "-m", str(model), "-p", str(port)]
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    start = time.monotonic()
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
            poll("mlflow models serve", lambda: _answers(server, port, log), START_SECONDS)
            yield port, process, time.monotonic() - start
        finally:
            for one in (*process.children(recursive=True), process):
                one.kill()


def _answers(server: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    if server.poll() is not None:
        raise BenchmarkError(f"mlflow models serve ended:\n{log.read_text()[-2000:]}")
    with Connection(f"http://127.0.0.1:{port}") as connection:
        return connection.send(Request("GET", "/ping")).status == 200


def _in_process_ms(model: Any, photo: bytes) -> float:
    array = to_model_input(decode(photo))[np.newaxis]
    return _p50_ms(lambda: model.predict(array, verbose=0), 20)


def _p50_ms(work: Any, times: int) -> float:
    seconds = []
    for _ in range(times + 3):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return 1000 * percentile(seconds[3:], 0.5)
