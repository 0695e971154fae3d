"""Put labelled photos into the lake: `python -m training_job.seed <folder, zip or data set>`.

Every photo is decoded and measured once, stored under its SHA-256, and named in an index shard and
a label shard. What the lake knows already is not written again, so the same folder twice adds
nothing, and a run that was cut short is finished by running it again. Photos that were erased stay
out: a tombstone names them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from areyouacat import lake
from areyouacat.errors import RequestError
from areyouacat.image_stats import image_stats
from areyouacat.images import decode
from areyouacat.lake import SEED_SOURCE, IndexRow, LabelRecord
from areyouacat.settings import IMAGES, LABELS
from training_job.endpoints import Endpoints, UnknownEndpointError
from training_job.labelled_photos import (
    LabelledPhoto,
    LabelledPhotos,
    LabelledPhotosError,
    UnreadableFileError,
)
from training_job.photo_folders import open_photos
from training_job.seed_lake import KnownPhotos, Lake
from training_job.tfds_photos import builder_named, open_builder

WORKERS = 8
SHARD_ROWS = 2_000
"""Rows in an index or label shard, and so the photos that an interrupted run repeats."""

MAX_UNREADABLE_SHARE = 0.2
NAMED_PROBLEMS = 10
PROGRESS_SECONDS = 5.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class _Ingested:
    """What one file came to: a photo that is in the lake, or the reason why it is not."""

    file: LabelledPhoto
    photo: str = ""
    row: IndexRow | None = None
    """Absent if the lake knew the photo."""
    is_erased: bool = False
    problem: str = ""


@dataclass
class Summary:
    """Counts of one run."""

    files: int = 0
    photos_added: int = 0
    labels_added: int = 0
    unreadable: int = 0
    contradicting: int = 0
    erased: int = 0
    """Photos that a tombstone keeps out."""
    problems: list[str] = field(default_factory=list)
    """The first few files left out, with the reason."""

    @property
    def is_acceptable(self) -> bool:
        """Whether so few files were left out that the data set can be trusted."""
        return self.unreadable + self.contradicting <= MAX_UNREADABLE_SHARE * self.files


def seed(photos: LabelledPhotos, photos_lake: Lake, source_name: str, say: Say) -> Summary:
    """Bring every photo into the lake, in the order in which they come.

    `source_name` is written beside every photo and label. Raises `LabelledPhotosError` before
    anything is written if they are not labelled.
    """
    found = photos.find()
    say(f"Found {found.photos:,} files: {found.words}")
    known = photos_lake.known_photos()
    now = datetime.now(UTC)
    summary = Summary()
    batch = _Batch(photos_lake, now.date().isoformat())
    this_run: dict[bytes, str] = {}
    progress = _Progress(found.photos, say)
    ingest = _Ingest(photos_lake, known, source_name, lake.utc_text(now))

    for done in _in_order(ingest, photos):
        summary.files += 1
        progress.step(summary)
        if done.problem:
            summary.unreadable += 1
            _remember(summary, f"{done.file.name}: {done.problem}")
            continue
        if done.is_erased:
            summary.erased += 1
            continue
        photo, label = bytes.fromhex(done.photo), done.file.label
        if this_run.setdefault(photo, label) != label:
            summary.contradicting += 1
            _remember(summary, f"{done.file.name}: the same photo is also a '{this_run[photo]}'")
            continue
        if done.row and known.add(photo):
            batch.rows.append(done.row)
            summary.photos_added += 1
        if known.labels.get(photo) != label:
            known.labels[photo] = label
            batch.labels.append(LabelRecord(done.photo, label, SEED_SOURCE, source_name, ingest.at))
            summary.labels_added += 1
        batch.flush(at_least=SHARD_ROWS)
    batch.flush(at_least=1)
    return summary


@dataclass(frozen=True)
class _Ingest:
    """Brings the bytes of one file into the lake; called by several threads at once."""

    lake: Lake
    known: KnownPhotos
    source_name: str
    at: str

    def __call__(self, file: LabelledPhoto) -> _Ingested:
        try:
            data = file.read(IMAGES.max_bytes)
            photo = lake.sha256_hex(data)
            if bytes.fromhex(photo) in self.known.erased:
                return _Ingested(file, photo, is_erased=True)
            if bytes.fromhex(photo) in self.known:
                return _Ingested(file, photo)
            stats = image_stats(decode(data))
        except (UnreadableFileError, RequestError) as error:
            return _Ingested(file, problem=str(error))
        if not self.lake.put_photo(photo, data):  # erased since seeding began
            return _Ingested(file, photo, is_erased=True)
        row = IndexRow(
            photo=photo,
            size_bytes=len(data),
            source=self.source_name,
            ingested_at=self.at,
            **asdict(stats),
        )
        return _Ingested(file, photo, row)


def _in_order(
    work: Callable[[LabelledPhoto], _Ingested], files: Iterable[LabelledPhoto]
) -> Iterator[_Ingested]:
    """Work on several files side by side; results come in the files' order, few are in memory."""
    with ThreadPoolExecutor(WORKERS) as pool:
        waiting: deque[Future[_Ingested]] = deque()
        try:
            for file in files:
                waiting.append(pool.submit(work, file))
                if len(waiting) >= 4 * WORKERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class _Batch:
    """Rows on their way into shards. Photos are in the lake before any shard names them."""

    def __init__(self, photos_lake: Lake, day: str) -> None:
        self._lake, self._day = photos_lake, day
        self.rows: list[IndexRow] = []
        self.labels: list[LabelRecord] = []

    def flush(self, at_least: int) -> None:
        if max(len(self.rows), len(self.labels)) < at_least:
            return
        if self.rows:
            self._lake.put_index_shard(self._day, self.rows)
        if self.labels:
            self._lake.put_label_shard(self._day, self.labels)
        self.rows, self.labels = [], []


