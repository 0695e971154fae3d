"""The snapshot benchmark: the lake it makes, and a run of it all at a small size."""

import json
from pathlib import Path

import pytest

from areyouacat.lake import INDEX_PREFIX, IndexRow, load_shard
from benchmarks import snapshot
from benchmarks.figures import Context


def test_a_small_run_tells_time_growth_and_memory(tmp_path: Path) -> None:
    said: list[str] = []

    figures = snapshot.run(Context(None, quick=True, state=tmp_path, say=said.append))

    assert [figure.name for figure in figures] == [
        "2,000 rows",
        "4,000 rows",
        "growth of its time",
        "memory at 4,000 rows",
    ]
    memory = figures[-1]
    assert memory.met
    assert 20 < memory.value < 200
    assert list(tmp_path.iterdir()) == []
    assert said


def test_the_lake_is_the_same_each_time_and_holds_look_alikes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        snapshot.generate(tmp_path / name, snapshot.SHARD_ROWS)

    (shard,) = (tmp_path / "one" / INDEX_PREFIX).rglob("*.gz")
    (other,) = (tmp_path / "other" / INDEX_PREFIX).rglob("*.gz")
    assert shard.read_bytes() == other.read_bytes()
    hashes = [row.perceptual_hash for row in load_shard(shard.read_bytes(), IndexRow)]
    assert len(set(hashes)) < len(hashes) == snapshot.SHARD_ROWS


def test_a_snapshot_that_lost_photos_is_no_measurement(tmp_path: Path) -> None:
    snapshot.generate(tmp_path, snapshot.SHARD_ROWS)

    with pytest.raises(RuntimeError, match="2000 photos of 2001"):
        snapshot.main(str(tmp_path), "2001")


def test_a_measurement_reads_only_the_shards_it_was_told(tmp_path: Path) -> None:
    snapshot.generate(tmp_path, 2 * snapshot.SHARD_ROWS)

    measured = snapshot.main(str(tmp_path), str(snapshot.SHARD_ROWS))

    assert json.loads(json.dumps(measured))["rows"] == snapshot.SHARD_ROWS
