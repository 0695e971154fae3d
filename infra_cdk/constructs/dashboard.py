"""The CloudWatch dashboard: what an operator looks at first, one row a question."""

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from areyouacat import metrics
from areyouacat.settings import MONITORING
from infra_cdk.constructs.http_api import HttpApi
from infra_cdk.constructs.workflow import Workflow
from infra_cdk.settings import ALARMS

_MINUTE = Duration.minutes(1)
_WINDOW = Duration.seconds(ALARMS.period_seconds)
_FULL_WIDTH = 24  # columns of a dashboard
_HALF_WIDTH = 12
_SHARE = cloudwatch.YAxisProps(min=0, max=1)


class Dashboard(Construct):
    """Requests, latency, errors, accuracy, answers, executions, alarms."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: HttpApi,
        workflows: Sequence[Workflow],
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        """Metric names come from `areyouacat.metrics` alone."""
        super().__init__(scope, construct_id)
        self.name = Stack.of(self).stack_name
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self.name)
        dashboard.add_widgets(
            _graph(
                "Requests",
                [
                    _api_metric(api, "Count", "Sum"),
                    _metric(metrics.REQUESTS, "Sum"),
                    _metric(metrics.PREDICTIONS, "Sum"),
                ],
            ),
            _graph(
                "Latency",
                [
                    _api_metric(api, "Latency", "p95"),
                    _metric(metrics.LATENCY, "p50"),
                    _metric(metrics.LATENCY, "p95"),
                ],
            ),
        )
        dashboard.add_widgets(
            _graph(
                "Errors at the API",
                [_api_metric(api, "4XXError", "Sum"), _api_metric(api, "5XXError", "Sum")],
            ),
            _graph(
                "Errors in the function",
                [
                    _metric(metrics.CLIENT_ERRORS, "Sum"),
                    _metric(metrics.SERVER_ERRORS, "Sum"),
                    _metric(metrics.VARIANT_FAILURES, "Sum"),
                ],
            ),
        )
        dashboard.add_widgets(
            cloudwatch.GraphWidget(
                title="Feedback accuracy",
                width=_HALF_WIDTH,
                left=[_metric(metrics.FEEDBACK_ACCURACY, "Minimum", _WINDOW)],
                left_y_axis=_SHARE,
                left_annotations=[
                    cloudwatch.HorizontalAnnotation(
                        value=MONITORING.min_feedback_accuracy, label="retrain below"
                    )
                ],
                right=[
                    _metric(metrics.FEEDBACK_LABELS, "Maximum", _WINDOW),
                    _metric(metrics.NEW_FEEDBACK, "Maximum", _WINDOW),
                ],
            ),
            cloudwatch.GraphWidget(
                title="What is answered",
                width=_HALF_WIDTH,
                left=[
                    _metric(metrics.POSITIVE_SHARE, "Average", _WINDOW),
                    _metric(metrics.UNSURE_SHARE, "Average", _WINDOW),
                    _metric(metrics.MEAN_PROBABILITY, "Average", _WINDOW),
                ],
                left_y_axis=_SHARE,
                right=[_metric(metrics.WINDOW_REQUESTS, "Maximum", _WINDOW)],
            ),
        )
        dashboard.add_widgets(
            _graph("Executions that ended well", [w.metric_succeeded() for w in workflows]),
            _graph("Executions that failed", [w.metric_failed() for w in workflows]),
        )
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", width=_FULL_WIDTH, alarms=list(alarms))
        )


def _metric(
    metric: metrics.Metric, statistic: str, period: Duration = _MINUTE
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=metrics.NAMESPACE,
        metric_name=metric.name,
        statistic=statistic,
        period=period,
        label=f"{metric.name} {statistic}",
    )


def _api_metric(api: HttpApi, name: str, statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/ApiGateway",
        metric_name=name,
        dimensions_map={"ApiName": api.name},
        statistic=statistic,
        period=_MINUTE,
        label=f"API {name} {statistic}",
    )


def _graph(title: str, left: list[cloudwatch.Metric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, width=_HALF_WIDTH, left=list(left))
