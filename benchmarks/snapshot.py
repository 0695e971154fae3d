"""SnapshotDataset over a large index: time, memory, and how both grow.

The lake is generated in a folder; each measurement is the real `snapshot` in a process of its own:
`python -m benchmarks.snapshot <folder> <rows>` is one of them.
"""

import hashlib
import json
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from areyouacat.lake import (
    FEEDBACK_SOURCE,
    INDEX_PREFIX,
    LABELS_PREFIX,
    IndexRow,
    LabelRecord,
    dump_shard,
    features_prefix,
    utc_text,
)
from areyouacat.predictions import PredictionItem
from areyouacat.settings import BACKBONE, LABELS
from benchmarks.exponents import power_law
from benchmarks.figures import Context, Figure
from benchmarks.process import Cost, Meter, run_alone

NAME: Final = "snapshot"
DESCRIPTION: Final = "A data set version of up to 1,000,000 index rows: seconds, growth, memory"

SHARD_ROWS: Final = 2_000
SIZES: Final = (126_000, 250_000, 500_000, 1_000_000)
QUICK_SIZES: Final = (2_000, 4_000)
MAX_MEMORY_MB: Final = 500.0
MAX_SECONDS: Final = 840.0  # the function's timeout
MAX_EXPONENT: Final = 1.15

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_SEED: Final = 20_260_101
_LOOKS_REMEMBERED: Final = 50_000


def run(context: Context) -> list[Figure]:
    """Generate one lake and take snapshots of its first rows, more each time."""
    sizes = QUICK_SIZES if context.quick else SIZES
    with TemporaryDirectory(dir=context.state) as folder:
        context.say(f"Generating a lake of {sizes[-1]:,} index rows")
        generate(Path(folder), sizes[-1])
        measured = []
        for rows in sizes:
            context.say(f"Snapshot of {rows:,} rows")
            measured.append(measure(Path(folder), rows))
    return _figures(measured)


@dataclass(frozen=True, slots=True)
class Measured(Cost):
    """One snapshot."""

    rows: int
    groups: int

    @property
    def note(self) -> str:
        """What else there is to say."""
        return (
            f"{self.seconds / self.rows * 100_000:.2f} s per 100,000 rows, "
            f"{self.processor_seconds:.1f} s of processor, "
            f"{self.memory_mb:.0f} MB, {self.groups:,} groups of look-alikes"
        )


def measure(folder: Path, rows: int) -> Measured:
    """One snapshot of the first rows of the lake in that folder; whole shards, or all of them."""
    return Measured(**run_alone("benchmarks.snapshot", str(folder), str(rows)))


def _figures(measured: Sequence[Measured]) -> list[Figure]:
    *smaller, largest = measured
    grown = power_law([one.rows for one in measured], [one.processor_seconds for one in measured])
    return [
        *(Figure.told(f"{one.rows:,} rows", one.seconds, "s", one.note) for one in smaller),
        Figure.at_most(f"{largest.rows:,} rows", largest.seconds, "s", MAX_SECONDS, largest.note),
        Figure.at_most(
            "growth of its time",
            grown.exponent.value,
            "",
            MAX_EXPONENT,
            "exponent fitted to processor seconds; 1 is linear",
        ),
        Figure.at_most(
            f"memory at {largest.rows:,} rows",
            largest.memory_mb,
            "MB",
            MAX_MEMORY_MB,
            "peak of the whole process",
        ),
    ]


def generate(folder: Path, rows: int) -> None:
    """Index, labels, and feature lists of every other shard: so many rows, the same each time.

    Of 100 photos 2 are as good as an earlier one (at most 3 bits apart), 1 looks the same, and 1
    is nearly plain: its hash has few bits set, so that many of them share blocks.
    """
    chance = random.Random(_SEED)  # noqa: S311
    looks: list[int] = []
    for shard in range(_shards(rows)):
        moment = utc_text(_START + timedelta(minutes=shard))
        name = f"{shard:06d}"
        held = range(min(SHARD_ROWS, rows - shard * SHARD_ROWS))
        index = [_row(shard, number, moment, chance, looks) for number in held]
        _put(folder, f"{INDEX_PREFIX}2026-01-01/{name}.jsonl.gz", dump_shard(index))
        _put(folder, f"{LABELS_PREFIX}2026-01-01/{name}.jsonl.gz", dump_shard(_labels(index)))
        if shard % 2:
            names = "".join(f"{row.photo}\n" for row in index)
            _put(folder, f"{features_prefix(BACKBONE.hash)}{name}.txt", names.encode())
        del looks[:-_LOOKS_REMEMBERED]


