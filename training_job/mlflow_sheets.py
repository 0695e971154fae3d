"""MLflow's picture sheets of worst mistakes, where its artifacts are not in the lake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from areyouacat.mlflow_server import prepare_client
from training_job.erase_plan import SHEET, SHEET_PHOTOS
from training_job.erasing import Photos, names_any

_RUNS_AT_ONCE = 500


class SheetsUnreachableError(Exception):
    """The MLflow server does not answer; the message names the remedy."""


class MlflowSheets:
    """The runs of one tracking server that carry a sheet with its list of photos."""

    def __init__(self, uri: str) -> None:
        """Nothing is asked before the first call."""
        prepare_client(uri, retries=2)
        # Imported here: it takes seconds.
        from mlflow import MlflowClient  # noqa: PLC0415

        self._uri, self._client = uri, MlflowClient(tracking_uri=uri)

    def runs(self) -> Iterator[str]:
        """Ids of all runs, deleted ones included: their artifacts stay."""
        from mlflow.entities import ViewType  # noqa: PLC0415

        experiments = self._client.search_experiments(view_type=ViewType.ALL)
        token: str | None = None
        while True:
            page = self._client.search_runs(
                [found.experiment_id for found in experiments],
                run_view_type=ViewType.ALL,
                max_results=_RUNS_AT_ONCE,
                page_token=token,
            )
            yield from (run.info.run_id for run in page)
            token = page.token
            if not token:
                return

    def photo_list(self, run_id: str) -> bytes | None:
        """The list beside a run's sheet, or None."""
        names = {artifact.path for artifact in self._client.list_artifacts(run_id)}
        if SHEET_PHOTOS not in names:
            return None
        with TemporaryDirectory() as folder:
            return Path(self._client.download_artifacts(run_id, SHEET_PHOTOS, folder)).read_bytes()

    def delete(self, run_id: str) -> None:
        """Delete a run's sheet, then its list."""
        from mlflow.store.artifact.artifact_repository_registry import (  # noqa: PLC0415
            get_artifact_repository,
        )

        artifacts: Any = get_artifact_repository(
            self._client.get_run(run_id).info.artifact_uri, tracking_uri=self._uri
        )
        names = {artifact.path for artifact in self._client.list_artifacts(run_id)}
        for name in (SHEET, SHEET_PHOTOS):
            if name in names:
                artifacts.delete_artifacts(name)


def erase_sheets(
    uri: str, photos: Photos, connect: Callable[[str], MlflowSheets] = MlflowSheets
) -> list[str]:
    """Delete every sheet that shows one of the photos; the ids of its runs.

    Raises:
        SheetsUnreachableError: the server does not answer, or refuses.
    """
    from mlflow.exceptions import MlflowException  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415

    try:
        sheets = connect(uri)
        guilty = []
        for run_id in sheets.runs():
            named = sheets.photo_list(run_id)
            if named is not None and names_any(named, photos):
                sheets.delete(run_id)
                guilty.append(run_id)
    except (MlflowException, RequestException) as error:
        raise SheetsUnreachableError(
            f"MLflow at {uri} does not answer as it should: {error}. Its sheets of worst mistakes "
            "may still show the photo; start it and run the same command again."
        ) from error
    return guilty
