"""Where the stack goes, and what that alone decides; everything else is the same on both."""

import platform
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_

from areyouacat.settings import SERVING


class Target(StrEnum):
    """Where the stack goes."""

    AWS = "aws"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """What differs between the targets; everything else is the same on both."""

    removal_policy: RemovalPolicy  # of what holds data: lake, tables, images
    deletion_protection: bool
    runtime: lambda_.Runtime
    architecture: lambda_.Architecture
    snap_start: bool  # of what people wait for: predict and api
    tracing: bool  # X-Ray
    managed_mlflow: bool  # SageMaker's serverless MLflow app, unless a server is named
    own_image_repository: bool  # else the image is one that the local cloud knows by name
    canary_bake_seconds: int  # on a laptop nobody waits half an hour
    canary_check_seconds: int
    pointer_max_age_seconds: float  # shorter than the bake, or a canary would meet nobody
    feedback_approval: bool  # no label of a caller's teaches before a person has approved it
    retrain_cooldown_seconds: int  # between a training's end and the next automatic one
    retrain_daily_cap: int  # automatic trainings; people may train as often as they like
    # Alarms of one monitor run are evaluated within so long, each for itself.
    retrain_same_cause_seconds: int
    batch_concurrency: int  # chunks scored at once


def _local_runtime() -> lambda_.Runtime:
    """The runtime nearest to the Python at hand: the emulator runs functions with its own."""
    minor = min(max(sys.version_info.minor, 11), 14)
    return lambda_.Runtime(f"python3.{minor}", lambda_.RuntimeFamily.PYTHON)


def _local_architecture() -> lambda_.Architecture:
    if platform.machine() in {"arm64", "aarch64"}:
        return lambda_.Architecture.ARM_64
    return lambda_.Architecture.X86_64


TARGETS: Final = {
    Target.AWS: TargetSettings(
        removal_policy=RemovalPolicy.RETAIN,
        deletion_protection=True,
        # The newest that Lambda maintains (until June 2029 at least), and SnapStart takes it; every
        # bundle has wheels for it on arm64.
        runtime=lambda_.Runtime.PYTHON_3_14,
        architecture=lambda_.Architecture.ARM_64,
        snap_start=True,
        tracing=True,
        managed_mlflow=True,
        own_image_repository=True,
        canary_bake_seconds=1800,
        canary_check_seconds=60,
        pointer_max_age_seconds=SERVING.pointer_max_age_seconds,
        feedback_approval=True,
        retrain_cooldown_seconds=6 * 3600,
        retrain_daily_cap=4,
        retrain_same_cause_seconds=120,
        # Half of the 1,000 executions that most accounts may have: predict keeps those that are
        # reserved for it, everything else finds room. Raise it with the account's quota.
        batch_concurrency=500,
    ),
    Target.LOCAL: TargetSettings(
        removal_policy=RemovalPolicy.DESTROY,
        deletion_protection=False,
        runtime=_local_runtime(),
        architecture=_local_architecture(),
        snap_start=False,  # a laptop's Python may be older than SnapStart's
        tracing=False,
        managed_mlflow=False,
        own_image_repository=False,
        canary_bake_seconds=20,
        canary_check_seconds=5,
        pointer_max_age_seconds=5.0,
        feedback_approval=False,
        retrain_cooldown_seconds=60,
        retrain_daily_cap=50,
        retrain_same_cause_seconds=15,
        batch_concurrency=2,  # each scores on all cores and waits for the emulator in between
    ),
}
