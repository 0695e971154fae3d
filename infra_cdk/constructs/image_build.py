"""A job's image, built in the account: whoever deploys needs no container engine."""

from pathlib import Path
from tempfile import TemporaryDirectory

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from infra_cdk.constructs.encryption import Encryption
from infra_cdk.constructs.function import retention, wait_for_policy_alone
from infra_cdk.image_context import ImageContext
from infra_cdk.settings import IMAGE_BUILD, LOG_RETENTION_DAYS, REPOSITORY_ROOT, JobImage, Settings

_BUILDSPEC = REPOSITORY_ROOT / "infra_cdk" / "image_buildspec.yml"


class ImageBuild(Construct):
    """The image's repository, and the CodeBuild project that puts it there.

    `infra_cdk.images` starts the project; nothing is built before.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        image: JobImage,
        context: ImageContext,
        settings: Settings,
    ) -> None:
        """`context`: what the image is built from."""
        super().__init__(scope, construct_id)
        self.project_name = f"{Stack.of(self).stack_name}-{image.name}-image"
        self.repository = self._repository(image, settings)
        self.image_uri = self.repository.repository_uri_for_tag(context.tag)
        source = self._source(context)
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/codebuild/{self.project_name}",
            retention=retention(LOG_RETENTION_DAYS),
            encryption_key=Encryption.of(self).key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"),
            description=f"What a build of the {image.name} image may do",
        )
        for statement in self._statements(source, log_group):
            role.add_to_policy(statement)
        self._project(context, source, log_group, role)

    def _repository(self, image: JobImage, settings: Settings) -> ecr.Repository:
        return ecr.Repository(
            self,
            "Repository",
            # A tag is the digest of what the image is made of: it never means another image.
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            image_scan_on_push=True,
            encryption=ecr.RepositoryEncryption.AES_256,
            lifecycle_rules=[ecr.LifecycleRule(max_image_count=image.kept)],
            removal_policy=settings.on.removal_policy,
        )

    def _source(self, context: ImageContext) -> s3_assets.Asset:
        with TemporaryDirectory() as folder:
            archive = Path(folder) / "context.zip"
            context.write(archive)
            return s3_assets.Asset(self, "Context", path=str(archive))

    def _statements(
        self, source: s3_assets.Asset, log_group: logs.LogGroup
    ) -> list[iam.PolicyStatement]:
        """Read the source, write the log, look for the image and push it.

        Sources: "Allow CodeBuild to interact with other AWS services", CodeBuild user guide; "IAM
        permissions for pushing an image", ECR user guide.
        """
        return [
            iam.PolicyStatement(
                actions=["s3:GetObject", "s3:GetObjectVersion"],
                resources=[source.bucket.arn_for_objects(source.s3_object_key)],
            ),
            iam.PolicyStatement(
                actions=["s3:GetBucketAcl", "s3:GetBucketLocation"],
                resources=[source.bucket.bucket_arn],
            ),
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[log_group.log_group_arn],
            ),
            iam.PolicyStatement(
                actions=[
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:CompleteLayerUpload",
                    "ecr:DescribeImages",
                    "ecr:InitiateLayerUpload",
                    "ecr:PutImage",
                    "ecr:UploadLayerPart",
                ],
                resources=[self.repository.repository_arn],
            ),
            iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
        ]

    def _project(
        self,
        context: ImageContext,
        source: s3_assets.Asset,
        log_group: logs.LogGroup,
        role: iam.Role,
    ) -> None:
        """By its plain resource: CDK's own `Project` adds rights that this one does not need."""
        variables = {
            "REPOSITORY_NAME": self.repository.repository_name,
            "REPOSITORY_URI": self.repository.repository_uri,
            "IMAGE_TAG": context.tag,
            "DOCKERFILE": context.dockerfile,
        }
        project = codebuild.CfnProject(
            self,
            "Project",
            name=self.project_name,
            service_role=role.role_arn,
            source=codebuild.CfnProject.SourceProperty(
                type="S3",
                location=f"{source.s3_bucket_name}/{source.s3_object_key}",
                build_spec=_BUILDSPEC.read_text(),
            ),
            artifacts=codebuild.CfnProject.ArtifactsProperty(type="NO_ARTIFACTS"),
            environment=codebuild.CfnProject.EnvironmentProperty(
                type="LINUX_CONTAINER",
                image=IMAGE_BUILD.build_image,
                compute_type=IMAGE_BUILD.compute_type,
                privileged_mode=True,  # a Docker engine runs in it
                environment_variables=[
                    codebuild.CfnProject.EnvironmentVariableProperty(name=name, value=value)
                    for name, value in variables.items()
                ],
            ),
            logs_config=codebuild.CfnProject.LogsConfigProperty(
                cloud_watch_logs=codebuild.CfnProject.CloudWatchLogsConfigProperty(
                    status="ENABLED", group_name=log_group.log_group_name
                )
            ),
            timeout_in_minutes=IMAGE_BUILD.timeout_minutes,
            queued_timeout_in_minutes=IMAGE_BUILD.queued_minutes,
            encryption_key="alias/aws/s3",  # of artifacts, of which there are none
            visibility="PRIVATE",
        )
        wait_for_policy_alone(project, role)
