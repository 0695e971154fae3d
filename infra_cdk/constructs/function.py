"""A Python function of ours: own role, own log group, nothing that it did not ask for."""

from collections.abc import Mapping, Sequence
from typing import cast

from aws_cdk import CfnResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra_cdk.bundling import Bundler
from infra_cdk.constructs.encryption import Encryption
from infra_cdk.settings import FUNCTIONS, LIVE, LOG_LEVEL, LOG_RETENTION_DAYS, Settings


class PythonFunction(lambda_.Function):
    """A Lambda function from one of our bundles.

    Its role may write to its own log group and, on AWS, send traces; grant the rest with
    `allow`. Names carry the stack's, so that two stacks fit one account.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        bundle: str,
        handler: str,
        settings: Settings,
        bundler: Bundler,
        environment: Mapping[str, str],
        dead_letter_queue: sqs.IQueue | None = None,
        snap_start: bool = False,
    ) -> None:
        """`name` is a key of `settings.FUNCTIONS`; `handler` is relative to the bundle's handlers.

        For example bundle `pipeline` and handler `lease.acquire`. `snap_start`: environments of its
        published versions start from a snapshot.
        """
        size = FUNCTIONS[name]
        function_name = f"{Stack.of(scope).stack_name}-{name}"
        log_group = logs.LogGroup(
            scope,
            f"{construct_id}Logs",
            log_group_name=f"/aws/lambda/{function_name}",
            retention=retention(LOG_RETENTION_DAYS),
            encryption_key=Encryption.of(scope).key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = iam.Role(
            scope,
            f"{construct_id}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What {function_name} may do",
        )
        log_group.grant_write(role)
        super().__init__(
            scope,
            construct_id,
            function_name=function_name,
            runtime=settings.on.runtime,
            architecture=settings.on.architecture,
            handler=f"lambdas.{bundle}.handlers.{handler}",
            code=bundler.code(bundle),
            role=role,
            log_group=log_group,
            memory_size=size.memory_mb,
            timeout=Duration.seconds(size.timeout_seconds),
            reserved_concurrent_executions=settings.reserved_concurrency(name),
            tracing=lambda_.Tracing.ACTIVE if settings.on.tracing else lambda_.Tracing.DISABLED,
            dead_letter_queue=dead_letter_queue,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
            environment={
                "POWERTOOLS_SERVICE_NAME": name,
                "LOG_LEVEL": LOG_LEVEL,
                **environment,
            },
        )
        wait_for_policy_alone(self, role)
        if dead_letter_queue:
            Encryption.of(self).allow(self, "sqs", decrypt=True, encrypt=True)

    def live(self) -> lambda_.Alias:
        """What callers reach: the alias `live`, on a version of the code and settings of now.

        Changed code or settings make a new version; the former one goes when the alias has moved.
        Metrics, alarms, logs and reserved concurrency stay the function's: Lambda adds up all its
        versions and aliases under `FunctionName`.
        Source: "Using CloudWatch metrics with Lambda", Lambda developer guide.
        """
        return lambda_.Alias(self, "Live", alias_name=LIVE, version=self.current_version)

    def allow(
        self,
        actions: Sequence[str],
        resources: Sequence[str],
        conditions: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Add one statement to the function's role."""
        self.add_to_role_policy(
            iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions)
        )


def wait_for_policy_alone(construct: Construct | CfnResource, role: iam.Role) -> None:
    """Make a resource that has a role wait for the role's policy.

    It waits for the role anyway, since it refers to it; CDK writes that down once more, and
    CloudFormation's linter finds it superfluous. Whatever else it must wait for goes in here.
    """
    resource, policy = (
        of if isinstance(of, CfnResource) else cast(CfnResource, of.node.default_child)
        for of in (construct, role.node.find_child("DefaultPolicy"))
    )
    resource.add_override("DependsOn", [policy.logical_id])


def retention(days: int) -> logs.RetentionDays:
    """CloudWatch Logs' own enumeration for a number of days."""
    return {
        7: logs.RetentionDays.ONE_WEEK,
        30: logs.RetentionDays.ONE_MONTH,
        90: logs.RetentionDays.THREE_MONTHS,
        365: logs.RetentionDays.ONE_YEAR,
    }[days]
