"""Many jobs at once, and kills at random moments: nothing may be left over.

Six storms in the long checks, or twenty with EXHAUSTIVE=1.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psutil
import pytest
from botocore.exceptions import ClientError

from tests.integration.instance import EXHAUSTIVE
from tests.integration.sagemaker.gateway_cloud import GatewayCloud

JOBS: Final = 20
STORMS: Final = 20 if EXHAUSTIVE else 6
DEADLINE_SECONDS: Final = 120
MARK: Final = "STORM_OF"
# Trains for a moment, in company: a child that has left the process group, and one that ignores
# SIGTERM. Some jobs fail, some never end by themselves.
SCRIPT: Final = """
import os, signal, subprocess, sys, time
from pathlib import Path
idle = [sys.executable, "-c", "import signal; signal.pause()"]
deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"
subprocess.Popen(idle, start_new_session=True)
subprocess.Popen([sys.executable, "-c", deaf])
if os.environ["DEAF"] == "yes":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
Path("/opt/ml/model/weights").write_bytes(b"w" * 10000)
time.sleep(float(os.environ["SECONDS"]))
sys.exit(int(os.environ["CODE"]))
"""


class Storm:
    """A gateway whose jobs are started, stopped and killed."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - which job dies is no secret
        self.mark = f"{os.getpid()}-{seed}"
        self.cloud = GatewayCloud(folder, SCRIPT)
        self.gateway = self.cloud.gateway
        self.cloud.start()
        assert self.gateway.get("/_local/checkpoint", "POST")[0] == 200

    def create(self, name: str) -> None:
        """Start one job; how it behaves is chance."""
        behaviour = {
            MARK: self.mark,
            "SECONDS": f"{self.chance.uniform(0, 0.6):.2f}",
            "CODE": str(self.chance.choice([0, 0, 0, 1, 77])),
            "DEAF": self.chance.choice(["yes", "no"]),
        }
        limit = {"MaxRuntimeInSeconds": self.chance.choice([1, 60])}
        self.gateway.client("sagemaker").create_training_job(
            **self.cloud.training(name, Environment=behaviour, StoppingCondition=limit)
        )

    def strike(self) -> None:
        """Do something unkind to a job that runs, or to one of its processes."""
        if self.chance.random() < 0.5:
            names = self.unended()
            if names:
                self._stop(self.chance.choice(names))
            return
        processes = self.processes()
        if processes:
            number = self.chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
            try:
                self.chance.choice(processes).send_signal(number)
            except psutil.NoSuchProcess:
                return

    def _stop(self, name: str) -> None:
        try:
            self.gateway.client("sagemaker").stop_training_job(TrainingJobName=name)
        except ClientError as error:
            if "is in status" not in str(error):  # it has not ended meanwhile
                raise

    def statuses(self) -> dict[str, str]:
        """The status of every job there ever was."""
        pages = self.gateway.client("sagemaker").get_paginator("list_training_jobs")
        return {
            job["TrainingJobName"]: job["TrainingJobStatus"]
            for page in pages.paginate()
            for job in page["TrainingJobSummaries"]
        }

    def unended(self) -> list[str]:
        """The jobs that wait, run, or are stopping."""
        running = ("InProgress", "Stopping")
        return sorted(name for name, status in self.statuses().items() if status in running)

    def processes(self) -> list[psutil.Process]:
        """Every process on this machine that a job of this storm has started."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self.mark:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def zombies(self) -> list[psutil.Process]:
        """The gateway's children that nobody has waited for."""
        process = self.gateway.process
        assert process is not None
        children = psutil.Process(process.pid).children(recursive=True)
        return [child for child in children if _is_zombie(child)]

    def folders(self) -> list[Path]:
        """The jobs' disks."""
        work = self.gateway.state / "sagemaker" / "work"
        return list(work.iterdir()) if work.exists() else []


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def eventually_none(what: str, left: Any) -> None:
    """Wait until `left()` is empty."""
    nothing = threading.Event()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while found := left():
        assert time.monotonic() < deadline, f"{what}: {found}"
        nothing.wait(0.05)


@pytest.fixture
def storm(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Storm]:
    made = Storm(tmp_path, seed=request.param)
    yield made
    made.gateway.kill()


def create_all(storm: Storm, round_number: int) -> set[str]:
    """Start the jobs of a round while others are struck; the names of those that were accepted."""
    accepted = set()
    for number in range(JOBS):
        name = f"round-{round_number}-job-{number}"
        storm.create(name)
        accepted.add(name)
        if storm.chance.random() < 0.3:
            storm.strike()
    return accepted


def end_all(storm: Storm) -> None:
    """Strike until no job is left."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while left := storm.unended():
        assert time.monotonic() < deadline, f"jobs that never ended: {left}"
        storm.strike()


def rounds(storm: Storm, count: int) -> None:
    """Storm after storm; every third kills the cloud in the midst, every third stops it kindly."""
    created: set[str] = set()
    for number in range(count):
        created |= create_all(storm, number)
        if number % 3 == 1:
            storm.gateway.kill()
            eventually_none("processes that outlived the cloud", storm.processes)
            storm.gateway.start()
        elif number % 3 == 2:
            storm.gateway.stop()
            assert storm.processes() == []
            assert storm.folders() == []
            storm.gateway.start()
        end_all(storm)

        eventually_none("processes of ended jobs", storm.processes)
        eventually_none("zombies", storm.zombies)
        eventually_none("folders of ended jobs", storm.folders)
        assert set(storm.statuses()) == created
        assert set(storm.statuses().values()) <= {"Completed", "Failed", "Stopped"}


@pytest.mark.parametrize("storm", [1], indirect=True)
def test_three_storms_of_twenty_jobs_leave_nothing(storm: Storm) -> None:
    rounds(storm, 3)


@pytest.mark.slow
@pytest.mark.parametrize("storm", [2], indirect=True)
def test_many_storms_of_twenty_jobs_leave_nothing(storm: Storm) -> None:
    rounds(storm, STORMS)
