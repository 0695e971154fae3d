"""MLflow's database of the local cloud; on AWS the registry is a service with no such copy."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from training_job.endpoints import STATE_DIR, Endpoints

_WAIT_SECONDS: Final = 30.0


class RegistryCopyError(Exception):
    """The database cannot be copied; the message names the reason and the remedy."""


def database_of(
    endpoints: Endpoints, environment: Mapping[str, str] = os.environ
) -> LocalRegistry | None:
    """The local cloud's database, if these endpoints are a local cloud's."""
    file = Path(environment.get("LOCAL_STATE_DIR") or STATE_DIR) / "mlflow" / "mlflow.db"
    return LocalRegistry(file) if endpoints.aws_endpoint_url and file.exists() else None


class LocalRegistry:
    """An MLflow database, copied page by page while its server runs (SQLite's backup API)."""

    def __init__(self, file: Path) -> None:
        """`file` is the live database."""
        self._file = file

    @contextmanager
    def snapshot(self) -> Iterator[Path]:
        """A copy of one moment, as long as the context lasts."""
        with TemporaryDirectory() as folder:
            copy = Path(folder) / "mlflow.db"
            _copy(self._file, copy)
            yield copy

    def has_more_than(self, copy: Path) -> bool:
        """Whether the live database knows runs that the copy does not."""
        with closing(sqlite3.connect(self._file)) as live:
            live.execute("ATTACH ? AS copy", (str(copy),))
            more = live.execute("SELECT run_uuid FROM runs EXCEPT SELECT run_uuid FROM copy.runs")
            return more.fetchone() is not None

    def check(self, copy: Path) -> None:
        """Whether a copy can take the live database's place.

        Raises:
            RegistryCopyError: another version of MLflow made it.
        """
        there, here = _schema(copy), _schema(self._file)
        if there != here:
            raise RegistryCopyError(
                f"MLflow's database in the backup has schema {there}, the one that runs {here}. "
                "Restore with the MLflow that the backup was made with, then upgrade."
            )

    def replace_with(self, copy: Path) -> None:
        """Let the live database say what the copy says; the server goes on with it."""
        _copy(copy, self._file)


def _copy(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(source, timeout=_WAIT_SECONDS)) as read,
        closing(sqlite3.connect(target, timeout=_WAIT_SECONDS)) as written,
    ):
        try:
            read.backup(written)
        except sqlite3.Error as error:
            raise RegistryCopyError(
                f"MLflow's database {source} cannot be copied to {target}: {error}. "
                "Let what trains come to its end, then run the same command again."
            ) from error


def _schema(file: Path) -> str:
    with closing(sqlite3.connect(file)) as database:
        try:
            (version,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        except (sqlite3.Error, TypeError) as error:
            raise RegistryCopyError(f"{file} is no MLflow database: {error}.") from error
    return str(version)
