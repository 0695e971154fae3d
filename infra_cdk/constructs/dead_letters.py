"""Queues for what could not be delivered or handled."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra_cdk.constructs.encryption import Encryption
from infra_cdk.settings import ALARMS


class DeadLetters(sqs.Queue):
    """An encrypted queue, over TLS only, that keeps messages as long as SQS can."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str) -> None:
        """`name`: what comes between the stack's name and `-dead-letters`."""
        key = Encryption.of(scope).key
        super().__init__(
            scope,
            construct_id,
            queue_name=f"{Stack.of(scope).stack_name}-{name}-dead-letters",
            encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.days(ALARMS.dead_letter_days),
        )
