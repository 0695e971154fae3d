"""What would stop a deployment half an hour in, asked before it begins.

Each check is one question to AWS and gives one finding. What the caller may not ask is said, and
stops nothing: only a problem that is known does.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

UNRESERVED_CONCURRENCY: Final = 100
"""Executions that AWS leaves to functions without a reservation. Source: Lambda quotas."""
_CONCURRENCY_QUOTA: Final = "L-B99A9384"
_BUSY: Final = "_IN_PROGRESS"
_DEAD: Final = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"})
_NOT_ALLOWED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})

DEPLOYER_ACTIONS: Final = (
    # The CDK acts through the roles of its bootstrap stack: the deployer only assumes them.
    "sts:AssumeRole",
    "cloudformation:DescribeStacks",
    # What `make deploy` does with the deployer's own rights once the stack stands.
    "apigateway:GET",
    "codebuild:StartBuild",
    "codebuild:BatchGetBuilds",
    "codebuild:StopBuild",
    "logs:GetLogEvents",
    "s3:PutObject",
    "s3:ListBucket",
    "states:StartExecution",
    "states:DescribeExecution",
    "states:GetExecutionHistory",
)


class Level(StrEnum):
    """What a finding means for the deployment."""

    FINE = "fine"
    UNKNOWN = "unknown"  # could not be asked; goes on
    PROBLEM = "problem"  # would fail; stops


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer: what was found, and what to do about it if it is not fine."""

    level: Level
    words: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the deployment needs of the account.

    `concurrency`: reserved executions of all functions together. `instances`: SageMaker's names of
    the quotas, such as `ml.m5.xlarge for training job usage`. `managed_mlflow`: whether the stack
    makes an MLflow app.
    """

    stack: str
    concurrency: int
    instances: Sequence[str]
    managed_mlflow: bool


def check(client: Callable[[str], Any], caller_arn: str, wanted: Wanted) -> Iterator[Finding]:
    """Each finding as soon as it is known; `client` gives a boto3 client of a service's name."""
    yield _stack(client("cloudformation"), wanted.stack)
    yield _concurrency(client("lambda"), wanted.concurrency)
    for name in wanted.instances:
        yield _instance(client("service-quotas"), name)
    yield _permissions(client("iam"), caller_arn)
    if wanted.managed_mlflow:
        yield _mlflow(client("sagemaker"))


def _stack(cloudformation: Any, name: str) -> Finding:
    try:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # CloudFormation's "not found"
            return Finding(Level.FINE, f"The stack {name} is new")
        return _unanswered("the stack's state", error)
    status = str(stack["StackStatus"])
    if status.endswith(_BUSY) and status != "REVIEW_IN_PROGRESS":
        return Finding(
            Level.PROBLEM,
            f"The stack {name} is being changed ({status})",
            "wait until that has ended, then run the command again",
        )
    if status in _DEAD:
        return Finding(
            Level.PROBLEM,
            f"The stack {name} is in {status}, from which no deployment goes on",
            "remove it with: make destroy",
        )
    return Finding(Level.FINE, f"The stack {name} is in {status}")


def _concurrency(functions: Any, wanted: int) -> Finding:
    try:
        limit = int(functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"])
    except (BotoCoreError, ClientError) as error:
        return _unanswered("Lambda's concurrency", error)
    if not wanted:
        return Finding(Level.FINE, f"Lambda may run {limit} functions at once; none are reserved")
    needed = wanted + UNRESERVED_CONCURRENCY
    if limit < needed:
        return Finding(
            Level.PROBLEM,
            f"Lambda may run {limit} functions at once, and {needed} are needed: {wanted} reserved "
            f"and the {UNRESERVED_CONCURRENCY} that AWS leaves to the others",
            "aws service-quotas request-service-quota-increase --service-code lambda "
            f"--quota-code {_CONCURRENCY_QUOTA} --desired-value 1000; until then: "
            "make deploy SETTINGS=small_account=true",
        )
    return Finding(Level.FINE, f"Lambda may run {limit} functions at once ({needed} needed)")


def _instance(quotas: Any, name: str) -> Finding:
    try:
        found = next(
            (
                quota
                for page in quotas.get_paginator("list_service_quotas").paginate(
                    ServiceCode="sagemaker"
                )
                for quota in page["Quotas"]
                if quota["QuotaName"] == name
            ),
            None,
        )
    except (BotoCoreError, ClientError) as error:
        return _unanswered(f"the quota {name}", error)
    if found is None:
        return Finding(
            Level.UNKNOWN,
            f"SageMaker knows no quota called '{name}' here",
            "see whether the region has this instance type (infra_cdk/settings.py names it)",
        )
    if found["Value"] < 1:
        return Finding(
            Level.PROBLEM,
            f"SageMaker's quota '{name}' is {found['Value']:g}, and 1 is needed",
            "aws service-quotas request-service-quota-increase --service-code sagemaker "
            f"--quota-code {found['QuotaCode']} --desired-value 1",
        )
    return Finding(Level.FINE, f"SageMaker's quota '{name}' is {found['Value']:g}")


def _permissions(iam: Any, caller_arn: str) -> Finding:
    if caller_arn.endswith(":root"):
        return Finding(
            Level.UNKNOWN,
            "These are the account's root credentials, which no policy limits",
            "use a user or role of your own instead",
        )
    try:
        results = iam.simulate_principal_policy(
            PolicySourceArn=_principal(iam, caller_arn), ActionNames=list(DEPLOYER_ACTIONS)
        )["EvaluationResults"]
    except (BotoCoreError, ClientError) as error:
        return _unanswered("your own permissions", error)
    denied = [result["EvalActionName"] for result in results if result["EvalDecision"] != "allowed"]
    if denied:
        # Asked about every resource: rights on the stack's own alone are enough, and unseen here.
        return Finding(
            Level.UNKNOWN,
            f"You may not, or not everywhere: {', '.join(denied)}",
            "have these actions allowed on the stack's resources (infra_cdk/constructs/"
            "github_trust.py writes such a policy), if they are not",
        )
    return Finding(Level.FINE, f"You may do the {len(results)} things that a deployment needs")


def _principal(iam: Any, caller_arn: str) -> str:
    """The identity that policies are attached to: of a session, its role's.

    Raises:
        ClientError: the role cannot be looked up.
    """
    if ":assumed-role/" not in caller_arn:
        return caller_arn
    # A session's ARN leaves the role's path out, so it must be asked for.
    role: str = iam.get_role(RoleName=caller_arn.split("/")[1])["Role"]["Arn"]
    return role


def _mlflow(sagemaker: Any) -> Finding:
    try:
        sagemaker.list_mlflow_apps(MaxResults=1)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _NOT_ALLOWED:
            return Finding(
                Level.PROBLEM,
                f"SageMaker makes no MLflow app in this region ({_code(error)})",
                "deploy in another one, or name a server: SETTINGS=mlflow_tracking_uri=…",
            )
        return _unanswered("whether this region has MLflow apps", error)
    except BotoCoreError as error:
        return _unanswered("whether this region has MLflow apps", error)
    return Finding(Level.FINE, "SageMaker makes MLflow apps in this region")


def _unanswered(what: str, error: Exception) -> Finding:
    return Finding(Level.UNKNOWN, f"Not known: {what} ({_code(error)})")


def _code(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return type(error).__name__
