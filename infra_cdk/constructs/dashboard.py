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
_THIRD_WIDTH = 8
_SHARE = cloudwatch.YAxisProps(min=0, max=1)
_PERCENT = cloudwatch.YAxisProps(min=0, max=100)
_PROBABILITY_BANDS = (("", "0.2"), ("0.2", "0.4"), ("0.4", "0.6"), ("0.6", "0.8"), ("0.8", ""))
_STAGES = (
    metrics.LATENCY,
    metrics.DECODE_LATENCY,
    metrics.INFERENCE_LATENCY,
    metrics.WRITE_LATENCY,
)


class Dashboard(Construct):
    """Requests and errors, latency, accuracy, answers, executions, alarms."""

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
        dashboard.add_widgets(*_answers(api))
        dashboard.add_widgets(*(_latency(api, statistic) for statistic in ("p50", "p95", "p99")))
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
            _graph(
                "The challenger, while there is one",
                [
                    _metric(metrics.CHALLENGER_REQUESTS, "Sum"),
                    _metric(metrics.CHALLENGER_FAILURES, "Sum"),
                ],
            ),
            _graph(
                "Latency of the challenger and of all, p95",
                [_metric(metrics.CHALLENGER_LATENCY, "p95"), _metric(metrics.LATENCY, "p95")],
            ),
        )
        dashboard.add_widgets(
            _graph("Executions that ended well", [w.metric_succeeded() for w in workflows]),
            _graph("Executions that failed", [w.metric_failed() for w in workflows]),
        )
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", width=_FULL_WIDTH, alarms=list(alarms))
        )


def _answers(api: HttpApi) -> list[cloudwatch.GraphWidget]:
    """Whether requests are answered, and with which probabilities."""
    return [
        _graph(
            "Requests and errors at the API",
            [_api_metric(api, name, "Sum") for name in ("Count", "4XXError", "5XXError")],
            _THIRD_WIDTH,
        ),
        _graph(
            "Requests and errors in the function",
            [
                _metric(counted, "Sum")
                for counted in (
                    metrics.REQUESTS,
                    metrics.PREDICTIONS,
                    metrics.REPEATED_REQUESTS,
                    metrics.CLIENT_ERRORS,
                    metrics.SERVER_ERRORS,
                    metrics.VARIANT_FAILURES,
                    metrics.COLD_STARTS,
                )
            ],
            _THIRD_WIDTH,
        ),
        cloudwatch.GraphWidget(
            title="Predictions by probability, percent",
            width=_THIRD_WIDTH,
            # CloudWatch's percentile rank: which part of the values lies above one bound and not
            # above the other. The outer bands have one bound.
            left=[
                _metric(metrics.PROBABILITY, f"PR({low}:{high})", _WINDOW)
                for low, high in _PROBABILITY_BANDS
            ],
            left_y_axis=_PERCENT,
            stacked=True,
        ),
    ]


def _latency(api: HttpApi, statistic: str) -> cloudwatch.GraphWidget:
    """Where a request's time goes: at the API, in the function, and in the function's stages."""
    return _graph(
        f"Latency by stage, {statistic}",
        [
            _api_metric(api, "Latency", statistic),
            *(_metric(stage, statistic) for stage in _STAGES),
        ],
        _THIRD_WIDTH,
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


def _graph(
    title: str, left: list[cloudwatch.Metric], width: int = _HALF_WIDTH
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, width=width, left=list(left))