def _shards(rows: int) -> int:
    return -(-rows // SHARD_ROWS)


def _row(shard: int, number: int, moment: str, chance: random.Random, looks: list[int]) -> IndexRow:
    kind = chance.random()
    if kind < 0.02 and looks:
        value = chance.choice(looks)
        for _ in range(chance.randint(1, 3)):
            value ^= 1 << chance.randrange(64)
    elif kind < 0.03 and looks:
        value = chance.choice(looks)
    elif kind < 0.04:
        value = sum(1 << bit for bit in chance.sample(range(64), 6))
    else:
        value = chance.getrandbits(64)
    looks.append(value)
    return IndexRow(
        photo=hashlib.sha256(f"{shard}/{number}".encode()).hexdigest(),
        size_bytes=chance.randint(10_000, 200_000),
        width=chance.randint(80, 500),
        height=chance.randint(80, 500),
        format="JPEG",
        brightness=round(chance.random(), 6),
        contrast=round(chance.random() / 2, 6),
        sharpness=round(chance.random() / 10, 6),
        perceptual_hash=f"{value:016x}",
        source=FEEDBACK_SOURCE if shard % 10 == 9 else f"folder-{shard % 7}",
        ingested_at=moment,
    )


def _labels(index: Sequence[IndexRow]) -> Iterator[LabelRecord]:
    for row in index:
        label = LABELS.all[int(row.photo[0], 16) % 2]
        source = "feedback" if row.source == FEEDBACK_SOURCE else "seed"
        yield LabelRecord(row.photo, label, source, "benchmark", row.ingested_at)


def _put(folder: Path, key: str, data: bytes) -> None:
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


class FolderLake:
    """The lake's objects as files; of index, labels and features only the first so many shards."""

    def __init__(self, root: Path, shards: int) -> None:
        self._root, self._shards = root, shards

    def uri(self, key: str) -> str:
        """The `s3://` address of a key."""
        return f"s3://lake/{key}"

    def key(self, uri: str) -> str:
        """The key of an `s3://` address."""
        return uri.removeprefix(self.uri(""))

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders right under `prefix`, in order."""
        return sorted(path.name for path in (self._root / prefix).iterdir() if path.is_dir())

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys under `prefix`, in order."""
        files = sorted(path for path in (self._root / prefix).rglob("*") if path.is_file())
        numbered = (path for path in files if int(path.name.split(".")[0]) < self._shards)
        return (str(path.relative_to(self._root)) for path in numbered)

    def size(self, key: str) -> int | None:
        """An object's size, or None."""
        file = self._root / key
        return file.stat().st_size if file.exists() else None

    def read(self, key: str) -> bytes | None:
        """An object's bytes."""
        return (self._root / key).read_bytes()

    def write(self, key: str, data: bytes, _content_type: str) -> None:
        """Store an object."""
        _put(self._root, key, data)

    def write_stream(self, key: str, chunks: Iterable[bytes], _content_type: str) -> None:
        """Store an object chunk by chunk."""
        _put(self._root, key, b"")
        with (self._root / key).open("wb") as file:
            file.writelines(chunks)


class NoFeedback:
    """Neither feedback nor a watermark: what is measured is the lake."""

    def labelled_between(self, _start: datetime, _end: datetime) -> Iterable[PredictionItem]:
        """Nothing."""
        return ()

    def feedback_watermark(self) -> datetime | None:
        """None yet."""
        return None

    def move_feedback_watermark(self, up_to: datetime) -> None:
        """Nothing to remember."""


def main(folder: str, rows: str) -> dict[str, Any]:
    """Take one snapshot, everything that the function imports beside it."""
    # The handler brings what the function has in memory beside its work.
    import lambdas.pipeline.handlers.snapshot_dataset  # noqa: F401, PLC0415
    from lambdas.pipeline.logic.snapshot import snapshot  # noqa: PLC0415

    lake = FolderLake(Path(folder), _shards(int(rows)))
    meter = Meter()
    made = snapshot(lake, NoFeedback(), NoFeedback(), _START + timedelta(days=2))
    cost = meter.read()
    summary = json.loads((Path(folder) / made.summary_key).read_bytes())
    if summary["photos"] != int(rows):
        raise RuntimeError(f"{summary['photos']} photos of {rows} rows")
    return {**asdict(cost), "rows": int(rows), "groups": summary["look_alikes"]["groups"]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*islice(sys.argv, 1, 3))))
