"""The two tables: predictions with their feedback, and the workflows' control records."""

from collections.abc import Sequence

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from areyouacat import predictions
from infra_cdk.constructs.encryption import Encryption
from infra_cdk.constructs.function import PythonFunction
from infra_cdk.settings import Settings


class Predictions(Construct):
    """On-demand tables with point-in-time recovery."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        """Keys, indexes and TTL attributes are `areyouacat.predictions`'."""
        super().__init__(scope, construct_id)
        self._settings = settings
        self.table = self._table("Table", predictions.PARTITION_KEY, predictions.TTL_ATTRIBUTE)
        self._index(
            predictions.PREDICTED_INDEX, predictions.PREDICTED_BUCKET, predictions.PREDICTED_AT
        )
        self._index(
            predictions.FEEDBACK_INDEX, predictions.FEEDBACK_BUCKET, predictions.FEEDBACK_AT
        )
        self.control = self._table(
            "Control", predictions.CONTROL_PARTITION_KEY, predictions.CONTROL_TTL_ATTRIBUTE
        )

    def allow(self, function: PythonFunction, actions: Sequence[str]) -> None:
        """Allow single-item operations, such as `GetItem`, on the predictions table."""
        self._allow_table(function, actions, [self.table.table_arn])

    def allow_queries(
        self,
        function: PythonFunction,
        indexes: Sequence[str] = (predictions.PREDICTED_INDEX, predictions.FEEDBACK_INDEX),
    ) -> None:
        """Allow queries by hour: on indexes alone, never a scan."""
        self._allow_table(
            function, ["Query"], [f"{self.table.table_arn}/index/{index}" for index in indexes]
        )

    def allow_control(self, function: PythonFunction, actions: Sequence[str]) -> None:
        """Allow single-item operations on the control table."""
        self._allow_table(function, actions, [self.control.table_arn])

    def retrain_environment(self) -> dict[str, str]:
        """What a function that asks the training ledger needs to be told."""
        return {
            "CONTROL_TABLE": self.control.table_name,
            "RETRAIN_COOLDOWN_SECONDS": str(self._settings.on.retrain_cooldown_seconds),
            "RETRAIN_DAILY_CAP": str(self._settings.on.retrain_daily_cap),
            "RETRAIN_SAME_CAUSE_SECONDS": str(self._settings.on.retrain_same_cause_seconds),
        }

    def _allow_table(
        self, function: PythonFunction, actions: Sequence[str], resources: Sequence[str]
    ) -> None:
        function.allow([f"dynamodb:{action}" for action in actions], resources)
        # Whatever one does with a table: its own key is decrypted on one's behalf, and used.
        Encryption.of(self).allow(function, "dynamodb", decrypt=True)

    def _table(self, construct_id: str, partition_key: str, ttl_attribute: str) -> dynamodb.Table:
        key = Encryption.of(self).key
        return dynamodb.Table(
            self,
            construct_id,
            partition_key=_text(partition_key),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=ttl_attribute,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED if key else None,
            encryption_key=key,
            deletion_protection=self._settings.on.deletion_protection,
            removal_policy=self._settings.on.removal_policy,
        )

    def _index(self, name: str, bucket: str, at: str) -> None:
        self.table.add_global_secondary_index(
            index_name=name,
            partition_key=_text(bucket),
            sort_key=_text(at),
            projection_type=dynamodb.ProjectionType.ALL,
        )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
