"""What people are told about: alarms on the service itself. They start nothing."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from areyouacat import metrics
from infra_cdk.constructs.function import PythonFunction
from infra_cdk.constructs.http_api import HttpApi
from infra_cdk.constructs.runbook import described
from infra_cdk.constructs.topics import SecureTopic
from infra_cdk.constructs.workflow import Workflow
from infra_cdk.settings import ALARMS

_AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
_SILENCE_IS_GOOD = cloudwatch.TreatMissingData.NOT_BREACHING
_SILENCE_IS_BAD = cloudwatch.TreatMissingData.BREACHING


class Operations(Construct):
    """Errors, latency, throttles, dead letters, failed executions, a monitor that is silent."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: SecureTopic,
        api: HttpApi,
        functions: Sequence[PythonFunction],
        workflows: Sequence[Workflow],
        dead_letters: Sequence[sqs.IQueue],
    ) -> None:
        """`functions`: behind the API. `topic` hears when an alarm fires and when it is over."""
        super().__init__(scope, construct_id)
        topic.allow_alarms()
        self._period = Duration.seconds(ALARMS.service_period_seconds)
        self.alarms = (
            *self._errors(api),
            self._latency(),
            *(self._throttles(function) for function in functions),
            *(self._dead_letters(queue) for queue in dead_letters),
            *(alarm for workflow in workflows for alarm in self._executions(workflow)),
            self._silent_monitor(),
        )
        for alarm in self.alarms:
            alarm.add_alarm_action(actions.SnsAction(topic))
            alarm.add_ok_action(actions.SnsAction(topic))

    def _errors(self, api: HttpApi) -> list[cloudwatch.Alarm]:
        at_api = cloudwatch.Metric(
            namespace="AWS/ApiGateway",
            metric_name="5XXError",
            dimensions_map={"ApiName": api.name},
            statistic="Sum",
            period=self._period,
        )
        in_function = self._own(metrics.SERVER_ERRORS, "Sum")
        what = "Requests that failed through no fault of the caller's"
        return [
            self._alarm("ApiErrors", at_api, ALARMS.server_errors, f"{what}, at the API"),
            self._alarm("ServerErrors", in_function, ALARMS.server_errors, f"{what}, in predict"),
        ]

    def _latency(self) -> cloudwatch.Alarm:
        return self._alarm(
            "Latency",
            self._own(metrics.LATENCY, "p95"),
            ALARMS.latency_p95_ms,
            "One request in twenty takes so many milliseconds or longer, for a quarter of an hour",
            periods=ALARMS.latency_periods,
        )

    def _throttles(self, function: PythonFunction) -> cloudwatch.Alarm:
        throttled = function.metric_throttles(statistic="Sum", period=self._period)
        name = function.node.id
        return self._alarm(
            f"{name}Throttles", throttled, 1, f"Requests that found no free execution of {name}"
        )

    def _dead_letters(self, queue: sqs.IQueue) -> cloudwatch.Alarm:
        waiting = queue.metric_approximate_number_of_messages_visible(
            statistic="Maximum", period=self._period
        )
        return self._alarm(
            f"{queue.node.path.split('/', 1)[1].replace('/', '')}",
            waiting,
            1,
            "An event that could not be delivered or handled waits to be looked at",
        )

    def _executions(self, workflow: Workflow) -> list[cloudwatch.Alarm]:
        owner = str(workflow.node.scope.node.id) if workflow.node.scope else ""
        endings = {
            "Failed": workflow.metric_failed(statistic="Sum", period=self._period),
            "TimedOut": workflow.metric_timed_out(statistic="Sum", period=self._period),
        }
        return [
            self._alarm(f"{owner}{ending}", metric, 1, f"An execution of {owner}: {ending}")
            for ending, metric in endings.items()
        ]

    def _silent_monitor(self) -> cloudwatch.Alarm:
        runs = cloudwatch.Metric(
            namespace=metrics.NAMESPACE,
            metric_name=metrics.WINDOW_REQUESTS.name,
            statistic="SampleCount",
            period=Duration.seconds(ALARMS.period_seconds),
        )
        return self._alarm(
            "MonitorSilent",
            runs,
            1,
            "The monitor has not run: nothing is watched, and nothing retrains by itself",
            periods=ALARMS.silent_periods,
            operator=_BELOW,
            missing=_SILENCE_IS_BAD,
        )

    def _own(self, metric: metrics.Metric, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=metrics.NAMESPACE,
            metric_name=metric.name,
            statistic=statistic,
            period=self._period,
        )

    def _alarm(
        self,
        construct: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        meaning: str,
        *,
        periods: int = 1,
        operator: cloudwatch.ComparisonOperator = _AT_LEAST,
        missing: cloudwatch.TreatMissingData = _SILENCE_IS_GOOD,
    ) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            construct,
            metric=metric,
            alarm_description=described(f"{meaning}.", construct),
            comparison_operator=operator,
            threshold=threshold,
            evaluation_periods=periods,
            datapoints_to_alarm=periods,
            treat_missing_data=missing,
        )
