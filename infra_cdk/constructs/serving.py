"""The two functions behind the API: different bundles and different rights."""

from constructs import Construct

from infra_cdk.bundling import Bundler
from infra_cdk.constructs.data_lake import INDEX, MODELS, PHOTOS, SERVING_POINTER, DataLake
from infra_cdk.constructs.function import PythonFunction
from infra_cdk.constructs.http_api import HttpApi
from infra_cdk.constructs.predictions import Predictions
from infra_cdk.settings import Settings


class Serving(Construct):
    """`predict` answers for photos; `api` for feedback, model and health."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        lake: DataLake,
        predictions: Predictions,
        settings: Settings,
        bundler: Bundler,
    ) -> None:
        """Functions, their rights, then the API in front of them."""
        super().__init__(scope, construct_id)
        environment = {
            "LAKE_BUCKET": lake.name,
            "PREDICTIONS_TABLE": predictions.table.table_name,
        }
        self.predict = PythonFunction(
            self,
            "Predict",
            name="predict",
            bundle="serving",
            handler="predict.handler",
            settings=settings,
            bundler=bundler,
            environment=environment,
        )
        lake.grant(
            self.predict, read=[SERVING_POINTER, MODELS], write=[PHOTOS, INDEX], tell_absent=True
        )
        predictions.allow(self.predict, ["GetItem", "PutItem"])

        self.rest = PythonFunction(
            self,
            "Api",
            name="api",
            bundle="api",
            handler="api.handler",
            settings=settings,
            bundler=bundler,
            environment=environment,
        )
        lake.grant(self.rest, read=[SERVING_POINTER, MODELS], tell_absent=True)
        predictions.allow(self.rest, ["GetItem", "UpdateItem"])

        self.api = HttpApi(
            self,
            "HttpApi",
            routes={
                "predict": ("POST", self.predict),
                "feedback": ("POST", self.rest),
                "model": ("GET", self.rest),
                "health": ("GET", self.rest),
            },
            settings=settings,
        )
