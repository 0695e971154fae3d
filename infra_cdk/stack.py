"""The stack: constructs in the order data meets them, and what other programs read of it."""

from collections.abc import Sequence

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra_cdk.acknowledged import Acknowledged, acknowledge, acknowledged
from infra_cdk.bundling import Bundler
from infra_cdk.constructs.batch import Batch
from infra_cdk.constructs.budget import MonthlyBudget
from infra_cdk.constructs.comparison import Comparison
from infra_cdk.constructs.dashboard import Dashboard
from infra_cdk.constructs.data_lake import DataLake
from infra_cdk.constructs.dead_letters import DeadLetters
from infra_cdk.constructs.deployment import Deployment
from infra_cdk.constructs.encryption import Encryption
from infra_cdk.constructs.monitoring import Monitoring
from infra_cdk.constructs.operations import Operations
from infra_cdk.constructs.predictions import Predictions
from infra_cdk.constructs.retraining import Retraining
from infra_cdk.constructs.rollback import Rollback
from infra_cdk.constructs.serving import Serving
from infra_cdk.constructs.topics import SecureTopic
from infra_cdk.constructs.tracking import Tracking
from infra_cdk.constructs.training import Training
from infra_cdk.settings import APPLICATION_TAG, STACK_NAME, Settings
from infra_cdk.targets import Target


class AreYouACatStack(Stack):
    """The whole system of one account and region."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, bundler: Bundler
    ) -> None:
        """`bundler` gives the functions their code."""
        super().__init__(
            scope,
            construct_id,
            description="Are you a cat? Photos, predictions, retraining",
            tags={APPLICATION_TAG: STACK_NAME},
            termination_protection=settings.security.production,
        )
        self.encryption = Encryption(self, settings=settings)
        lake = DataLake(self, "DataLake", settings=settings)
        predictions = Predictions(self, "Predictions", settings=settings)
        serving = Serving(
            self,
            "Serving",
            lake=lake,
            predictions=predictions,
            settings=settings,
            bundler=bundler,
        )
        tracking = Tracking(self, "Tracking", lake=lake, settings=settings)
        ops_topic = SecureTopic(self, "OpsTopic", display_name="Are you a cat: operators")
        schedules = DeadLetters(self, "ScheduleDeadLetters", name="schedule")
        deployment = Deployment(
            self,
            "Deployment",
            lake=lake,
            predictions=predictions,
            tracking=tracking,
            ops_topic=ops_topic,
            settings=settings,
            bundler=bundler,
        )
        rollback = Rollback(
            self,
            "Rollback",
            lake=lake,
            predict=serving.predict,
            deployment=deployment,
            settings=settings,
            bundler=bundler,
        )
        training = Training(
            self,
            "Training",
            lake=lake,
            predictions=predictions,
            tracking=tracking,
            deployment=deployment,
            ops_topic=ops_topic,
            schedule_dead_letters=schedules,
            settings=settings,
            bundler=bundler,
        )
        comparison = Comparison(self, "Comparison", lake=lake, settings=settings, bundler=bundler)
        retraining = Retraining(
            self,
            "Retraining",
            predictions=predictions,
            training=training,
            settings=settings,
            bundler=bundler,
        )
        monitoring = Monitoring(
            self,
            "Monitoring",
            lake=lake,
            predictions=predictions,
            tracking=tracking,
            start_pending=retraining.start_pending,
            ops_topic=ops_topic,
            schedule_dead_letters=schedules,
            settings=settings,
            bundler=bundler,
        )
        batch = Batch(
            self, "Batch", lake=lake, ops_topic=ops_topic, settings=settings, bundler=bundler
        )
        dead_letters = (retraining.dead_letters, rollback.dead_letters, schedules)
        operations = Operations(
            self,
            "Operations",
            topic=ops_topic,
            api=serving.api,
            functions=(serving.predict, serving.rest),
            workflows=(
                training.workflow,
                deployment.workflow,
                monitoring.workflow,
                batch.workflow,
            ),
            dead_letters=dead_letters,
        )
        dashboard = Dashboard(
            self,
            "Dashboard",
            alarms=(*retraining.alarms, *rollback.alarms, *operations.alarms),
            deciding=(
                retraining.trigger,
                training.acquire_lease,
                retraining.start_pending,
                *deployment.deciding,
                rollback.on_alarm,
            ),
        )
        if settings.budget and settings.target is Target.AWS:
            MonthlyBudget(self, "Budget", limit=settings.budget)

        for name, value in {
            "CodeRevision": settings.code_revision,
            "ApiUrl": serving.api.address,
            "ApiId": serving.api.rest_api_id,
            "ApiStage": serving.api.stage,
            "ApiKeyId": serving.api.key_id,
            "LakeBucket": lake.name,
            "PredictionsTable": predictions.table.table_name,
            "ControlTable": predictions.control.table_name,
            "TrainStateMachineArn": training.workflow.state_machine_arn,
            "DeployStateMachineArn": deployment.workflow.state_machine_arn,
            "MonitorStateMachineArn": monitoring.workflow.state_machine_arn,
            "BatchStateMachineArn": batch.workflow.state_machine_arn,
            "RetrainTopicArn": retraining.topic.topic_arn,
            "RollbackTopicArn": rollback.topic.topic_arn,
            "OpsTopicArn": ops_topic.topic_arn,
            "PredictFunctionName": serving.predict.function_name,
            "VerifyRegistryFunctionName": deployment.verify_registry.function_name,
            "CompareFunctionName": comparison.compare.function_name,
            "FeedbackAccuracyAlarmName": retraining.accuracy_alarm.alarm_name,
            "DashboardName": dashboard.name,
            "MlflowTrackingUri": tracking.uri,
            "TrainingImageProject": training.image_project,
            "ReportImageProject": monitoring.image_project,
        }.items():
            if value:  # an image that is elsewhere has no project
                CfnOutput(self, name, value=value)
        self.acknowledged: Sequence[Acknowledged] = acknowledged(self, lake, settings)
        acknowledge(self, self.acknowledged)
