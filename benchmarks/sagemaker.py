"""What the local SageMaker adds to a job, and how fast it answers, on a gateway of its own.

The floor of a job is the same script, run by the same interpreter as a bare process; the floor of
an answer is one of the gateway's that needs none of our code.
"""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.figures import BenchmarkError, Context, Figure
from benchmarks.http_load import percentile, poll
from benchmarks.repetition import median, repeated, repeated_median, repeated_ratio
from tests.integration.sagemaker.gateway_cloud import ENTRY_POINT, GatewayCloud
from tests.unit.local_cloud.gateway_process import CLOUD_PYTHON

NAME = "sagemaker"
DESCRIPTION = "SageMaker here: what it adds to a job beside a bare process, and its answers"
JOBS, QUICK_JOBS = 15, 3
EXECUTIONS, QUICK_EXECUTIONS = 9, 2
CALLS, QUICK_CALLS = 300, 20
AT_ONCE, QUICK_AT_ONCE = 20, 4
TRAIN: Final = "arn:aws:states:::sagemaker:createTrainingJob.sync"
_ROWS: Final = "1\n2\n3\n"  # what the gateway has in the job's channel
_OPT: Final = "/opt/ml"
_DEADLINE_SECONDS: Final = 300.0
_ENDED: Final = frozenset({"Completed", "Failed", "Stopped"})


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of each, but for `refused`: how many of the jobs created at once did not complete.

    `jobs` and `bare` are pairs, and so are `described` and `identified`.
    """

    jobs: Sequence[float]
    bare: Sequence[float]
    executions: Sequence[float]
    created: Sequence[float]
    described: Sequence[float]
    identified: Sequence[float]
    at_once: int
    at_once_seconds: float
    refused: int


def run(context: Context) -> list[Figure]:
    """One job after another, then executions, answers, and many jobs at once."""
    quick = context.quick
    with _gateway(context) as cloud:
        trainer = Trainer(cloud)
        trainer.train("first")  # builds the image's environment, unless it is there
        context.say("  jobs and bare processes in turn")
        jobs, bare, created = [], [], []
        for number in range(QUICK_JOBS if quick else JOBS):
            whole, answered = trainer.train(f"job-{number}")
            jobs.append(whole)
            created.append(answered)
            bare.append(bare_seconds(cloud.folder / f"bare-{number}"))
        context.say("  jobs of a state machine")
        executions = trainer.executions(QUICK_EXECUTIONS if quick else EXECUTIONS)
        context.say("  answers")
        described, identified = trainer.answers("first", QUICK_CALLS if quick else CALLS)
        at_once = QUICK_AT_ONCE if quick else AT_ONCE
        context.say(f"  {at_once} jobs at once")
        seconds, refused = trainer.at_once(at_once)
    return figures(Measured(jobs, bare, executions, created, described, identified, at_once,
                            seconds, refused))  # fmt: skip


def figures(found: Measured) -> list[Figure]:
    """What was measured, and what our part of it is."""
    told, ms = Figure.told, _milliseconds
    added = repeated(lambda ours, bare: median(ours) - median(bare), found.jobs, found.bare,
                     paired=True)  # fmt: skip
    return [
        told("a job: created to Completed", repeated_median(found.jobs), "s",
             "its data down, a role's credentials, a process of its own, its model up"),
        told("the same script as a bare process", repeated_median(found.bare), "s"),
        told("what a job adds", added, "s"),
        told("a job of a state machine: started to Succeeded", repeated_median(found.executions),
             "s", "createTrainingJob.sync"),
        told("CreateTrainingJob, p50", repeated_median(ms(found.created)), "ms"),
        told("DescribeTrainingJob, p50", repeated_median(ms(found.described)), "ms"),
        told("DescribeTrainingJob, p95",
             repeated(lambda values: percentile(values, 0.95), ms(found.described)), "ms"),
        told("GetCallerIdentity, p50", repeated_median(ms(found.identified)), "ms",
             "the gateway's own"),
        told("DescribeTrainingJob / GetCallerIdentity",
             repeated_ratio(found.described, found.identified), "times"),
        told("jobs at once: seconds for all", found.at_once_seconds, "s",
             f"{found.at_once} jobs, four at a time"),
        Figure.at_most("jobs at once: not Completed", found.refused, "", 0,
                       f"of {found.at_once}"),
    ]  # fmt: skip


class Trainer:
    """Creates jobs of the small image, and waits for them."""

    def __init__(self, cloud: GatewayCloud) -> None:
        self._cloud = cloud
        self._sagemaker, self._sts = cloud.client("sagemaker"), cloud.client("sts")
        self._machines = cloud.client("stepfunctions")

    def train(self, name: str) -> tuple[float, float]:
        """Seconds until it is Completed, and until its creation is answered.

        Raises:
            BenchmarkError: it ends otherwise.
        """
        started = time.perf_counter()
        self._create(name)
        answered = time.perf_counter() - started
        if (end := self._await(name)) != "Completed":
            raise BenchmarkError(f"the job {name} is {end}")
        return time.perf_counter() - started, answered

    def executions(self, count: int) -> list[float]:
        """Seconds from the start of an execution of one such job to its end, each."""
        request = self._cloud.training("named-later")
        request["TrainingJobName.$"] = "$$.Execution.Name"
        del request["TrainingJobName"]
        state = {"Type": "Task", "Resource": TRAIN, "Parameters": request, "End": True}
        machine = self._machines.create_state_machine(
            name="one-job",
            definition=json.dumps({"StartAt": "Train", "States": {"Train": state}}),
            roleArn=self._cloud.role,
        )["stateMachineArn"]
        return [_seconds(partial(self._execute, machine, f"by-machine-{n}")) for n in range(count)]

    def answers(self, job: str, count: int) -> tuple[list[float], list[float]]:
        """Seconds of a description and of the gateway's own answer, in turn."""
        described, identified = [], []
        for _ in range(count):
            described.append(_seconds(partial(self._describe, job)))
            identified.append(_seconds(self._sts.get_caller_identity))
        return described, identified

    def at_once(self, count: int) -> tuple[float, int]:
        """Seconds until so many jobs, created at one instant, are over; how many failed."""
        names = [f"at-once-{number}" for number in range(count)]
        started = time.perf_counter()
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(self._create, names))
        ends = [self._await(name) for name in names]
        return time.perf_counter() - started, sum(end != "Completed" for end in ends)

    def _create(self, name: str) -> None:
        self._sagemaker.create_training_job(**self._cloud.training(name))

    def _describe(self, name: str) -> str:
        found = self._sagemaker.describe_training_job(TrainingJobName=name)
        return str(found["TrainingJobStatus"])

    def _await(self, name: str) -> str:
        def ended() -> str | None:
            status = self._describe(name)
            return status if status in _ENDED else None

        return str(poll(f"the job {name}", ended, _DEADLINE_SECONDS))

    def _execute(self, machine: str, name: str) -> None:
        arn = self._machines.start_execution(stateMachineArn=machine, name=name)["executionArn"]

        def ended() -> str | None:
            status: str = self._machines.describe_execution(executionArn=arn)["status"]
            return None if status == "RUNNING" else status

        if (end := poll(f"the execution {name}", ended, _DEADLINE_SECONDS)) != "SUCCEEDED":
            raise BenchmarkError(f"the execution {name} is {end}")


def bare_seconds(folder: Path) -> float:
    """Of the script alone, where `/opt/ml` is a folder."""
    (folder / "input/config").mkdir(parents=True)
    (folder / "input/data/train").mkdir(parents=True)
    (folder / "model").mkdir()
    (folder / "input/config/hyperparameters.json").write_text(json.dumps({"epochs": "2"}))
    (folder / "input/data/train/rows.csv").write_text(_ROWS)
    script = ENTRY_POINT.replace(_OPT, str(folder))
    command = [str(Path(CLOUD_PYTHON).resolve()), "-c", script]
    return _seconds(lambda: subprocess.run(command, check=True, capture_output=True))


@contextmanager
def _gateway(context: Context) -> Iterator[GatewayCloud]:
    with TemporaryDirectory(dir=context.state) as folder:
        cloud = GatewayCloud(Path(folder))
        try:
            cloud.start()
            yield cloud
        finally:
            cloud.gateway.stop()


def _seconds(action: Callable[[], Any]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _milliseconds(seconds: Sequence[float]) -> list[float]:
    return [1000 * one for one in seconds]
