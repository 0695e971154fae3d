"""The two functions behind the API: different bundles and different rights."""

from constructs import Construct

from infra_cdk.bundling import Bundler
from infra_cdk.constructs.data_lake import (
    MODEL_SPECS,
    MODELS,
    PHOTOS,
    SERVING_POINTER,
    TOMBSTONES,
    UPLOADS,
    DataLake,
)
from infra_cdk.constructs.function import PythonFunction
from infra_cdk.constructs.http_api import HttpApi, Route
from infra_cdk.constructs.predictions import Predictions
from infra_cdk.settings import Settings


class Serving(Construct):
    """`predict` answers for photos; `api` for everything around them."""

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
            environment={
                **environment,
                "POINTER_MAX_AGE_SECONDS": str(settings.on.pointer_max_age_seconds),
            },
            snap_start=settings.on.snap_start,
        )
        lake.grant(
            self.predict,
            read=[SERVING_POINTER, MODELS, UPLOADS],
            write=[PHOTOS],
            tag=[PHOTOS],
            delete_versions=[UPLOADS],
            tell_absent=True,
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
            environment={**environment, "CONTROL_TABLE": predictions.control.table_name},
            snap_start=settings.on.snap_start,
        )
        # Whoever holds a presigned upload writes with this role's right to do so. An erased photo
        # leaves a tombstone and an empty object; its bytes, and every version of them, go.
        lake.grant(
            self.rest,
            read=[SERVING_POINTER, MODEL_SPECS, PHOTOS],
            read_tags=[PHOTOS],
            write=[UPLOADS, TOMBSTONES, PHOTOS],
            tag=[PHOTOS],
            delete_versions=[PHOTOS],
            list_versions=[PHOTOS],
            tell_absent=True,
        )
        predictions.allow(self.rest, ["GetItem", "UpdateItem", "DeleteItem"])
        predictions.allow_control(self.rest, ["UpdateItem"])  # the caps on feedback

        self.api = HttpApi(self, "HttpApi", routes=self._routes(), settings=settings)

    def _routes(self) -> list[Route]:
        predict, rest = self.predict.live(), self.rest.live()
        return [
            # No model of its body: it is a photo's bytes more often than JSON, and the function
            # must read JSON itself anyway, since API Gateway looks at no other content type.
            Route("POST", "/predict", predict),
            Route("POST", "/uploads", rest, body_model="UploadRequest"),
            Route("POST", "/feedback", rest, body_model="FeedbackRequest"),
            Route("GET", "/predictions/{prediction_id}", rest),
            Route("DELETE", "/predictions/{prediction_id}", rest),
            Route("DELETE", "/predictions/{prediction_id}/feedback", rest),
            Route("GET", "/model", rest),
            Route("GET", "/health", rest),
            Route("GET", "/openapi.json", rest, needs_key=False),
            Route("GET", "/docs", rest, needs_key=False),
        ]
