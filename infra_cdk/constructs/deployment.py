"""The deploy workflow: a registered model version becomes the one that serves."""

from aws_cdk import aws_sns as sns
from constructs import Construct

from infra_cdk.bundling import Bundler
from infra_cdk.constructs.data_lake import MODELS, SERVING_POINTER, DataLake
from infra_cdk.constructs.function import PythonFunction
from infra_cdk.constructs.tracking import Tracking
from infra_cdk.constructs.workflow import Workflow
from infra_cdk.settings import Settings


class Deployment(Construct):
    """Stage the variant, move the serving pointer, then the registry's alias."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        lake: DataLake,
        tracking: Tracking,
        ops_topic: sns.ITopic,
        settings: Settings,
        bundler: Bundler,
    ) -> None:
        """Three functions and the state machine."""
        super().__init__(scope, construct_id)

        def function(construct: str, name: str, environment: dict[str, str]) -> PythonFunction:
            return PythonFunction(
                self,
                construct,
                name=name,
                bundle="pipeline",
                handler=f"{name.replace('-', '_')}.handler",
                settings=settings,
                bundler=bundler,
                environment=environment,
            )

        stage = function("StageVariant", "stage-variant", {"LAKE_BUCKET": lake.name})
        lake.grant(stage, read=[MODELS, SERVING_POINTER], tell_absent=True)

        promote = function("Promote", "promote", {"LAKE_BUCKET": lake.name})
        lake.grant(promote, read=[SERVING_POINTER], write=[SERVING_POINTER], tell_absent=True)

        move_alias = function("MoveAlias", "move-alias", {"MLFLOW_TRACKING_URI": tracking.uri})

        self.workflow = Workflow(
            self,
            "Workflow",
            name="deploy",
            functions={
                "StageVariantFunctionArn": stage,
                "PromoteFunctionArn": promote,
                "MoveAliasFunctionArn": move_alias,
            },
            ops_topic=ops_topic,
            settings=settings,
        )
