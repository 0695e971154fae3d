"""The monitor workflow: what happened lately becomes metrics, and a report of what has drifted."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from areyouacat import metrics
from infra_cdk.bundling import Bundler
from infra_cdk.constructs.data_lake import (
    DRIFT_WINDOWS,
    MODEL_SPECS,
    REFERENCES,
    SERVING_POINTER,
    DataLake,
)
from infra_cdk.constructs.function import PythonFunction
from infra_cdk.constructs.predictions import Predictions
from infra_cdk.constructs.report_job import ReportJob
from infra_cdk.constructs.tracking import Tracking
from infra_cdk.constructs.workflow import Workflow
from infra_cdk.settings import FUNCTIONS, SCHEDULE, Settings


class Monitoring(Construct):
    """Collect a window of predictions, publish its metrics, report; every hour, or by hand."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        lake: DataLake,
        predictions: Predictions,
        tracking: Tracking,
        start_pending: PythonFunction,
        ops_topic: sns.ITopic,
        schedule_dead_letters: sqs.IQueue,
        settings: Settings,
        bundler: Bundler,
    ) -> None:
        """Two functions, the report's job, the state machine and its schedule.

        `start_pending`: the task between metrics and report.
        """
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
                "PREDICT_MEMORY_MB": str(FUNCTIONS["predict"].memory_mb),
            },
        )
        # Knows no resources and no conditions: whoever may read a metric may read all.
        collect.allow(["cloudwatch:GetMetricStatistics"], ["*"])
        # Of a model it reads what the job's report compares with, never the model itself.
        lake.grant(
            collect,
            read=[SERVING_POINTER, MODEL_SPECS, REFERENCES],
            write=[DRIFT_WINDOWS],
            tell_absent=True,
        )
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

        report = ReportJob(self, "Report", lake=lake, tracking=tracking, settings=settings)
        self.image_project = report.image_project
        self.workflow = Workflow(
            self,
            "Workflow",
            name="monitor",
            functions={
                "CollectWindowFunctionArn": collect,
                "PublishMetricsFunctionArn": publish,
                "StartPendingFunctionArn": start_pending,
            },
            ops_topic=ops_topic,
            settings=settings,
            substitutions=report.substitutions(),
            statements=report.sync_statements(),
        )
        events.Rule(
            self,
            "Schedule",
            description="Publishes the monitor's metrics",
            schedule=events.Schedule.rate(Duration.hours(SCHEDULE.monitor_hours)),
            targets=[
                targets.SfnStateMachine(
                    self.workflow,
                    input=events.RuleTargetInput.from_object({"source": "schedule"}),
                    dead_letter_queue=schedule_dead_letters,
                )
            ],
        )
