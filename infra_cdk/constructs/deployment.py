"""The deploy workflow: a registered model version earns its traffic, or goes back."""

from collections.abc import Mapping

from aws_cdk import aws_sns as sns
from constructs import Construct

from infra_cdk.bundling import Bundler
from infra_cdk.constructs.data_lake import DATASETS, MODELS, PHOTOS, SERVING_POINTER, DataLake
from infra_cdk.constructs.function import PythonFunction
from infra_cdk.constructs.predictions import Predictions
from infra_cdk.constructs.tracking import Tracking
from infra_cdk.constructs.workflow import Workflow, execution_arns
from infra_cdk.settings import Settings


class Deployment(Construct):
    """Stage the variant, shift traffic, look at it, promote or roll back, tell the registry."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        lake: DataLake,
        predictions: Predictions,
        tracking: Tracking,
        ops_topic: sns.ITopic,
        settings: Settings,
        bundler: Bundler,
    ) -> None:
        """Seven functions and the state machine; one more that repairs what was left behind."""
        super().__init__(scope, construct_id)
        self._settings, self._bundler = settings, bundler
        in_lake = {"LAKE_BUCKET": lake.name}
        with_registry = {**in_lake, "MLFLOW_TRACKING_URI": tracking.uri}

        stage = self._function(
            "StageVariant",
            "stage-variant",
            {
                **in_lake,
                "BAKE_SECONDS": str(settings.on.canary_bake_seconds),
                "CHECK_SECONDS": str(settings.on.canary_check_seconds),
            },
        )
        lake.grant(stage, read=[MODELS, SERVING_POINTER], tell_absent=True)

        golden = self._function("ScoreGoldenPhotos", "score-golden-photos", in_lake, "serving")
        lake.grant(golden, read=[SERVING_POINTER, MODELS, DATASETS, PHOTOS], tell_absent=True)

        shift = self._function("ShiftTraffic", "shift-traffic", in_lake)
        check = self._function(
            "CheckCanary",
            "check-canary",
            {**in_lake, "PREDICTIONS_TABLE": predictions.table.table_name},
        )
        lake.grant(check, read=[SERVING_POINTER], tell_absent=True)
        predictions.allow_queries(check)

        promote = self._function("Promote", "promote", in_lake)
        roll_back = self._function("RollBack", "roll-back", in_lake)
        # Before it goes back it looks at the files it goes back to.
        lake.grant(roll_back, read=[MODELS])
        move_alias = self._function("MoveAlias", "move-alias", with_registry)
        lake.grant(move_alias, read=[SERVING_POINTER], tell_absent=True)
        tracking.allow(move_alias, "move-alias")

        self.verify_registry = self._function("VerifyRegistry", "verify-registry", with_registry)
        tracking.allow(self.verify_registry, "verify-registry")
        self.deciding = (check, shift, promote, roll_back)
        for writer in (shift, promote, roll_back, self.verify_registry):
            lake.grant(writer, read=[SERVING_POINTER], write=[SERVING_POINTER], tell_absent=True)
        for asker in (shift, promote, self.verify_registry):
            asker.allow(["states:DescribeExecution"], [execution_arns(self, "deploy")])

        self.workflow = Workflow(
            self,
            "Workflow",
            name="deploy",
            functions={
                "StageVariantFunctionArn": stage,
                "ScoreGoldenPhotosFunctionArn": golden,
                "ShiftTrafficFunctionArn": shift,
                "CheckCanaryFunctionArn": check,
                "PromoteFunctionArn": promote,
                "RollBackFunctionArn": roll_back,
                "MoveAliasFunctionArn": move_alias,
            },
            ops_topic=ops_topic,
            settings=settings,
        )

    def _function(
        self,
        construct: str,
        name: str,
        environment: Mapping[str, str],
        bundle: str = "pipeline",
    ) -> PythonFunction:
        return PythonFunction(
            self,
            construct,
            name=name,
            bundle=bundle,
            handler=f"{name.replace('-', '_')}.handler",
            settings=self._settings,
            bundler=self._bundler,
            environment=environment,
        )
