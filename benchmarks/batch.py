"""Batch scoring: photos a second beside bare LiteRT, what resuming costs, what the plan costs.

Through the product's own command on a local cloud, where two functions share the cores; then the
chunk's function in this process, which tells what one photo takes on AWS's two vCPU.
"""

import io
import json
import os
import time
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from botocore.response import StreamingBody

from areyouacat.batches import (
    BATCH_INPUT_PREFIX,
    Location,
    Progress,
    chunk_name,
    rows_key,
    rows_prefix,
)
from areyouacat.settings import BATCH
from benchmarks.figures import BenchmarkError, Context, Figure
from benchmarks.floor import Floor
from benchmarks.http_load import percentile
from benchmarks.local_cloud import LocalCloud, local_cloud
from benchmarks.sample_photos import SMALL, different, photo_like
from infra_cdk.costs import model
from infra_cdk.costs.usage import BATCH as USAGE
from lambdas.batch.dal.sources import Lines
from lambdas.batch.handlers import score_chunk
from lambdas.batch.logic.planning import plan

NAME: Final = "batch"
DESCRIPTION: Final = "batch scoring: photos a second beside bare LiteRT, resuming, planning"
CHUNKS, QUICK_CHUNKS = 16, 2
LINES, QUICK_LINES = 1_000_000, 10_000
FLOOR_PHOTOS, QUICK_FLOOR_PHOTOS = 300, 20
MAX_OVER_FLOOR: Final = 2.0
MAX_RESUMED_SHARE: Final = 0.5
MAX_AGAINST_MODEL: Final = 1.0
_FIRST: Final = "first"
_MILLION: Final = 1_000_000


