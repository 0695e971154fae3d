"""A kind of SageMaker job: its image, the role it runs with, and what starting it takes."""

from typing import Literal

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra_cdk.constructs.image_build import ImageBuild
from infra_cdk.constructs.workflow import managed_rule
from infra_cdk.image_context import ImageContext
from infra_cdk.settings import REPOSITORY_ROOT, JobImage, Settings


class SageMakerJob(Construct):
    """The image that a job runs and the role it runs with, which may write the job's log.

    Grant the rest to `role`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        kind: Literal["Training", "Processing"],
        job_names: str,
        image: JobImage,
        image_uri: str | None,
        settings: Settings,
    ) -> None:
        """On AWS the image is built here; the local cloud knows it by its address.

        `job_names`: the pattern of the jobs' names. `image_uri`: of an image that is elsewhere.
        """
        super().__init__(scope, construct_id)
        self._settings = settings
        self._kind = kind
        self._job_names = job_names
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
            description=f"What a {kind.lower()} job may do",
        )
        self._allow_logs()
        self.image_project: str | None = None  # that builds it, where it is built here
        self.image_uri = image_uri or self._image(image)

    def sync_statements(self) -> list[iam.PolicyStatement]:
        """What `sagemaker:create…Job.sync` needs.

        Source: "IAM policies for calling SageMaker", Step Functions developer guide.
        """
        jobs = Stack.of(self).format_arn(
            service="sagemaker",
            resource=f"{self._kind.lower()}-job",
            resource_name=self._job_names,
        )
        return [
            iam.PolicyStatement(
                actions=[
                    f"sagemaker:Create{self._kind}Job",
                    f"sagemaker:Describe{self._kind}Job",
                    f"sagemaker:Stop{self._kind}Job",
                    "sagemaker:AddTags",
                    "sagemaker:ListTags",
                ],
                resources=[jobs],
            ),
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[self.role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            ),
            managed_rule(self, f"StepFunctionsGetEventsForSageMaker{self._kind}JobsRule"),
        ]

    def _allow_logs(self) -> None:
        group = Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"/aws/sagemaker/{self._kind}Jobs",
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

    def _image(self, image: JobImage) -> str:
        context = ImageContext.of(REPOSITORY_ROOT, image.dockerfile, edition=image.edition)
        if not self._settings.on.own_image_repository:
            registry = f"{Aws.ACCOUNT_ID}.dkr.ecr.{Aws.REGION}.amazonaws.com"
            return f"{registry}/{image.repository}:{context.tag}"
        build = ImageBuild(self, "Image", image=image, context=context, settings=self._settings)
        build.repository.grant_pull(self.role)
        self.image_project = build.project_name
        return build.image_uri
