"""All jobs there ever were, in memory and as one JSON file each."""

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from local_cloud.sagemaker.errors import ResourceInUseError
from local_cloud.sagemaker.records.jobs import Job, JobKey, Outcome

_log = logging.getLogger(__name__)
_ORPHANED = "InternalServerError: the local cloud stopped while the job ran"
ORPHANED_OUTCOME = Outcome("Failed", "Failed", "The job failed", failure_reason=_ORPHANED)
_LOOK_SECONDS = 0.5


class JobStore:
    """Thread-safe. A record is on disk, whole, before any caller sees it.

    Opening the store ends the jobs that a former process left unfinished as Failed.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._changed = threading.Condition()
        self._jobs: dict[JobKey, Job] = {}
        directory.mkdir(parents=True, exist_ok=True)
        for path in sorted(directory.glob("*/*/*/*.json")):
            self._load(path)

    def _load(self, path: Path) -> None:
        try:
            job = Job.from_json(json.loads(path.read_text()))
        except (ValueError, KeyError, TypeError) as error:
            # Written atomically, so this is not a crash's doing: keep the file, go on without it.
            _log.warning("ignoring the unreadable job record %s: %s", path, error)
            return
        if job.has_ended:
            self._jobs[job.key] = job
        else:
            self._put(job.ended(ORPHANED_OUTCOME, time.time()))

    def create(self, job: Job) -> None:
        """Add a job; ResourceInUseError if its name is taken."""
        with self._changed:
            if job.key in self._jobs:
                kind = job.key.kind.replace("-", " ")
                raise ResourceInUseError(
                    f"{kind.capitalize()} names must be unique within an AWS account and region,"
                    f" and a {kind} with this name already exists ({job.key.arn})"
                )
            self._put(job)

    def remove(self, key: JobKey, check: Callable[[Job], None]) -> None:
        """Forget an existing job, unless `check` raises."""
        with self._changed:
            check(self._jobs[key])
            self._path(key).unlink(missing_ok=True)
            del self._jobs[key]

    def get(self, key: JobKey) -> Job | None:
        """The job, or None."""
        with self._changed:
            return self._jobs.get(key)

    def all(self) -> list[Job]:
        """Every job, in no particular order."""
        with self._changed:
            return list(self._jobs.values())

    def update(self, key: JobKey, change: Callable[[Job], Job]) -> Job:
        """Replace an existing job by `change(job)`, which sees it as nobody else changes it."""
        with self._changed:
            job = change(self._jobs[key])
            self._put(job)
            return job

    def end(self, key: JobKey, outcome: Outcome) -> None:
        """End an existing job, also where a full disk does not take its record.

        Whoever waits for the job must hear of it. The record on disk then still says that it runs,
        and the next process ends it as Failed.
        """
        with self._changed:
            job = self._jobs[key].ended(outcome, time.time())
            try:
                self._put(job)
            except OSError as error:
                _log.error("the end of %s is not on disk: %s", key.arn, error)
                self._tell(job)

    def wait(self, key: JobKey, abandoned: Callable[[], bool]) -> Job:
        """Block until an existing job has ended, or `abandoned` says that nobody waits any more."""
        with self._changed:
            while not (self._jobs[key].has_ended or abandoned()):
                self._changed.wait(_LOOK_SECONDS)
            return self._jobs[key]

    def _path(self, key: JobKey) -> Path:
        return self._directory / key.account / key.region / key.kind / f"{key.name}.json"

    def _put(self, job: Job) -> None:
        path = self._path(job.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        with temporary.open("w") as file:
            json.dump(job.to_json(), file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        self._tell(job)

    def _tell(self, job: Job) -> None:
        with self._changed:
            self._jobs[job.key] = job
            self._changed.notify_all()
