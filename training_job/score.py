"""Score many photos: `python -m training_job.score --source <folder or s3://bucket/prefix>`.

Starts the batch workflow and follows it. A folder's files are put into the lake first, where they
expire after some days. What is already scored is never scored again: the same `--batch` goes on.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from areyouacat import batches
from areyouacat.batches import Progress
from training_job.endpoints import Endpoints, UnknownEndpointError
from training_job.follow import POLL_SECONDS, start_and_follow

MACHINE = "batch"
UPLOADERS = 16
PROGRESS_SECONDS = 5.0

Say = Callable[[str], None]


class NothingToScoreError(Exception):
    """What was named is not there; the message says what is."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: as `training_job.follow`; 2 as well for photos that are not there."""
    options = _parser().parse_args(arguments)
    if not options.source and not options.manifest and not options.batch:
        _parser().error("say what to score: --source, --manifest, or the --batch that is to go on")
    batch_id = options.batch or new_id(datetime.now(UTC))
    try:
        endpoints = Endpoints.load()
        s3, lake = endpoints.client("s3"), endpoints.require_lake_bucket()
        asked = {
            "batch_id": batch_id,
            "source": options.source and placed_folder(s3, lake, batch_id, options.source, _say),
            "manifest": options.manifest and placed_file(s3, lake, batch_id, options.manifest),
            "model_version": options.model_version,
        }
    except (UnknownEndpointError, NothingToScoreError) as error:
        print(error, file=sys.stderr)
        return 2
    except (BotoCoreError, ClientError) as error:
        print(f"S3 cannot be reached or refused: {error}", file=sys.stderr)
        return 2
    given = {name: value for name, value in asked.items() if value}
    code = start_and_follow(MACHINE, json.dumps(given), BatchProgress(s3, lake, batch_id, _say))
    if code == 0:
        _tell_where(s3, lake, batch_id, options.to)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training_job.score", description="Score many photos into Parquet."
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--source", help="a folder, or what the photos' addresses begin with")
    what.add_argument("--manifest", help="a file, here or in S3, that names one photo per line")
    parser.add_argument("--batch", help="the id to begin a batch under, or to go on with")
    parser.add_argument("--model-version", help="a registered version; else the champion")
    parser.add_argument("--to", type=Path, help="a folder for the rows, once they are there")
    return parser


def new_id(now: datetime) -> str:
    """An id that nobody else has; sorts by time."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def placed_folder(s3: Any, lake: str, batch_id: str, source: str, say: Say) -> str:
    """The address of the photos: a folder's files are put into the lake.

    Raises:
        NothingToScoreError: no such folder, or no file in it.
    """
    if source.startswith(batches.S3_SCHEME):
        return source
    folder = Path(source)
    files = sorted(_files(folder)) if folder.is_dir() else []
    if not files:
        raise NothingToScoreError(
            f"There is no photo in {source}: name a folder with photos, or s3://bucket/prefix."
        )
    prefix = f"{batches.BATCH_INPUT_PREFIX}{batch_id}/"
    say(f"Putting {len(files):,} files into s3://{lake}/{prefix}")

    def put(file: Path) -> None:
        key = f"{prefix}{file.relative_to(folder).as_posix()}"
        s3.put_object(Bucket=lake, Key=key, Body=file.read_bytes())

    told = time.monotonic()
    with ThreadPoolExecutor(UPLOADERS) as pool:
        for number, _ in enumerate(pool.map(put, files), start=1):
            if time.monotonic() - told > PROGRESS_SECONDS:
                told = time.monotonic()
                say(f"  {number:,} of {len(files):,}")
    return f"s3://{lake}/{prefix}"


def placed_file(s3: Any, lake: str, batch_id: str, manifest: str) -> str:
    """The address of a manifest: one that lies here is put into the lake.

    Raises:
        NothingToScoreError: there is no such file.
    """
    if manifest.startswith(batches.S3_SCHEME):
        return manifest
    file = Path(manifest)
    if not file.is_file():
        raise NothingToScoreError(f"There is no file {manifest}.")
    key = f"{batches.BATCH_INPUT_PREFIX}{batch_id}/{file.name}"
    s3.put_object(Bucket=lake, Key=key, Body=file.read_bytes())
    return f"s3://{lake}/{key}"


def _files(folder: Path) -> Iterator[Path]:
    """Regular files at any depth, but for what is hidden, such as .DS_Store."""
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden:
            yield path


class BatchProgress:
    """Waits between two looks at the workflow, and says every few seconds how far it is."""

    def __init__(self, s3: Any, lake: str, batch_id: str, say: Say) -> None:
        """`s3` is a boto3 client."""
        self._s3 = s3
        self._lake = lake
        self._id = batch_id
        self._say = say
        self._told_at = time.monotonic()
        self._told = ""

    def __call__(self) -> None:
        """Wait a moment; say what is new."""
        time.sleep(POLL_SECONDS)
        if time.monotonic() - self._told_at < PROGRESS_SECONDS:
            return
        self._told_at = time.monotonic()
        line = self._line()
        if line != self._told:
            self._told = line
            self._say(line)

    def _line(self) -> str:
        try:
            key = batches.progress_key(self._id)
            stored = self._s3.get_object(Bucket=self._lake, Key=key)["Body"].read()
        except ClientError:
            return ""  # nothing is planned yet
        plan = Progress(**json.loads(stored))
        if not plan.whole:
            return f"    | planning: {plan.photos:,} photos so far"
        done = sum(1 for _ in _keys(self._s3, self._lake, batches.rows_prefix(self._id)))
        return f"    | {done:,} of {plan.chunks:,} chunks scored ({plan.photos:,} photos)"


def _keys(s3: Any, lake: str, prefix: str) -> Iterator[str]:
    pages = s3.get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=lake, Prefix=prefix):
        yield from (found["Key"] for found in page.get("Contents", ()))


def _tell_where(s3: Any, lake: str, batch_id: str, folder: Path | None) -> None:
    uri = f"s3://{lake}/{batches.rows_prefix(batch_id)}"
    print(f"Rows: {uri} (Parquet, one row per photo)")
    failures = batches.failures_prefix(batch_id)
    if any(True for _ in _keys(s3, lake, failures)):
        print(f"Not scored, and why: s3://{lake}/{failures} (JSON lines; the rows say it, too)")
    if folder is None:
        print(f"  To have them here: make score BATCH={batch_id} TO=rows")
        return
    folder.mkdir(parents=True, exist_ok=True)
    for key in _keys(s3, lake, batches.rows_prefix(batch_id)):
        (folder / key.rpartition("/")[2]).write_bytes(
            s3.get_object(Bucket=lake, Key=key)["Body"].read()
        )
    print(f"  and in {folder}: pandas.read_parquet({str(folder)!r})")


def _say(line: str) -> None:
    if line:
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
