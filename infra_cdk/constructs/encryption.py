"""Who holds the key to what is stored: AWS's own keys, or one of the account's by setting."""

from collections.abc import Sequence
from typing import Final, Literal, cast

from aws_cdk import Aws, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra_cdk.settings import Settings

_ID: Final = "Encryption"
_USE: Final = ("kms:Decrypt", "kms:GenerateDataKey")
_SERVICES_USE: Final = ("kms:Decrypt", "kms:GenerateDataKey*")  # what AWS documents for them


class Encryption(Construct):
    """One customer managed key for lake, tables, topics, queues and log groups, or none.

    The key's policy names the services that act on nobody's behalf; whoever may touch an encrypted
    thing gets the key by a statement of its own role, through that thing's service alone.
    """

    def __init__(self, scope: Stack, *, settings: Settings) -> None:
        """`key` is None where AWS's own keys are used, which is unless the settings ask for one."""
        super().__init__(scope, _ID)
        self.key: kms.Key | None = None
        if settings.security.kms:
            self.key = kms.Key(
                self,
                "Key",
                description=f"What {scope.stack_name} stores",
                enable_key_rotation=True,
                # What it encrypted is lost with it.
                removal_policy=RemovalPolicy.RETAIN,
            )
            for statement in (_logs(scope), _alarms(scope), _deliveries()):
                self.key.add_to_resource_policy(statement)

    @classmethod
    def of(cls, scope: Construct) -> "Encryption":
        """The stack's, which is its first construct."""
        return cast(Encryption, Stack.of(scope).node.find_child(_ID))

    def allow(
        self,
        grantee: iam.IGrantable,
        service: Literal["dynamodb", "s3", "sns", "sqs"],
        *,
        decrypt: bool = False,
        encrypt: bool = False,
    ) -> None:
        """Let a role use the key through a service; without a key nothing is needed."""
        wanted = [action for action, asked in zip(_USE, (decrypt, encrypt), strict=True) if asked]
        if self.key is None or not wanted:
            return
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                actions=wanted,
                resources=[self.key.key_arn],
                conditions={
                    "StringEquals": {"kms:ViaService": f"{service}.{Aws.REGION}.{Aws.URL_SUFFIX}"}
                },
            )
        )


def _logs(stack: Stack) -> iam.PolicyStatement:
    """CloudWatch Logs, for the stack's own groups.

    Source: "Encrypt log data in CloudWatch Logs", CloudWatch Logs user guide.
    """
    groups = [
        f"/aws/lambda/{stack.stack_name}-*",
        f"/aws/vendedlogs/states/{stack.stack_name}-*",
        f"/aws/apigateway/{stack.stack_name}",
        f"/aws/codebuild/{stack.stack_name}-*",
        "API-Gateway-Execution-Logs_*",
    ]
    arn = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:"
    return _statement(
        f"logs.{Aws.REGION}.{Aws.URL_SUFFIX}",
        ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": [f"{arn}{name}" for name in groups]}},
    )


def _alarms(stack: Stack) -> iam.PolicyStatement:
    """Alarms that publish to an encrypted topic: without this they fall silent unseen.

    Source: "Key management", SNS developer guide.
    """
    return _statement(
        "cloudwatch.amazonaws.com",
        _SERVICES_USE,
        {
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
            "ArnLike": {
                "aws:SourceArn": stack.format_arn(service="cloudwatch", resource="alarm:*")
            },
        },
    )


def _deliveries() -> iam.PolicyStatement:
    """SNS and EventBridge, when they put what they could not deliver into an encrypted queue.

    EventBridge's calls carry no source account or ARN, so no condition can hold here; the queues'
    policies say on whose behalf a message may come.
    """
    return _statement(["events.amazonaws.com", "sns.amazonaws.com"], _SERVICES_USE)


def _statement(
    services: str | Sequence[str],
    actions: Sequence[str],
    conditions: dict[str, dict[str, str | list[str]]] | None = None,
) -> iam.PolicyStatement:
    names = [services] if isinstance(services, str) else services
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal(name) for name in names],
        actions=list(actions),
        resources=["*"],  # in a key's policy: this key
        conditions=conditions,
    )