def run(context: Context) -> list[Figure]:
    """A folder through the workflow, the same again with a quarter missing, then the parts."""
    chunks = QUICK_CHUNKS if context.quick else CHUNKS
    photos = chunks * BATCH.photos_per_chunk
    with local_cloud(context, NAME, starter=True) as cloud, TemporaryDirectory() as folder:
        for number, photo in enumerate(islice(different(photo_like(SMALL)), photos)):
            (Path(folder) / f"{number:06d}.jpg").write_bytes(photo)
        context.say(f"  {photos:,} photos in {chunks} chunks")
        first = cloud.score(["--source", folder, "--batch", _FIRST])
        missing = max(1, chunks // 4)
        _forget(cloud, missing)
        context.say(f"  again, with {missing} chunks missing")
        again = cloud.score(["--batch", _FIRST])
        context.say("  one chunk after another in this process")
        chunk_seconds, one_seconds = _chunks_here(cloud, chunks)
        floor_ms = _floor_ms(cloud, QUICK_FLOOR_PHOTOS if context.quick else FLOOR_PHOTOS)
        row_bytes = _stored_bytes(cloud) / photos
    context.say("  planning")
    planned = _lines_a_second(QUICK_LINES if context.quick else LINES)
    cores = os.cpu_count() or 1
    per_second, floor_per_second = photos / first["ScoreChunks"], cores * 1000 / floor_ms
    photo_ms = 1000 * (chunk_seconds - one_seconds) / (BATCH.photos_per_chunk - 1)
    return [
        Figure.told("photos a second, the workflow's map", per_second, "1/s",
                    f"{photos:,} photos of 500x375, {cores} cores"),
        Figure.told("photos a second, bare LiteRT", floor_per_second, "1/s",
                    f"{floor_ms:.1f} ms each on every core: decode, resize, network, nothing else"),
        Figure.at_most("map: time / bare LiteRT's", floor_per_second / per_second, "times",
                       MAX_OVER_FLOOR, "the emulator's S3 and Step Functions share the cores"),
        Figure.told("planning and summary", first["PlanBatch"] + first["SummarizeBatch"], "s"),
        Figure.at_most("resumed with a quarter missing / first run",
                       again["ScoreChunks"] / first["ScoreChunks"], "times", MAX_RESUMED_SHARE,
                       f"{missing} of {chunks} chunks"),
        Figure.told("a photo, in a function with all cores", photo_ms, "ms",
                    f"{BATCH.photos_per_chunk} photos a chunk, median of {chunks}"),
        Figure.told("a chunk, beside its photos", one_seconds, "s", "one with one photo"),
        Figure.at_most("a photo: measured / in the cost model", photo_ms / USAGE.photo_ms, "times",
                       MAX_AGAINST_MODEL),
        Figure.told("manifest lines planned a second", planned, "1/s", "S3 left out"),
        Figure.told("a row of Parquet", row_bytes, "bytes", "compressed"),
        *_projected(),
    ]  # fmt: skip


def _projected() -> list[Figure]:
    """What the cost model says, with the figures in `infra_cdk/costs/usage.py`."""
    return [
        Figure.told(
            f"reckoned: {photos:,} photos",
            sum(model.batch(photos).values()),
            "$",
            f"{model.batch_hours(photos, 500):.2f} h with 500 functions, "
            f"{model.batch_hours(photos, 3_000, manifest=True):.2f} h with 3,000 and a manifest",
        )
        for photos in (_MILLION, 100 * _MILLION)
    ]


def _forget(cloud: LocalCloud, chunks: int) -> None:
    """As if the functions of the first chunks had failed for good."""
    s3 = cloud.client("s3")
    for number in range(chunks):
        s3.delete_object(Bucket=cloud.lake, Key=rows_key(_FIRST, chunk_name(number)))


def _chunks_here(cloud: LocalCloud, chunks: int) -> tuple[float, float]:
    """Seconds of a whole chunk, and of one with a single photo: medians, the model loaded."""
    _forget(cloud, chunks)
    s3, lake = cloud.client("s3"), cloud.lake
    single = json.dumps([[lake, f"{BATCH_INPUT_PREFIX}{_FIRST}/000000.jpg"]]).encode()
    whole, alone = [], []
    with cloud.as_client(cloud.function_environment()):
        for number in range(chunks):
            name, extra = chunk_name(number), f"single-{number}"
            key = f"{rows_prefix(_FIRST).removesuffix('rows/')}plan/{extra}.json"
            s3.put_object(Bucket=lake, Key=key, Body=single)
            whole.append(_seconds(name))
            alone.append(_seconds(extra))
            s3.delete_object(Bucket=lake, Key=rows_key(_FIRST, extra))
    return percentile(whole, 0.5), percentile(alone, 0.5)


class _Invocation:
    """What Lambda tells a handler of the invocation."""

    aws_request_id: Final = "benchmark"
    function_name: Final = "score-chunk"
    memory_limit_in_mb: Final = 3_538
    invoked_function_arn: Final = "arn:aws:lambda:us-east-1:000000000000:function:score-chunk"


def _seconds(chunk: str) -> float:
    started = time.perf_counter()
    event = {"batch_id": _FIRST, "chunk": chunk}
    answer = score_chunk.handler(event, _Invocation())  # type: ignore[arg-type]
    if answer["failed"]:
        raise BenchmarkError(f"{answer['failed']} photos of the chunk {chunk} were not scored")
    return time.perf_counter() - started


def _floor_ms(cloud: LocalCloud, many: int) -> float:
    floor, times = Floor(cloud.served().tflite), []
    for photo in islice(different(photo_like(SMALL)), many):
        started = time.perf_counter()
        floor.predict(photo)
        times.append(time.perf_counter() - started)
    return 1000 * percentile(times, 0.5)


def _stored_bytes(cloud: LocalCloud) -> int:
    pages = cloud.client("s3").get_paginator("list_objects_v2")
    return sum(
        found["Size"]
        for page in pages.paginate(Bucket=cloud.lake, Prefix=rows_prefix(_FIRST))
        for found in page["Contents"]
    )


class _InMemory:
    """S3, with one manifest and nothing to wait for; and where the chunks go."""

    def __init__(self, lines: int) -> None:
        self._manifest = "".join(
            f"s3://photos/2026/{number:012d}.jpg\n" for number in range(lines)
        ).encode()
        self.chunks = 0

    def get_object(self, **asked: Any) -> dict[str, Any]:
        del asked
        body = StreamingBody(io.BytesIO(self._manifest), len(self._manifest))
        return {"Body": body}

    def put_chunk(self, number: int, photos: Any) -> None:
        json.dumps([[photo.bucket, photo.key] for photo in photos])
        self.chunks = max(self.chunks, number + 1)

    def save(self, progress: Progress) -> None:
        del progress


def _lines_a_second(lines: int) -> float:
    s3 = _InMemory(lines)
    started = time.perf_counter()
    done = plan(Lines(s3, Location("photos", "list.txt")), s3, Progress(), lambda: False)
    seconds = time.perf_counter() - started
    if (done.photos, s3.chunks) != (lines, done.chunks):
        raise BenchmarkError(f"{done.photos:,} of {lines:,} lines were planned")
    return lines / seconds
