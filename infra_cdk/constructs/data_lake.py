"""The lake: one private, versioned bucket, and who may touch which part of it."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from areyouacat import batches, lake
from areyouacat.model_spec import REFERENCE_FILE, SPEC_FILE
from areyouacat.settings import BACKBONE, SERVING
from infra_cdk.constructs.encryption import Encryption
from infra_cdk.settings import LAKE, Settings

PHOTOS = f"{lake.PHOTOS_PREFIX}*"
INDEX = f"{lake.INDEX_PREFIX}*"
LABELS = f"{lake.LABELS_PREFIX}*"
HELD = f"{lake.HELD_PREFIX}*"
TRAINING = f"{lake.TRAINING_PREFIX}*"
EVALUATIONS = f"{lake.evaluation_prefix('*')}*"
DATASETS = f"{lake.dataset_prefix('*')}*"
FEATURES = f"{lake.features_prefix(BACKBONE.hash, '*')}*"
MODELS = f"{lake.model_prefix('*')}*"
MODEL_SPECS = f"{lake.model_prefix('*')}{SPEC_FILE}"
COMPARISONS = f"{lake.comparison_prefix('*')}*"
DRIFT_REPORTS = f"{lake.DRIFT_REPORTS_PREFIX}*"
DRIFT_WINDOWS = f"{lake.DRIFT_REPORTS_PREFIX}*/{lake.DRIFT_WINDOW_CSV}"
REFERENCES = f"{lake.model_prefix('*')}{REFERENCE_FILE}"
RUN_ARTIFACTS = f"{lake.MLFLOW_PREFIX}*"
UPLOADS = f"{lake.UPLOADS_PREFIX}*"
TOMBSTONES = f"{lake.TOMBSTONES_PREFIX}*"
SERVING_POINTER = lake.SERVING_POINTER_KEY
BATCHES = batches.batch_key("*")
BATCH_PROGRESS = batches.progress_key("*")
BATCH_PLANS = batches.chunk_key("*", "*")
BATCH_RUNS = batches.run_key("*", "*")
BATCH_ROWS = batches.rows_key("*", "*")
BATCH_FAILURES = batches.failures_key("*", "*")
BATCH_RESULTS = f"{batches.results_prefix('*')}/*"
BATCH_SUMMARIES = batches.summary_key("*")
BATCH_INPUT = f"{batches.BATCH_INPUT_PREFIX}*"


class DataLake(Construct):
    """The bucket. It has no fixed name: a bucket's name belongs to the whole world."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        """The bucket outlives the stack on AWS and goes with it on the local cloud."""
        super().__init__(scope, construct_id)
        key = Encryption.of(self).key
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            versioned=True,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=True if key else None,  # one call for many objects
            server_access_logs_bucket=self._access_logs(settings),
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
                    prefix=lake.UPLOADS_PREFIX,
                    expiration=Duration.days(LAKE.uploads_days),
                ),
                s3.LifecycleRule(
                    id="forget-what-was-there-to-be-scored",
                    prefix=batches.BATCH_INPUT_PREFIX,
                    expiration=Duration.days(LAKE.batch_input_days),
                ),
                # Seeded photos have no such tag, labelled ones another; both stay.
                s3.LifecycleRule(
                    id="forget-photos-that-nobody-labelled",
                    prefix=lake.PHOTOS_PREFIX,
                    tag_filters={lake.ORIGIN_TAG: lake.ORIGIN_REQUEST},
                    expiration=Duration.days(SERVING.photo_ttl_days),
                ),
                s3.LifecycleRule(
                    id="forget-half-uploads",
                    abort_incomplete_multipart_upload_after=Duration.days(
                        LAKE.incomplete_upload_days
                    ),
                ),
            ],
        )

    def _access_logs(self, settings: Settings) -> s3.Bucket:
        """Where S3 notes every request to the lake, some hours later; who uploads is in it."""
        return s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,  # S3 delivers to no other
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=settings.on.removal_policy,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="forget-requests", expiration=Duration.days(LAKE.access_log_days)
                )
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
        read_tags: Sequence[str] = (),
        write: Sequence[str] = (),
        write_in_parts: bool = False,
        tag: Sequence[str] = (),
        delete_versions: Sequence[str] = (),
        list_prefixes: Sequence[str] = (),
        list_versions: Sequence[str] = (),
        tell_absent: bool = False,
    ) -> None:
        """Allow a role to do with keys matching patterns what is named, and nothing else.

        `write_in_parts`: large objects; whoever fails halfway must be able to clean up.
        `delete_versions`: for good, one version at a time, each by its id.
        `tell_absent`: S3 answers 403 in the place of 404 to those who may not list, and no
        `s3:prefix` condition holds in a GetObject; so who must tell an absent key from a
        forbidden one lists the bucket without a condition.
        """
        writing = ["s3:PutObject", *(["s3:AbortMultipartUpload"] if write_in_parts else [])]
        for actions, patterns in (
            (["s3:GetObject"], read),
            (["s3:GetObjectTagging"], read_tags),
            (writing, write),
            (["s3:PutObjectTagging"], tag),
            (["s3:DeleteObjectVersion"], delete_versions),
        ):
            if patterns:
                _allow(grantee, actions, [self.bucket.arn_for_objects(key) for key in patterns])
        # What is written in parts is put together from what it decrypts.
        Encryption.of(self).allow(
            grantee, "s3", decrypt=bool(read) or write_in_parts, encrypt=bool(write)
        )
        if tell_absent:
            _allow(grantee, ["s3:ListBucket"], [self.bucket.bucket_arn])
        elif list_prefixes:
            self._allow_listing(grantee, "s3:ListBucket", list_prefixes)
        if list_versions:
            self._allow_listing(grantee, "s3:ListBucketVersions", list_versions)

    def _allow_listing(self, grantee: iam.IGrantable, action: str, prefixes: Sequence[str]) -> None:
        below = {"StringLike": {"s3:prefix": list(prefixes)}}
        _allow(grantee, [action], [self.bucket.bucket_arn], below)


def _allow(
    grantee: iam.IGrantable,
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
) -> None:
    grantee.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions)
    )
