"""The SageMaker training job's image and role."""

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra_cdk.constructs.data_lake import DATASETS, FEATURES, PHOTOS, TRAINING, DataLake
from infra_cdk.settings import TRAINING as JOB
from infra_cdk.settings import Settings


class TrainingJob(Construct):
    """The image that a job runs and the role it runs with."""

    def __init__(
        self, scope: Construct, construct_id: str, *, lake: DataLake, settings: Settings
    ) -> None:
        """On AWS the image has a repository here; the local cloud knows it by its address."""
        super().__init__(scope, construct_id)
        self._settings = settings
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
            description="What a training job may do",
        )
        lake.grant(
            self.role,
            read=[PHOTOS, DATASETS, FEATURES],
            write=[FEATURES, TRAINING],
            write_in_parts=True,
            list_prefixes=[PHOTOS, DATASETS, FEATURES, TRAINING],
        )
        self._allow_logs()
        self.image_uri = self._image()

    def _allow_logs(self) -> None:
        group = Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws/sagemaker/TrainingJobs",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=[
                    "logs:CreateLogGroup",
                    "logs:CreateLogStream",
                    "logs:DescribeLogStreams",
                    "logs:PutLogEvents",
                ],
                resources=[group, f"{group}:*"],
            )
        )

    def _image(self) -> str:
        if self._settings.training_image_uri:
            return self._settings.training_image_uri
        if not self._settings.on.own_image_repository:
            registry = f"{Aws.ACCOUNT_ID}.dkr.ecr.{Aws.REGION}.amazonaws.com"
            return f"{registry}/{JOB.image_repository}:{JOB.image_tag}"
        repository = ecr.Repository(
            self,
            "Images",
            image_scan_on_push=True,
            encryption=ecr.RepositoryEncryption.AES_256,
            lifecycle_rules=[ecr.LifecycleRule(max_image_count=JOB.images_kept)],
            removal_policy=self._settings.on.removal_policy,
        )
        repository.grant_pull(self.role)
        return repository.repository_uri_for_tag(JOB.image_tag)
