"""A Step Functions state machine from a plain ASL file, with a role of its own."""

from collections.abc import Mapping, Sequence

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra_cdk.constructs.encryption import Encryption
from infra_cdk.constructs.function import retention, wait_for_policy_alone
from infra_cdk.settings import LOG_RETENTION_DAYS, REPOSITORY_ROOT, Settings


class Workflow(sfn.StateMachine):
    """The state machine of `statemachine/<name>.asl.json`.

    Its name is `<stack>-<name>`, so that its own functions can be told of it beforehand.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        functions: Mapping[str, lambda_.IFunction],
        ops_topic: sns.ITopic,
        settings: Settings,
        substitutions: Mapping[str, str] | None = None,
        statements: Sequence[iam.PolicyStatement] = (),
    ) -> None:
        """`functions`: the substitution that names each; the role may invoke these alone.

        `statements`: what else the definition's tasks need.
        """
        role = iam.Role(
            scope,
            f"{construct_id}Role",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description=f"What the {name} workflow may do",
        )
        super().__init__(
            scope,
            construct_id,
            state_machine_name=machine_name(scope, name),
            definition_body=sfn.DefinitionBody.from_file(
                str(REPOSITORY_ROOT / "statemachine" / f"{name}.asl.json")
            ),
            definition_substitutions={
                **{key: function.function_arn for key, function in functions.items()},
                "OpsTopicArn": ops_topic.topic_arn,
                **(substitutions or {}),
            },
            role=role,
            tracing_enabled=settings.on.tracing,
            logs=sfn.LogOptions(
                destination=logs.LogGroup(
                    scope,
                    f"{construct_id}Logs",
                    # The prefix keeps CloudWatch Logs' resource policy under its size limit.
                    log_group_name=f"/aws/vendedlogs/states/{machine_name(scope, name)}",
                    retention=retention(LOG_RETENTION_DAYS),
                    encryption_key=Encryption.of(scope).key,
                    removal_policy=RemovalPolicy.DESTROY,
                ),
                level=sfn.LogLevel.ALL,
            ),
        )
        for statement in (
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"],
                resources=[function.function_arn for function in functions.values()],
            ),
            iam.PolicyStatement(actions=["sns:Publish"], resources=[ops_topic.topic_arn]),
            *statements,
        ):
            self.add_to_role_policy(statement)
        wait_for_policy_alone(self, role)
        Encryption.of(self).allow(role, "sns", decrypt=True, encrypt=True)


def machine_name(scope: Construct, name: str) -> str:
    """The state machine's name in this stack."""
    return f"{Stack.of(scope).stack_name}-{name}"


def machine_arn(scope: Construct, name: str) -> str:
    """The state machine's ARN in this stack."""
    return Stack.of(scope).format_arn(
        service="states",
        resource="stateMachine",
        resource_name=machine_name(scope, name),
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def execution_arns(scope: Construct, name: str) -> str:
    """The ARN pattern of all executions of a workflow of this stack."""
    return Stack.of(scope).format_arn(
        service="states",
        resource="execution",
        resource_name=f"{machine_name(scope, name)}:*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def managed_rule(scope: Construct, rule: str) -> iam.PolicyStatement:
    """The EventBridge rule by which Step Functions learns that a `.sync` task has ended."""
    arn = Stack.of(scope).format_arn(service="events", resource="rule", resource_name=rule)
    return iam.PolicyStatement(
        actions=["events:PutTargets", "events:PutRule", "events:DescribeRule"], resources=[arn]
    )