class _Progress:
    def __init__(self, expected: int, say: Say) -> None:
        self._expected, self._say = expected, say
        self._started = self._said = time.monotonic()

    def step(self, summary: Summary) -> None:
        now = time.monotonic()
        if now - self._said >= PROGRESS_SECONDS:
            self._said = now
            rate = summary.files / (now - self._started)
            self._say(f"  {summary.files:,} of {self._expected:,} files, {rate:,.0f} a second")


def _remember(summary: Summary, problem: str) -> None:
    if len(summary.problems) < NAMED_PROBLEMS:
        summary.problems.append(problem)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 all but few files are in the lake, 1 too many were left out, 2 not begun."""
    parser = argparse.ArgumentParser(
        prog="python -m training_job.seed",
        description="Put labelled photos into the lake.",
        epilog=f"Photos lie in folders named {' or '.join(LABELS.all)}, at any depth.",
    )
    parser.add_argument(
        "photos",
        help="a folder, a zip file, cats_vs_dogs, or tfds:<builder of TensorFlow Datasets>",
    )
    parser.add_argument("--source", default="", help="name written beside the photos")
    parser.add_argument(
        "--positive",
        default=LABELS.positive,
        help=f"the class of a data set that is a '{LABELS.positive}'; every other is not",
    )
    options = parser.parse_args(arguments)
    builder = builder_named(options.photos)
    try:
        endpoints = Endpoints.load()
        photos_lake = Lake(endpoints.client("s3"), endpoints.require_lake_bucket())
        with (
            open_builder(builder, options.positive, LABELS)
            if builder
            else open_photos(Path(options.photos), LABELS.all)
        ) as photos:
            source = options.source or builder or SEED_SOURCE
            summary = seed(photos, photos_lake, source, lambda line: print(line, flush=True))
    except (LabelledPhotosError, UnknownEndpointError) as error:
        print(error, file=sys.stderr)
        return 2
    except (BotoCoreError, ClientError) as error:
        print(f"The lake cannot be reached or refused: {error}. Is it up?", file=sys.stderr)
        return 2
    return _report(summary)


def _report(summary: Summary) -> int:
    left_out = summary.unreadable + summary.contradicting
    print(
        f"Added {summary.photos_added:,} photos and {summary.labels_added:,} labels "
        f"from {summary.files:,} files; {left_out:,} left out."
    )
    if summary.erased:
        print(
            f"  {summary.erased:,} photos stay out: they were erased. To let one in again, take "
            f"its tombstone {lake.TOMBSTONES_PREFIX}<sha256> and the empty object "
            f"{lake.PHOTOS_PREFIX}<its first two digits>/<sha256> out of the lake."
        )
    for problem in summary.problems:
        print(f"  left out: {problem}")
    if left_out > len(summary.problems):
        print(f"  … and {left_out - len(summary.problems):,} more")
    if summary.is_acceptable:
        return 0
    print(
        f"More than {MAX_UNREADABLE_SHARE:.0%} of the files were left out: "
        "is this the right folder? What could be read is in the lake.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
