"""The lake: one private, versioned bucket, and who may touch which part of it."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from areyouacat import lake
from areyouacat.settings import BACKBONE
from infra_cdk.settings import LAKE, Settings

PHOTOS = f"{lake.PHOTOS_PREFIX}*"
INDEX = f"{lake.INDEX_PREFIX}*"
LABELS = f"{lake.LABELS_PREFIX}*"
TRAINING = f"{lake.TRAINING_PREFIX}*"
EVALUATIONS = f"{lake.evaluation_prefix('*')}*"
DATASETS = f"{lake.dataset_prefix('*')}*"
FEATURES = f"{lake.features_prefix(BACKBONE.hash, '*')}*"
MODELS = f"{lake.model_prefix('*')}*"
SERVING_POINTER = lake.SERVING_POINTER_KEY


class DataLake(Construct):
    """The bucket. It has no fixed name: a bucket's name belongs to the whole world."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        """The bucket outlives the stack on AWS and goes with it on the local cloud."""
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            versioned=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=settings.on.removal_policy,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="forget-what-was-overwritten",
                    noncurrent_version_expiration=Duration.days(LAKE.noncurrent_days),
                    expired_object_delete_marker=True,
                ),
                s3.LifecycleRule(
                    id="forget-uploads",
                    prefix=LAKE.uploads_prefix,
                    expiration=Duration.days(LAKE.uploads_days),
                ),
                s3.LifecycleRule(
                    id="forget-half-uploads",
                    abort_incomplete_multipart_upload_after=Duration.days(
                        LAKE.incomplete_upload_days
                    ),
                ),
            ],
        )

    @property
    def name(self) -> str:
        """The bucket's name."""
        return self.bucket.bucket_name

    def grant(
        self,
        grantee: iam.IGrantable,
        *,
        read: Sequence[str] = (),
        write: Sequence[str] = (),
        list_prefixes: Sequence[str] = (),
        tell_absent: bool = False,
    ) -> None:
        """Allow a role to read, write and list keys matching patterns, and no others.

        `tell_absent`: S3 answers 403 in the place of 404 to those who may not list, and no
        `s3:prefix` condition holds in a GetObject; so who must tell an absent key from a
        forbidden one lists the bucket without a condition.
        """
        principal = grantee.grant_principal
        if read:
            principal.add_to_principal_policy(
                iam.PolicyStatement(actions=["s3:GetObject"], resources=self._arns(read))
            )
        if write:
            principal.add_to_principal_policy(
                iam.PolicyStatement(
                    actions=["s3:PutObject", "s3:AbortMultipartUpload"],
                    resources=self._arns(write),
                )
            )
        if tell_absent:
            principal.add_to_principal_policy(
                iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.bucket.bucket_arn])
            )
        elif list_prefixes:
            principal.add_to_principal_policy(
                iam.PolicyStatement(
                    actions=["s3:ListBucket"],
                    resources=[self.bucket.bucket_arn],
                    conditions={"StringLike": {"s3:prefix": list(list_prefixes)}},
                )
            )

    def _arns(self, patterns: Sequence[str]) -> list[str]:
        return [self.bucket.arn_for_objects(pattern) for pattern in patterns]
