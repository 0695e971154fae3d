"""The SageMaker training job."""

from constructs import Construct

from infra_cdk.constructs.data_lake import DATASETS, FEATURES, PHOTOS, TRAINING, DataLake
from infra_cdk.constructs.sagemaker_job import SageMakerJob
from infra_cdk.constructs.tracking import Tracking
from infra_cdk.settings import TRAINING as JOB
from infra_cdk.settings import Settings


class TrainingJob(SageMakerJob):
    """Reads a data set and its photos, keeps features, leaves a model's archive."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        lake: DataLake,
        tracking: Tracking,
        settings: Settings,
    ) -> None:
        """Its output path is the lake's, too."""
        self._spot = settings.training_spot
        super().__init__(
            scope,
            construct_id,
            kind="Training",
            job_names=JOB.job_names,
            image=JOB.image,
            image_uri=settings.training_image_uri,
            settings=settings,
        )
        lake.grant(
            self.role,
            read=[PHOTOS, DATASETS, FEATURES],
            write=[FEATURES, TRAINING],
            write_in_parts=True,
            list_prefixes=[PHOTOS, DATASETS, FEATURES, TRAINING],
        )
        tracking.allow(self.role, "training-job", artifacts=True)

    def substitutions(self) -> dict[str, str]:
        """What the state machine's definition names of it."""
        return {
            "TrainingImageUri": self.image_uri,
            "TrainingRoleArn": self.role.role_arn,
            "TrainingInstanceType": JOB.instance_type,
            "TrainingVolumeGb": str(JOB.volume_gb),
            "TrainingMaxSeconds": str(JOB.max_seconds),
            "TrainingSpotMaxSeconds": str(JOB.spot_max_seconds),
            "TrainingCapacity": "spot" if self._spot else "on_demand",
        }
