"""What closes the loop: alarm, topic, and the function that starts training."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from areyouacat import metrics
from areyouacat.settings import MONITORING
from infra_cdk.bundling import Bundler
from infra_cdk.constructs.function import PythonFunction
from infra_cdk.constructs.topics import SecureTopic
from infra_cdk.constructs.training import Training
from infra_cdk.settings import ALARMS, Settings


class Retraining(Construct):
    """`FeedbackAccuracy` falls, an alarm tells the topic, the topic's subscriber trains."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        training: Training,
        settings: Settings,
        bundler: Bundler,
    ) -> None:
        """Alarm, topic, function, and a queue for what could not be delivered or handled."""
        super().__init__(scope, construct_id)
        self.topic = SecureTopic(self, "Topic", display_name="Are you a cat: retrain")
        self.topic.allow_alarms()
        self.alarm = self._alarm()
        self.alarm.add_alarm_action(actions.SnsAction(self.topic))

        dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(ALARMS.dead_letter_days),
        )
        trigger = PythonFunction(
            self,
            "Trigger",
            name="trigger-retraining",
            bundle="monitoring",
            handler="trigger_retraining.handler",
            settings=settings,
            bundler=bundler,
            environment={"TRAIN_STATE_MACHINE_ARN": training.workflow.state_machine_arn},
            dead_letter_queue=dead_letters,
        )
        trigger.allow(["states:StartExecution"], [training.workflow.state_machine_arn])
        self.topic.add_subscription(
            subscriptions.LambdaSubscription(trigger, dead_letter_queue=dead_letters)
        )

    def _alarm(self) -> cloudwatch.Alarm:
        # The lowest value of the period: one bad monitor run must not hide behind a good one.
        accuracy = cloudwatch.Metric(
            namespace=metrics.NAMESPACE,
            metric_name=metrics.FEEDBACK_ACCURACY.name,
            statistic="Minimum",
            period=Duration.seconds(ALARMS.period_seconds),
        )
        return accuracy.create_alarm(
            self,
            metrics.FEEDBACK_ACCURACY.name,
            alarm_description=(
                f"{metrics.FEEDBACK_ACCURACY.meaning}: below "
                f"{MONITORING.min_feedback_accuracy}. Starts a training."
            ),
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            threshold=MONITORING.min_feedback_accuracy,
            evaluation_periods=1,
            datapoints_to_alarm=1,
            # Too few labels publish nothing, and nothing is no reason to train.
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
