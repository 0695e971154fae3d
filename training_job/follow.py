"""Start a workflow and follow it: `python -m training_job.follow [--machine train]`.

Prints a line for each state entered and left, the training job's own log while it trains, and the
outcome. Stopping to watch (Ctrl-C) does not stop the execution.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from areyouacat.execution_history import HistoryTeller, Outcome, outcome
from training_job.endpoints import Endpoints, UnknownEndpointError

MACHINES = ("train", "deploy", "monitor", "batch")
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
POLL_SECONDS = 1.0
LOG_LINES_AT_ONCE = 20
RUNNING = "RUNNING"
INTERRUPTED = 130
"""What a shell expects of a program that Ctrl-C ended."""

Say = Callable[[str], None]


class TrainingLog:
    """Reads a training job's log from CloudWatch as it grows."""

    def __init__(self, logs: Any) -> None:
        """`logs` is a boto3 client."""
        self._logs = logs
        self._tokens: dict[str, str] = {}

    def new_lines(self, job: str) -> list[str]:
        """Lines written since the last call; none while the job has not logged yet."""
        try:
            streams = self._logs.describe_log_streams(
                logGroupName=LOG_GROUP, logStreamNamePrefix=f"{job}/"
            )["logStreams"]
            return [line for stream in streams for line in self._read(stream["logStreamName"])]
        except self._logs.exceptions.ResourceNotFoundException:
            return []

    def _read(self, stream: str) -> list[str]:
        lines: list[str] = []
        while True:
            known = self._tokens.get(stream)
            page = self._logs.get_log_events(
                logGroupName=LOG_GROUP,
                logStreamName=stream,
                startFromHead=True,
                **({"nextToken": known} if known else {}),
            )
            lines += [str(event["message"]).rstrip() for event in page["events"]]
            self._tokens[stream] = page["nextForwardToken"]
            # The same token again, or a page without events, is the end for now.
            if page["nextForwardToken"] == known or not page["events"]:
                return lines


def follow(
    stepfunctions: Any, log: TrainingLog, execution_arn: str, say: Say, wait: Callable[[], None]
) -> Outcome:
    """Tell an execution's story until it ends; `wait` is called between two looks."""
    teller = HistoryTeller()
    while True:
        # Asked before the history, so that an ended execution's history is whole.
        execution = stepfunctions.describe_execution(executionArn=execution_arn)
        pages = stepfunctions.get_paginator("get_execution_history")
        history = pages.paginate(executionArn=execution_arn)
        job = teller.training_job  # if it has ended since, its last lines come before that news
        lines = teller.tell(event for page in history for event in page["events"])
        if job:
            _say_log(log.new_lines(job), say)
        for line in lines:
            say(line)
        if execution["status"] != RUNNING:
            return outcome(execution, teller.last_state)
        wait()


def _say_log(lines: Sequence[str], say: Say) -> None:
    if len(lines) > LOG_LINES_AT_ONCE:
        say(f"    | … {len(lines) - LOG_LINES_AT_ONCE} lines")
    for line in lines[-LOG_LINES_AT_ONCE:]:
        say(f"    | {line}")


def start_and_follow(
    machine_name: str,
    execution_input: str,
    wait: Callable[[], None] = lambda: time.sleep(POLL_SECONDS),
) -> int:
    """Start an execution and print its story to the end; the exit code of `main`.

    `wait` is called between two looks.
    """
    execution_arn = ""
    try:
        endpoints = Endpoints.load()
        machine = endpoints.require_state_machine(machine_name)
        stepfunctions, log = (
            endpoints.client("stepfunctions"),
            TrainingLog(endpoints.client("logs")),
        )
        started = stepfunctions.start_execution(stateMachineArn=machine, input=execution_input)
        execution_arn = started["executionArn"]
        print(f"Started {execution_arn}", flush=True)
        ended = follow(stepfunctions, log, execution_arn, _say, wait)
    except KeyboardInterrupt:
        print(f"\nStopped watching. {_find_again(execution_arn)}", file=sys.stderr)
        return INTERRUPTED
    except UnknownEndpointError as error:
        print(error, file=sys.stderr)
        return 2
    except (BotoCoreError, ClientError) as error:
        print(f"Step Functions cannot be reached or refused: {error}", file=sys.stderr)
        print(_find_again(execution_arn), file=sys.stderr)
        return 1 if execution_arn else 2
    print(f"{ended.ending.value}: {ended.sentence}")
    return 0 if ended.ending.is_normal else 1


def _execution_input(options: argparse.Namespace) -> str:
    """The execution's input; raises `ValueError` if `--input` is no JSON object."""
    given = json.loads(options.input)
    if not isinstance(given, dict):
        raise ValueError("not an object")
    if options.reason:
        given["reason"] = options.reason
    return json.dumps(given)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 for every normal end, 1 if the execution failed, 2 if it was not started."""
    parser = argparse.ArgumentParser(
        prog="python -m training_job.follow", description="Start a workflow and follow it."
    )
    parser.add_argument("--machine", choices=MACHINES, default=MACHINES[0])
    parser.add_argument("--input", default="{}", help="JSON object given to the execution")
    parser.add_argument("--reason", default="", help="why, for the record")
    options = parser.parse_args(arguments)
    try:
        execution_input = _execution_input(options)
    except ValueError as error:
        parser.error(f"--input must be a JSON object ({error})")
    return start_and_follow(options.machine, execution_input)


def _find_again(execution_arn: str) -> str:
    if not execution_arn:
        return "Nothing was started."
    return (
        "The execution goes on; to find it: "
        f"aws stepfunctions describe-execution --execution-arn {execution_arn}"
    )


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
