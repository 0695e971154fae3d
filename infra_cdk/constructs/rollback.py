"""What takes a challenger out of the traffic by itself: alarms, and the end of its deployment."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from areyouacat import metrics
from infra_cdk.bundling import Bundler
from infra_cdk.constructs.data_lake import SERVING_POINTER, DataLake
from infra_cdk.constructs.dead_letters import DeadLetters
from infra_cdk.constructs.deployment import Deployment
from infra_cdk.constructs.function import PythonFunction
from infra_cdk.constructs.runbook import described
from infra_cdk.constructs.topics import SecureTopic
from infra_cdk.settings import ALARMS, Settings

_CUT_OFF = ("ABORTED", "FAILED", "TIMED_OUT")


class Rollback(Construct):
    """The rollback topic, the alarms that tell it, and who starts the rollback."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        lake: DataLake,
        predict: PythonFunction,
        deployment: Deployment,
        settings: Settings,
        bundler: Bundler,
    ) -> None:
        """Topic, two alarms, a rule, two functions, a queue for what could not be handled."""
        super().__init__(scope, construct_id)
        self._settings, self._bundler = settings, bundler
        workflow = deployment.workflow
        machine = {"DEPLOY_STATE_MACHINE_ARN": workflow.state_machine_arn}
        self.dead_letters = DeadLetters(self, "DeadLetters", name="rollback")
        self.topic = SecureTopic(self, "Topic", display_name="Are you a cat: roll back")
        self.topic.allow_alarms()
        self.alarms = (self._failures_alarm(), self._errors_alarm(predict))
        for alarm in self.alarms:
            alarm.add_alarm_action(actions.SnsAction(self.topic))

        self.on_alarm = self._function("OnAlarm", "roll-back-on-alarm", "on_alarm", machine)
        self.topic.add_subscription(
            subscriptions.LambdaSubscription(self.on_alarm, dead_letter_queue=self.dead_letters)
        )

        on_ended = self._function(
            "OnEnded",
            "clean-up-deployment",
            "on_ended",
            {**machine, "LAKE_BUCKET": lake.name},
        )
        lake.grant(on_ended, read=[SERVING_POINTER], tell_absent=True)
        events.Rule(
            self,
            "CutOff",
            description="A deployment that was cut off leaves no challenger behind",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [workflow.state_machine_arn],
                    "status": list(_CUT_OFF),
                },
            ),
            targets=[targets.LambdaFunction(on_ended, dead_letter_queue=self.dead_letters)],
        )
        for function in (self.on_alarm, on_ended):
            function.allow(["states:StartExecution"], [workflow.state_machine_arn])

    def _function(
        self, construct: str, name: str, handler: str, environment: dict[str, str]
    ) -> PythonFunction:
        return PythonFunction(
            self,
            construct,
            name=name,
            bundle="monitoring",
            handler=f"start_rollback.{handler}",
            settings=self._settings,
            bundler=self._bundler,
            environment=environment,
            dead_letter_queue=self.dead_letters,
        )

    def _failures_alarm(self) -> cloudwatch.Alarm:
        failures = cloudwatch.Metric(
            namespace=metrics.NAMESPACE,
            metric_name=metrics.CHALLENGER_FAILURES.name,
            statistic="Sum",
            period=Duration.seconds(ALARMS.challenger_period_seconds),
        )
        return self._alarm(failures, metrics.CHALLENGER_FAILURES.name, "Requests it failed")

    def _errors_alarm(self, predict: PythonFunction) -> cloudwatch.Alarm:
        # A challenger that takes the whole process with it leaves no metric of its own.
        errors = predict.metric_errors(
            statistic="Sum", period=Duration.seconds(ALARMS.challenger_period_seconds)
        )
        return self._alarm(errors, "PredictErrors", "Crashes and timeouts of the predict function")

    def _alarm(self, metric: cloudwatch.Metric, construct: str, what: str) -> cloudwatch.Alarm:
        return metric.create_alarm(
            self,
            construct,
            alarm_description=described(
                f"{what}. Takes the challenger out of the traffic, if there is one.", construct
            ),
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            threshold=ALARMS.challenger_failures,
            evaluation_periods=1,
            datapoints_to_alarm=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
