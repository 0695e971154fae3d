"""What a backup is made of: items as lines, a table that is busy, MLflow's database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from training_job.backups.folder import BackupFolder
from training_job.backups.progress import Progress
from training_job.backups.registry import LocalRegistry, RegistryCopyError, database_of
from training_job.backups.tables import Item, NotWrittenError, Packed, TableCopier, unpacked
from training_job.endpoints import Endpoints

ITEM: Item = {
    "id": {"S": "é\n"},
    "bytes": {"B": b"\x00\xff"},
    "more": {"BS": [b"\x01", b"\x02"]},
    "map": {"M": {"B": {"N": "1"}, "BS": {"L": [{"B": b"\x03"}, {"NULL": True}]}}},
}


def test_items_of_every_type_are_the_same_once_they_were_lines(tmp_path: Path) -> None:
    packed = Packed([ITEM, {"id": {"S": "other"}}])
    content = BackupFolder(tmp_path)
    content.prepare()

    file = content.file(content.keep(packed))

    assert list(unpacked(file)) == [ITEM, {"id": {"S": "other"}}]
    assert packed.count == 2


class BusyTable:
    """Takes one item of each request, or none."""

    def __init__(self, *, taken: int) -> None:
        self.items: list[Item] = []
        self._taken = taken

    def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        ((name, requests),) = RequestItems.items()
        self.items += [one["PutRequest"]["Item"] for one in requests[: self._taken]]
        left = requests[self._taken :]
        return {"UnprocessedItems": {name: left} if left else {}}


def test_what_a_busy_table_did_not_take_is_given_to_it_again_more_slowly() -> None:
    busy, waited = BusyTable(taken=1), list[float]()
    items: list[Item] = [{"id": {"S": str(number)}} for number in range(3)]

    written = TableCopier(busy, "table", sleep=waited.append).put(items)

    assert (written, busy.items) == (3, items)
    assert waited == sorted(waited)
    assert len(waited) == 2


def test_a_table_that_takes_nothing_is_given_up_in_words() -> None:
    table = TableCopier(BusyTable(taken=0), "table", sleep=lambda _: None)

    with pytest.raises(NotWrittenError, match="Run the same command again"):
        table.put([ITEM])


def database(file: Path, runs: list[str], schema: str = "one") -> Path:
    """As much of MLflow's database as matters here."""
    file.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(file)) as made, made:
        made.execute("CREATE TABLE alembic_version (version_num)")
        made.execute("CREATE TABLE runs (run_uuid)")
        made.execute("INSERT INTO alembic_version VALUES (?)", (schema,))
        made.executemany("INSERT INTO runs VALUES (?)", [(run,) for run in runs])
    return file


def test_the_registry_is_copied_back_under_a_server_that_has_it_open(tmp_path: Path) -> None:
    live = database(tmp_path / "live.db", ["a", "b"])
    copy = tmp_path / "copy.db"
    with LocalRegistry(live).snapshot() as snapshot:
        copy.write_bytes(snapshot.read_bytes())

    with closing(sqlite3.connect(live)) as server:
        server.execute("DELETE FROM runs")
        server.commit()
        registry = LocalRegistry(live)
        registry.check(copy)
        assert not registry.has_more_than(copy)
        registry.replace_with(copy)

        assert server.execute("SELECT run_uuid FROM runs").fetchall() == [("a",), ("b",)]


def test_runs_that_a_backup_does_not_know_are_noticed(tmp_path: Path) -> None:
    copy = database(tmp_path / "copy.db", ["a"])

    assert LocalRegistry(database(tmp_path / "live.db", ["a", "b"])).has_more_than(copy)


@pytest.mark.parametrize("other", ["of another version", "no database"])
def test_a_copy_that_the_running_mlflow_could_not_read_is_refused(
    tmp_path: Path, other: str
) -> None:
    copy = tmp_path / "copy.db"
    if other == "no database":
        copy.write_bytes(b"something else, and longer than a header of SQLite's is." * 4)
    else:
        database(copy, [], schema="two")

    with pytest.raises(RegistryCopyError):
        LocalRegistry(database(tmp_path / "live.db", [])).check(copy)


def test_only_a_local_cloud_has_a_database_to_copy(tmp_path: Path) -> None:
    database(tmp_path / "mlflow" / "mlflow.db", [])
    here = {"LOCAL_STATE_DIR": str(tmp_path)}

    assert database_of(Endpoints(aws_endpoint_url="https://localhost"), here)
    assert database_of(Endpoints(), here) is None
    assert database_of(
        Endpoints(aws_endpoint_url="https://elsewhere"), {"LOCAL_STATE_DIR": "/"}
    ) is (None)


def test_progress_is_told_about_ten_times() -> None:
    lines: list[str] = []
    progress = Progress("looked at", 250, lines.append)

    for _ in range(250):
        progress.add(1_000_000)

    assert len(lines) == 10
    assert lines[-1] == "  looked at 250 of 250 objects, 250.0 MB"
