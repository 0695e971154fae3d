"""The SageMaker processing job that makes a drift report."""

from constructs import Construct

from infra_cdk.constructs.data_lake import DRIFT_REPORTS, DRIFT_WINDOWS, REFERENCES, DataLake
from infra_cdk.constructs.sagemaker_job import SageMakerJob
from infra_cdk.constructs.tracking import Tracking
from infra_cdk.settings import REPORT as JOB
from infra_cdk.settings import Settings


class ReportJob(SageMakerJob):
    """Reads a model's reference sample and a window's, leaves the report beside the latter."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        lake: DataLake,
        tracking: Tracking,
        settings: Settings,
    ) -> None:
        """It sees samples only: no photo, no model."""
        super().__init__(
            scope,
            construct_id,
            kind="Processing",
            job_names=JOB.job_names,
            image=JOB.image,
            image_uri=settings.report_image_uri,
            settings=settings,
        )
        lake.grant(
            self.role,
            read=[REFERENCES, DRIFT_WINDOWS],
            write=[DRIFT_REPORTS],
            write_in_parts=True,
            list_prefixes=[REFERENCES, DRIFT_WINDOWS],
        )
        self._tracking = tracking
        tracking.allow(self.role, "drift-report-job", artifacts=True)

    def substitutions(self) -> dict[str, str]:
        """What the state machine's definition names of it."""
        return {
            "ReportImageUri": self.image_uri,
            "ReportRoleArn": self.role.role_arn,
            "ReportInstanceType": JOB.instance_type,
            "ReportVolumeGb": str(JOB.volume_gb),
            "ReportMaxSeconds": str(JOB.max_seconds),
            "MlflowTrackingUri": self._tracking.uri,
            "MlflowExperimentName": self._tracking.experiment,
        }
