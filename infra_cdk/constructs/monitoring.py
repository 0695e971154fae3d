"""The monitor workflow: what happened lately becomes metrics."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from areyouacat import metrics
from infra_cdk.bundling import Bundler
from infra_cdk.constructs.data_lake import MODELS, SERVING_POINTER, DataLake
from infra_cdk.constructs.function import PythonFunction
from infra_cdk.constructs.predictions import Predictions
from infra_cdk.constructs.workflow import Workflow
from infra_cdk.settings import SCHEDULE, Settings


class Monitoring(Construct):
    """Collect a window of predictions, publish its metrics; every hour, or by hand."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        lake: DataLake,
        predictions: Predictions,
        ops_topic: sns.ITopic,
        settings: Settings,
        bundler: Bundler,
    ) -> None:
        """Two functions, the state machine and its schedule."""
        super().__init__(scope, construct_id)
        collect = PythonFunction(
            self,
            "CollectWindow",
            name="collect-window",
            bundle="monitoring",
            handler="collect_window.handler",
            settings=settings,
            bundler=bundler,
            environment={
                "LAKE_BUCKET": lake.name,
                "PREDICTIONS_TABLE": predictions.table.table_name,
            },
        )
        lake.grant(collect, read=[SERVING_POINTER, MODELS], tell_absent=True)
        predictions.allow_queries(collect)

        publish = PythonFunction(
            self,
            "PublishMetrics",
            name="publish-metrics",
            bundle="monitoring",
            handler="publish_metrics.handler",
            settings=settings,
            bundler=bundler,
            environment={},
        )
        # PutMetricData knows no resources: the namespace is the only way to narrow it. AWS always
        # sends that key, so IfExists loosens nothing there; the emulator does not send it.
        publish.allow(
            ["cloudwatch:PutMetricData"],
            ["*"],
            {"StringEqualsIfExists": {"cloudwatch:namespace": metrics.NAMESPACE}},
        )

        self.workflow = Workflow(
            self,
            "Workflow",
            name="monitor",
            functions={
                "CollectWindowFunctionArn": collect,
                "PublishMetricsFunctionArn": publish,
            },
            ops_topic=ops_topic,
            settings=settings,
        )
        events.Rule(
            self,
            "Schedule",
            description="Publishes the monitor's metrics",
            schedule=events.Schedule.rate(Duration.hours(SCHEDULE.monitor_hours)),
            targets=[
                targets.SfnStateMachine(
                    self.workflow, input=events.RuleTargetInput.from_object({"source": "schedule"})
                )
            ],
        )
