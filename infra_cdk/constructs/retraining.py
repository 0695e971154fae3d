"""What closes the loop: alarm, topic, and the functions that start training."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from areyouacat import metrics
from areyouacat.settings import DRIFT, MONITORING
from infra_cdk.bundling import Bundler
from infra_cdk.constructs.dead_letters import DeadLetters
from infra_cdk.constructs.function import PythonFunction
from infra_cdk.constructs.predictions import Predictions
from infra_cdk.constructs.runbook import described
from infra_cdk.constructs.topics import SecureTopic
from infra_cdk.constructs.training import Training
from infra_cdk.constructs.workflow import execution_arns
from infra_cdk.settings import ALARMS, Settings


class Retraining(Construct):
    """Accuracy falls, photos change or labels come: an alarm, its topic, and who trains then."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        predictions: Predictions,
        training: Training,
        settings: Settings,
        bundler: Bundler,
    ) -> None:
        """Alarms, topic, two functions, and a queue for what could not be delivered or handled."""
        super().__init__(scope, construct_id)
        self.topic = SecureTopic(self, "Topic", display_name="Are you a cat: retrain")
        self.topic.allow_alarms()
        self.accuracy_alarm = self._accuracy_alarm()
        self.alarms = (self.accuracy_alarm, self._drift_alarm(), self._feedback_alarm())

        self.dead_letters = DeadLetters(self, "DeadLetters", name="retrain")
        workflow = training.workflow
        machine = {"TRAIN_STATE_MACHINE_ARN": workflow.state_machine_arn}
        self.trigger = self._function(
            "Trigger",
            "trigger-retraining",
            {**machine, "CONTROL_TABLE": predictions.control.table_name},
            settings,
            bundler,
        )
        self.topic.add_subscription(
            subscriptions.LambdaSubscription(self.trigger, dead_letter_queue=self.dead_letters)
        )
        self.start_pending = self._function(
            "StartPending",
            "start-pending",
            {**machine, **predictions.retrain_environment()},
            settings,
            bundler,
        )
        predictions.allow_control(self.trigger, ["GetItem", "PutItem"])
        predictions.allow_control(self.start_pending, ["GetItem"])
        self.start_pending.allow(["states:DescribeExecution"], [execution_arns(self, "train")])
        for function in (self.trigger, self.start_pending):
            function.allow(["states:StartExecution"], [workflow.state_machine_arn])
        events.Rule(
            self,
            "TrainingEnded",
            description="What had to wait for a training may begin when that has ended",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [workflow.state_machine_arn],
                    "status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"],
                },
            ),
            targets=[
                targets.LambdaFunction(self.start_pending, dead_letter_queue=self.dead_letters)
            ],
        )

    def _function(
        self,
        construct: str,
        name: str,
        environment: dict[str, str],
        settings: Settings,
        bundler: Bundler,
    ) -> PythonFunction:
        return PythonFunction(
            self,
            construct,
            name=name,
            bundle="monitoring",
            handler=f"{name.replace('-', '_')}.handler",
            settings=settings,
            bundler=bundler,
            environment=environment,
            dead_letter_queue=self.dead_letters,
        )

    def _accuracy_alarm(self) -> cloudwatch.Alarm:
        return self._alarm(
            metrics.FEEDBACK_ACCURACY,
            # The lowest of the period: one bad monitor run must not hide behind a good one.
            "Minimum",
            cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            MONITORING.min_feedback_accuracy,
        )

    def _drift_alarm(self) -> cloudwatch.Alarm:
        return self._alarm(
            metrics.DATA_DRIFT,
            "Maximum",
            cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            DRIFT.min_psi,
        )

    def _feedback_alarm(self) -> cloudwatch.Alarm:
        return self._alarm(
            metrics.NEW_FEEDBACK,
            "Maximum",
            cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            MONITORING.enough_new_feedback,
        )

    def _alarm(
        self,
        metric: metrics.Metric,
        statistic: str,
        operator: cloudwatch.ComparisonOperator,
        threshold: float,
    ) -> cloudwatch.Alarm:
        watched = cloudwatch.Metric(
            namespace=metrics.NAMESPACE,
            metric_name=metric.name,
            statistic=statistic,
            period=Duration.seconds(ALARMS.period_seconds),
        )
        side = "below" if operator.name.startswith("LESS") else "from"
        alarm = watched.create_alarm(
            self,
            metric.name,
            alarm_description=described(
                f"{metric.meaning}: {side} {threshold:g}. Starts a training.", metric.name
            ),
            comparison_operator=operator,
            threshold=threshold,
            evaluation_periods=1,
            datapoints_to_alarm=1,
            # What is not known is not published, and nothing is no reason to train.
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        alarm.add_ok_action(actions.SnsAction(self.topic))
        return alarm
