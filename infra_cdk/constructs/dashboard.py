"""The CloudWatch dashboard: what an operator looks at first, one row a question."""

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from areyouacat.dashboard import ANY, Deployed, Panel, Series, Unit, rows
from infra_cdk.constructs.function import PythonFunction
from infra_cdk.constructs.workflow import machine_arn
from infra_cdk.settings import ALARMS, STACK_NAME

_FULL_WIDTH = 24  # columns of a dashboard
_TITLE_HEIGHT = 1
_LOG_HEIGHT = 6
_AXES = {
    Unit.SHARE: cloudwatch.YAxisProps(min=0, max=1, show_units=False),
    Unit.PERCENT: cloudwatch.YAxisProps(min=0, max=100, show_units=False),
}
_DECISIONS = (
    "fields @timestamp, outcome, why, reason, source, alarm, execution, decision",
    'filter message in ["training started", "alarm stands no more", "lease", "pending", '
    '"traffic shifted", "checked", "promoted", "rolled back", "rollbacks started"]',
    "sort @timestamp desc",
    "limit 50",
)


class Dashboard(Construct):
    """The rows of `areyouacat.dashboard`, the state of the alarms, and what was decided."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alarms: Sequence[cloudwatch.IAlarm],
        deciding: Sequence[PythonFunction],
    ) -> None:
        """`deciding`: who starts, refuses, promotes and rolls back; their logs are shown."""
        super().__init__(scope, construct_id)
        self.name = Stack.of(self).stack_name
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self.name)
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", width=_FULL_WIDTH, alarms=list(alarms))
        )
        deployed = Deployed(STACK_NAME, ALARMS.period_seconds, lambda name: machine_arn(self, name))
        for row in rows(deployed):
            dashboard.add_widgets(
                cloudwatch.TextWidget(
                    markdown=f"## {row.question}",
                    width=_FULL_WIDTH,
                    height=_TITLE_HEIGHT,
                    background=cloudwatch.TextWidgetBackground.TRANSPARENT,
                )
            )
            width = _FULL_WIDTH // len(row.panels)
            dashboard.add_widgets(*(_graph(panel, width) for panel in row.panels))
        dashboard.add_widgets(
            cloudwatch.LogQueryWidget(
                title="What was decided, and why",
                width=_FULL_WIDTH,
                height=_LOG_HEIGHT,
                log_group_names=[function.log_group.log_group_name for function in deciding],
                query_lines=list(_DECISIONS),
            )
        )


def _graph(panel: Panel, width: int) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=panel.title,
        width=width,
        left=[_metric(series) for series in panel.left],
        left_y_axis=_AXES.get(panel.unit, cloudwatch.YAxisProps(min=0)),
        left_annotations=[
            cloudwatch.HorizontalAnnotation(value=value, label=label)
            for label, value in panel.limits.items()
        ],
        right=[_metric(series) for series in panel.right],
        stacked=panel.stacked,
    )


def _metric(series: Series) -> cloudwatch.IMetric:
    if ANY in series.dimensions.values():
        schema = ",".join((series.namespace, *series.dimensions))
        return cloudwatch.MathExpression(
            expression=(
                f"SEARCH('{{{schema}}} MetricName=\"{series.metric}\"', '{series.statistic}', "
                f"{series.period})"
            ),
            period=Duration.seconds(series.period),
            label="",
        )
    return cloudwatch.Metric(
        namespace=series.namespace,
        metric_name=series.metric,
        statistic=series.statistic,
        period=Duration.seconds(series.period),
        dimensions_map=dict(series.dimensions) or None,
        label=series.label,
    )
