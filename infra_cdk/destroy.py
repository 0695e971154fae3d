"""`make destroy`: nothing of the stack is left in the AWS account, and nothing of it is billed."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra_cdk import endpoints
from infra_cdk.leftovers import (
    COSTS_NOTHING,
    Clients,
    Leftover,
    Removal,
    Say,
    leftovers,
    remove,
)

DEADLINE_SECONDS: Final = 3600.0
_POLL_SECONDS: Final = 5.0
_JOB_GROUPS: Final = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs")
_JOB_NAMES: Final = "areyouacat-"  # what `areyouacat.lease.training_job_name` begins with


class DestroyError(RuntimeError):
    """Something is left; the message says what and what to do."""


def destroy(
    clients: Clients,
    stack: str,
    say: Say,
    *,
    wait: Callable[[], None] = lambda: time.sleep(_POLL_SECONDS),
    deadline_seconds: float = DEADLINE_SECONDS,
) -> None:
    """Stop what runs, delete the stack, then what it keeps. May be run again after any failure.

    Raises:
        DestroyError: something is left.
        botocore.exceptions.ClientError: AWS refuses.
    """
    cloudformation = clients("cloudformation")
    had: list[Leftover] = []
    if _status(cloudformation, stack) is not None:
        had = list(_resources(cloudformation, stack))
        _stop_executions(clients("stepfunctions"), had, say)
        say(f"  Deleting the stack {stack}")
        if _delete(cloudformation, stack, wait, deadline_seconds) == "DELETE_FAILED":
            # A bucket that is not empty, say: what hindered it goes first, then the stack.
            _remove(clients, leftovers(cloudformation, stack), say)
            if _delete(cloudformation, stack, wait, deadline_seconds) == "DELETE_FAILED":
                raise DestroyError(
                    f"CloudFormation cannot delete {stack}. Its events say why: aws cloudformation "
                    f"describe-stack-events --stack-name {stack}; then run make destroy again"
                )
    # What the stack had is known; what an earlier run left, CloudFormation remembers.
    _remove(clients, had, say)
    unknown = _remove(clients, leftovers(cloudformation, stack), say)
    _forget_job_logs(clients("logs"), say)
    if unknown:
        raise DestroyError(
            f"These are left and must be deleted by hand: {', '.join(map(str, unknown))}"
        )


def _status(cloudformation: Any, stack: str) -> str | None:
    try:
        return str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # CloudFormation's "not found"
            return None
        raise


def _resources(cloudformation: Any, stack: str) -> Iterator[Leftover]:
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for resource in page["StackResourceSummaries"]:
            yield Leftover(resource["ResourceType"], resource.get("PhysicalResourceId", ""))


def _stop_executions(stepfunctions: Any, resources: list[Leftover], say: Say) -> None:
    """A stopped execution stops its SageMaker job, which would go on being billed."""
    for machine in resources:
        if machine.kind != "AWS::StepFunctions::StateMachine":
            continue
        pages = stepfunctions.get_paginator("list_executions").paginate(
            stateMachineArn=machine.name, statusFilter="RUNNING"
        )
        for page in pages:
            for execution in page["executions"]:
                stepfunctions.stop_execution(
                    executionArn=execution["executionArn"], cause="make destroy"
                )
                say(f"  Stopped {execution['executionArn']}")


def _delete(
    cloudformation: Any, stack: str, wait: Callable[[], None], deadline_seconds: float
) -> str:
    """Delete and wait; the status it ended in."""
    (standing,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    if standing.get("EnableTerminationProtection"):
        cloudformation.update_termination_protection(
            StackName=stack, EnableTerminationProtection=False
        )
    cloudformation.delete_stack(StackName=stack)
    until = time.monotonic() + deadline_seconds
    while time.monotonic() < until:
        # By its id: a deleted stack is no longer found by its name.
        status = _status(cloudformation, standing["StackId"]) or "DELETE_COMPLETE"
        if status in {"DELETE_COMPLETE", "DELETE_FAILED"}:
            return status
        wait()
    raise DestroyError(
        f"The stack {stack} was not deleted within {deadline_seconds / 60:.0f} minutes; "
        "run make destroy again, which goes on from there"
    )


def _remove(clients: Clients, found: Iterable[Leftover], say: Say) -> list[Leftover]:
    """Those that nothing here knows how to remove."""
    unknown = []
    for left in dict.fromkeys(found):
        if left.kind in COSTS_NOTHING:
            continue
        outcome = remove(left, clients, say)
        if outcome is Removal.UNKNOWN_KIND:
            unknown.append(left)
        elif outcome is Removal.DONE:
            say(f"  Removed {left}")
    return unknown


def _forget_job_logs(logs: Any, say: Say) -> None:
    """The groups belong to the account's jobs together; the streams of ours go."""
    for group in _JOB_GROUPS:
        try:
            pages = logs.get_paginator("describe_log_streams").paginate(
                logGroupName=group, logStreamNamePrefix=_JOB_NAMES
            )
            streams = [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
        except logs.exceptions.ResourceNotFoundException:
            continue
        for stream in streams:
            logs.delete_log_stream(logGroupName=group, logStreamName=stream)
        if streams:
            say(f"  Removed {len(streams)} log streams of {group}")


def main() -> int:
    """0 if nothing is left, 1 if something is, 2 if nothing was begun."""
    parser = argparse.ArgumentParser(prog="make destroy", description=__doc__)
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    chosen = parser.parse_args()
    if os.environ.get("AWS_ENDPOINT_URL"):
        return _fail(
            "AWS_ENDPOINT_URL is set: these are the local cloud's settings, and that is forgotten "
            "by make clean. Unset them to destroy what is in AWS.",
            code=2,
        )
    session = boto3.session.Session()
    try:
        account = session.client("sts").get_caller_identity()["Account"]
        where = f"{endpoints.STACK} in account {account}, {session.region_name}"
        if not chosen.yes and not _confirmed(where):
            return _fail("Nothing was destroyed.", code=2)
        make: Any = session.client  # the stubs want each service's name as a literal
        destroy(make, endpoints.STACK, lambda line: print(line, flush=True))
    except (BotoCoreError, ClientError, DestroyError) as error:
        return _fail(str(error))
    print(
        f"Nothing is left of {where}. The CDK's own stack, CDKToolkit, stays for other "
        "applications; its bucket holds our code archives until `cdk gc` removes them."
    )
    return 0


def _confirmed(where: str) -> bool:
    if not sys.stdin.isatty():
        print("Say that you mean it: make destroy YES=1", file=sys.stderr)
        return False
    print(f"This removes {where}: every photo, label, model and prediction, for good.")
    print("A copy first? make backup TO=<folder>")
    return input(f"Type {endpoints.STACK} to go on: ") == endpoints.STACK


def _fail(message: str, code: int = 1) -> int:
    print(f"Error: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
