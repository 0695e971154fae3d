"""Runs jobs in the order they come, a few at a time."""

import queue
import threading
from collections.abc import Callable

from local_cloud.sagemaker.control import JobControl, StopReason
from local_cloud.sagemaker.records.jobs import JobKey

RunJob = Callable[[JobKey, JobControl], None]


class JobQueue:
    """`run` is called on one of `workers` threads with each job that was put in."""

    def __init__(self, workers: int, run: RunJob) -> None:
        self._run = run
        self._waiting: queue.SimpleQueue[JobKey | None] = queue.SimpleQueue()
        self._controls: dict[JobKey, JobControl] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"job-{number}", daemon=True)
            for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, key: JobKey) -> None:
        """Queue a job."""
        with self._lock:
            self._controls[key] = JobControl()
        self._waiting.put(key)

    def stop(self, key: JobKey) -> None:
        """Ask a job to end; nothing if it has."""
        with self._lock:
            control = self._controls.get(key)
        if control:
            control.stop(StopReason.REQUESTED)

    def close(self) -> None:
        """Stop the jobs that run, forget those that wait, and return when no thread is left."""
        with self._lock:
            self._closed = True
            for control in self._controls.values():
                control.stop(StopReason.SHUTDOWN)
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (key := self._waiting.get()) is not None:
            with self._lock:
                control = None if self._closed else self._controls[key]
            if control:
                self._run(key, control)
            with self._lock:
                del self._controls[key]
