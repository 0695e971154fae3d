"""Any model versions on any data set version, side by side, whenever somebody asks."""

from constructs import Construct

from infra_cdk.bundling import Bundler
from infra_cdk.constructs.data_lake import COMPARISONS, DATASETS, MODELS, PHOTOS, DataLake
from infra_cdk.constructs.function import PythonFunction
from infra_cdk.settings import Settings


class Comparison(Construct):
    """A function of the serving bundle: what is compared is what would serve."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        lake: DataLake,
        settings: Settings,
        bundler: Bundler,
    ) -> None:
        """The function reads models, data sets and photos, and writes its reports alone."""
        super().__init__(scope, construct_id)
        self.compare = PythonFunction(
            self,
            "CompareModels",
            name="compare-models",
            bundle="serving",
            handler="compare_models.handler",
            settings=settings,
            bundler=bundler,
            environment={"LAKE_BUCKET": lake.name},
        )
        # It lists models and data sets, to name those that exist, and must tell an erased photo.
        lake.grant(
            self.compare,
            read=[MODELS, DATASETS, PHOTOS],
            write=[COMPARISONS],
            tell_absent=True,
        )
