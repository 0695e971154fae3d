"""The train workflow: photos and labels become a registered, deployed model version."""

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from areyouacat.predictions import FEEDBACK_INDEX
from infra_cdk.bundling import Bundler
from infra_cdk.constructs.data_lake import (
    DATASETS,
    EVALUATIONS,
    FEATURES,
    HELD,
    INDEX,
    LABELS,
    MODELS,
    PHOTOS,
    SERVING_POINTER,
    TRAINING,
    DataLake,
)
from infra_cdk.constructs.deployment import Deployment
from infra_cdk.constructs.function import PythonFunction
from infra_cdk.constructs.predictions import Predictions
from infra_cdk.constructs.tracking import Tracking
from infra_cdk.constructs.training_job import TrainingJob
from infra_cdk.constructs.workflow import Workflow, execution_arns, managed_rule
from infra_cdk.settings import SCHEDULE, Settings

_NAME = "train"


class Training(Construct):
    """Lease, snapshot, SageMaker job, evaluation, registration, deployment."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        lake: DataLake,
        predictions: Predictions,
        tracking: Tracking,
        deployment: Deployment,
        ops_topic: sns.ITopic,
        schedule_dead_letters: sqs.IQueue,
        settings: Settings,
        bundler: Bundler,
    ) -> None:
        """The job, the functions around it, the state machine, the daily schedule."""
        super().__init__(scope, construct_id)
        self._settings = settings
        self._bundler = bundler
        self._deployment = deployment
        self._job = TrainingJob(self, "Job", lake=lake, tracking=tracking, settings=settings)
        self.image_project = self._job.image_project
        self.workflow = Workflow(
            self,
            "Workflow",
            name=_NAME,
            functions={
                **self._lease_functions(predictions),
                "SnapshotDatasetFunctionArn": self._snapshot(lake, predictions),
                "EvaluateCandidateFunctionArn": self._evaluate(lake),
                "RegisterModelFunctionArn": self._register(lake, tracking),
                "RecordOutcomeFunctionArn": self._record(lake, tracking),
            },
            ops_topic=ops_topic,
            settings=settings,
            substitutions={
                **self._job.substitutions(),
                "DeployStateMachineArn": deployment.workflow.state_machine_arn,
                "LakeBucket": lake.name,
                "MlflowTrackingUri": tracking.uri,
                "MlflowExperimentName": tracking.experiment,
                "CodeRevision": settings.code_revision,
            },
            statements=[*self._job.sync_statements(), *self._deploy_statements()],
        )
        self._schedule(schedule_dead_letters)

    def _lease_functions(self, predictions: Predictions) -> dict[str, PythonFunction]:
        self.acquire_lease = acquire = self._function(
            "AcquireLease",
            "acquire-lease",
            predictions.retrain_environment(),
            handler="lease.acquire",
        )
        predictions.allow_control(acquire, ["GetItem", "PutItem"])
        # A lease whose execution has ended is stale: ask for its state.
        acquire.allow(["states:DescribeExecution"], [execution_arns(self, _NAME)])
        release = self._function(
            "ReleaseLease",
            "release-lease",
            {"CONTROL_TABLE": predictions.control.table_name},
            handler="lease.release",
        )
        predictions.allow_control(release, ["GetItem", "PutItem"])
        return {"AcquireLeaseFunctionArn": acquire, "ReleaseLeaseFunctionArn": release}

    def _snapshot(self, lake: DataLake, predictions: Predictions) -> PythonFunction:
        snapshot = self._function(
            "SnapshotDataset",
            "snapshot-dataset",
            {
                "LAKE_BUCKET": lake.name,
                "PREDICTIONS_TABLE": predictions.table.table_name,
                "CONTROL_TABLE": predictions.control.table_name,
                "FEEDBACK_APPROVAL": (
                    "required" if self._settings.on.feedback_approval else "not required"
                ),
            },
        )
        # Feedback becomes index and label shards here; its photos are asked for their size, since
        # an erased one is empty; tombstones are listed, never read.
        lake.grant(
            snapshot,
            read=[INDEX, LABELS, FEATURES, PHOTOS],
            write=[INDEX, LABELS, HELD],
            tell_absent=True,
        )
        lake.grant(snapshot, write=[DATASETS], write_in_parts=True)
        predictions.allow_queries(snapshot, [FEEDBACK_INDEX])
        predictions.allow_control(snapshot, ["GetItem", "PutItem"])
        return snapshot

    def _evaluate(self, lake: DataLake) -> PythonFunction:
        evaluate = self._function(
            "EvaluateCandidate", "evaluate-candidate", {"LAKE_BUCKET": lake.name}, bundle="serving"
        )
        lake.grant(
            evaluate,
            read=[TRAINING, DATASETS, PHOTOS, MODELS, SERVING_POINTER],
            write=[EVALUATIONS],
            tell_absent=True,
        )
        return evaluate

    def _register(self, lake: DataLake, tracking: Tracking) -> PythonFunction:
        register = self._function(
            "RegisterModel",
            "register-model",
            {
                "LAKE_BUCKET": lake.name,
                "MLFLOW_TRACKING_URI": tracking.uri,
                "CODE_REVISION": self._settings.code_revision,
            },
        )
        lake.grant(register, read=[TRAINING], write=[MODELS], tell_absent=True)
        tracking.allow(register, "register-model", artifacts=True)
        return register

    def _record(self, lake: DataLake, tracking: Tracking) -> PythonFunction:
        record = self._function(
            "RecordOutcome",
            "record-outcome",
            {
                "LAKE_BUCKET": lake.name,
                "MLFLOW_TRACKING_URI": tracking.uri,
                "MLFLOW_EXPERIMENT_NAME": tracking.experiment,
            },
        )
        lake.grant(record, read=[EVALUATIONS], tell_absent=True)
        tracking.allow(record, "record-outcome", artifacts=True)
        return record

    def _function(
        self,
        construct_id: str,
        name: str,
        environment: dict[str, str],
        *,
        bundle: str = "pipeline",
        handler: str | None = None,
    ) -> PythonFunction:
        return PythonFunction(
            self,
            construct_id,
            name=name,
            bundle=bundle,
            handler=handler or f"{name.replace('-', '_')}.handler",
            settings=self._settings,
            bundler=self._bundler,
            environment=environment,
        )

    def _deploy_statements(self) -> list[iam.PolicyStatement]:
        """What `states:startExecution.sync:2` needs.

        Source: "IAM policies for calling Step Functions", Step Functions developer guide.
        """
        return [
            iam.PolicyStatement(
                actions=["states:StartExecution"],
                resources=[self._deployment.workflow.state_machine_arn],
            ),
            iam.PolicyStatement(
                actions=["states:DescribeExecution", "states:StopExecution"],
                resources=[execution_arns(self, "deploy")],
            ),
            managed_rule(self, "StepFunctionsGetEventsForStepFunctionsExecutionRule"),
        ]

    def _schedule(self, dead_letters: sqs.IQueue) -> None:
        events.Rule(
            self,
            "Schedule",
            description="Trains once a day; the lease sees to it that one training runs at a time",
            schedule=events.Schedule.cron(hour=str(SCHEDULE.train_hour), minute="0"),
            targets=[
                targets.SfnStateMachine(
                    self.workflow,
                    input=events.RuleTargetInput.from_object(
                        {"reason": "daily schedule", "source": "schedule"}
                    ),
                    dead_letter_queue=dead_letters,
                )
            ],
        )
