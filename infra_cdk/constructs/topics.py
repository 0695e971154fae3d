"""SNS topics that take messages over TLS only, and encrypt them where there is a key to do it."""

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra_cdk.constructs.encryption import Encryption


class SecureTopic(sns.Topic):
    """A topic; CloudWatch alarms of this account may publish to it if asked for."""

    def __init__(self, scope: Construct, construct_id: str, *, display_name: str) -> None:
        """`display_name` is what a person reads as the sender."""
        super().__init__(
            scope,
            construct_id,
            display_name=display_name,
            enforce_ssl=True,
            # AWS's own key for SNS would keep alarms out: its policy cannot name them.
            master_key=Encryption.of(scope).key,
        )

    def allow_alarms(self) -> None:
        """Let this account's alarms publish: the policy that asks for TLS replaces SNS's own."""
        alarms = Stack.of(self).format_arn(service="cloudwatch", resource="alarm:*")
        self.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sns:Publish"],
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                resources=[self.topic_arn],
                conditions={
                    "ArnLike": {"aws:SourceArn": alarms},
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                },
            )
        )
