"""Every number of the infrastructure with its unit; what the target alone decides is in `targets`.

Thresholds of the domain (accuracy, image sizes, prediction lifetime) are `areyouacat.settings`'.
"""

import os
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from constructs import Node

from areyouacat.settings import IMAGES
from infra_cdk.switches import BudgetLimit, SecuritySettings, bucket_names, switch
from infra_cdk.targets import TARGETS, Target, TargetSettings

REPOSITORY_ROOT: Final = Path(__file__).resolve().parent.parent
STACK_NAME: Final = "AreYouACat"
APPLICATION_TAG: Final = "Application"
"""Every resource carries it, with the stack's name: costs can be summed by it."""

OPENAPI_FILE: Final = REPOSITORY_ROOT / "lambdas" / "api" / "openapi.json"


@dataclass(frozen=True, slots=True)
class FunctionSize:
    """A function's resources. 1,769 MB is where Lambda gives one whole vCPU."""

    memory_mb: int
    timeout_seconds: int
    reserved_concurrency: int | None = None


FUNCTIONS: Final = {
    # One vCPU: a prediction is one thread's work. On the development machine it takes 52 ms of
    # processor, its writes' included, so with 20 ms of waiting for them (assumed) a million cost
    # $12.53 at 512 MB and 200 ms, $12.86 at 1,769 MB and 72 ms, $14.52 at 3,538 MB and still 72 ms
    # (`make bench ONLY=api`, then `ONLY=memory_sizes`). The largest photo needs 373 MB.
    # Bounded, so that a flood of requests leaves the account room for everything else.
    "predict": FunctionSize(memory_mb=1769, timeout_seconds=20, reserved_concurrency=20),
    "api": FunctionSize(memory_mb=512, timeout_seconds=15, reserved_concurrency=10),
    "acquire-lease": FunctionSize(memory_mb=256, timeout_seconds=30),
    "release-lease": FunctionSize(memory_mb=256, timeout_seconds=30),
    "snapshot-dataset": FunctionSize(memory_mb=1769, timeout_seconds=840),
    # Two vCPU: photos are scored by as many threads, which halves the time at the same price.
    "evaluate-candidate": FunctionSize(memory_mb=3538, timeout_seconds=840),
    "compare-models": FunctionSize(memory_mb=3538, timeout_seconds=840),  # of up to ten models
    "register-model": FunctionSize(memory_mb=1024, timeout_seconds=300),
    "record-outcome": FunctionSize(memory_mb=512, timeout_seconds=120),
    "stage-variant": FunctionSize(memory_mb=512, timeout_seconds=120),
    # Two vCPU, as evaluate-candidate: a hundred photos, two models.
    "score-golden-photos": FunctionSize(memory_mb=3538, timeout_seconds=240),
    # One at a time: two at once can only end with one of them refused.
    "shift-traffic": FunctionSize(memory_mb=256, timeout_seconds=60, reserved_concurrency=1),
    "check-canary": FunctionSize(memory_mb=512, timeout_seconds=120),
    "promote": FunctionSize(memory_mb=256, timeout_seconds=60, reserved_concurrency=1),
    "roll-back": FunctionSize(memory_mb=512, timeout_seconds=60),
    "move-alias": FunctionSize(memory_mb=512, timeout_seconds=60),
    "verify-registry": FunctionSize(memory_mb=512, timeout_seconds=60),
    "roll-back-on-alarm": FunctionSize(memory_mb=256, timeout_seconds=30),
    "clean-up-deployment": FunctionSize(memory_mb=256, timeout_seconds=30),
    # A whole vCPU: parsing DynamoDB's answers is nearly all of its time, so it costs the same as
    # with a part of one, and a million predictions are read well before the end.
    "collect-window": FunctionSize(memory_mb=1769, timeout_seconds=840),
    "publish-metrics": FunctionSize(memory_mb=256, timeout_seconds=60),
    "trigger-retraining": FunctionSize(memory_mb=256, timeout_seconds=30, reserved_concurrency=1),
    "start-pending": FunctionSize(memory_mb=256, timeout_seconds=30, reserved_concurrency=1),
    # It lists and writes, one request after another.
    "plan-batch": FunctionSize(memory_mb=512, timeout_seconds=840),
    # Two vCPU, as evaluate-candidate: the photos of a chunk are scored by as many threads.
    "score-chunk": FunctionSize(memory_mb=3538, timeout_seconds=840),
    # The counts of half a million chunks, of 100,000,000 photos, in memory and read by 32 threads.
    "summarize-batch": FunctionSize(memory_mb=1769, timeout_seconds=840),
}
# The sum of all reserved concurrency, and the 100 executions that AWS leaves unreserved, must fit
# the account's quota ("Concurrent executions"): 134 here, 1,000 in most accounts, as few as 10 in
# a new one, which therefore deploys with `-c small_account=true` until the quota is raised.
LIVE: Final = "live"  # the alias by which API Gateway calls predict and api
LOG_LEVEL: Final = "INFO"
LAMBDA_UNZIPPED_LIMIT_MB: Final = 250  # AWS's own
LOG_RETENTION_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """API Gateway: the stage and how fast callers may ask."""

    stage: str = "v1"
    # Below predict's reserved concurrency / its p95 (20 / 0.25 s = 80 a second): API Gateway
    # answers 429 before a throttled function would surface as a 500.
    rate_per_second: float = 50
    burst_requests: int = 20
    # Each route without a key, for all callers together. A person who opens the documentation
    # makes two requests; strangers hold at most 8 of the api function's 10 executions for as long
    # as one answer takes, and cause at most 1 MB a second (Swagger UI has 0.5 MB compressed).
    keyless_rate_per_second: float = 2
    keyless_burst_requests: int = 4
    integration_timeout_seconds: int = 29  # API Gateway's own limit
    # Larger answers are compressed for those who accept it: Swagger UI and the OpenAPI document.
    # A prediction fits into one or two packets as it is.
    min_compression_bytes: int = 10_000
    binary_media_types: tuple[str, ...] = (*IMAGES.media_types, "application/octet-stream")


API: Final = ApiSettings()
# Ten executions for everything: at 0.25 s each, predict takes five of them at this rate; strangers
# hold two at most.
SMALL_ACCOUNT_API: Final = replace(
    API,
    rate_per_second=20,
    burst_requests=5,
    keyless_rate_per_second=1,
    keyless_burst_requests=1,
)


@dataclass(frozen=True, slots=True)
class FirewallSettings:
    """AWS WAF in front of the API, where it is switched on."""

    window_seconds: int = 300  # over which requests of one address are counted
    # 20 a second: less than half of what the API answers for everybody, so that one address never
    # takes it all. Raise it for callers who share an address.
    requests_per_address: int = 6_000


FIREWALL: Final = FirewallSettings()


@dataclass(frozen=True, slots=True)
class LakeSettings:
    """How long the lake keeps what nothing refers to any more."""

    uploads_days: int = 1  # a presigned upload is read within minutes or never
    batch_input_days: int = 7  # photos that came to be scored, not to stay
    noncurrent_days: int = 30  # overwritten or erased objects
    incomplete_upload_days: int = 2
    access_log_days: int = 30  # as every log; they name the addresses of those who upload


LAKE: Final = LakeSettings()


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """The chunks that a batch scores at once; on a large account `targets` says how many."""

    small_account: int = 4


BATCH: Final = BatchSettings()


@dataclass(frozen=True, slots=True)
class JobImage:
    """The image of a kind of job.

    `name`: of what builds it on AWS. `repository`: by which the local cloud knows it. `dockerfile`:
    from the repository's root, from which it copies.
    """

    name: str
    repository: str
    dockerfile: str
    # Raise it to build the same sources anew: the base image gets security fixes under one name.
    edition: int = 1
    # Images. The training image's packages are 0.5 GB, which ECR bills by the month; an older image
    # is its sources built again.
    kept: int = 3


@dataclass(frozen=True, slots=True)
class ImageBuildSettings:
    """CodeBuild, which makes the images of the jobs. It bills the minutes of a build alone."""

    compute_type: str = "BUILD_GENERAL1_SMALL"  # 2 vCPU, 4 GB: it waits for packages mostly
    build_image: str = "aws/codebuild/amazonlinux-x86_64-standard:5.0"  # as the jobs' instances
    timeout_minutes: int = 30
    queued_minutes: int = 10


IMAGE_BUILD: Final = ImageBuildSettings()


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """The SageMaker training job."""

    image: JobImage = JobImage("training", "are-you-a-cat-training", "training_job/Dockerfile")
    job_names: str = "areyouacat-*"  # what `areyouacat.lease.training_job_name` gives
    instance_type: str = "ml.m5.xlarge"  # 4 vCPU, 16 GB: the head trains on cached features
    volume_gb: int = 30
    max_seconds: int = 3 * 3600
    # Spot instances cost up to 90 % less and may be taken away; the job then starts again and
    # finds the features that it has computed in the lake. `-c training_spot=` says it otherwise.
    spot: bool = False
    spot_max_seconds: int = (
        7 * 1800
    )  # waiting and interruptions included; AWS: max_seconds at least
    mlflow_experiment: str = "are-you-a-cat"


TRAINING: Final = TrainingSettings()


@dataclass(frozen=True, slots=True)
class TrackingSettings:
    """SageMaker's serverless MLflow app."""

    maintenance_window: str = "Sun:12:00"  # UTC; far from the daily training


TRACKING: Final = TrackingSettings()


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """The SageMaker processing job that makes a drift report."""

    image: JobImage = JobImage(
        "drift-report", "are-you-a-cat-drift-report", "training_job/drift_report/Dockerfile"
    )
    job_names: str = "areyouacat-drift-*"  # what `lambdas.monitoring.logic.report` gives
    instance_type: str = "ml.m5.large"  # 2 vCPU, 8 GB: some thousands of rows
    volume_gb: int = 10
    max_seconds: int = 20 * 60


REPORT: Final = ReportSettings()


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """When workflows start by themselves (UTC)."""

    train_hour: int = 3
    monitor_hours: int = 1


SCHEDULE: Final = ScheduleSettings()


@dataclass(frozen=True, slots=True)
class GitHubSettings:
    """Deployments by GitHub Actions."""

    stack_name: str = f"{STACK_NAME}-GitHub"
    environment: str = "production"  # of the repository; its protection rules gate a deployment
    session_seconds: int = 2 * 3600  # a deployment with a training, and the way back
    bootstrap_qualifier: str = "hnb659fds"  # the CDK's own, part of its bootstrap roles' names


GITHUB: Final = GitHubSettings()


@dataclass(frozen=True, slots=True)
class AlarmSettings:
    """How CloudWatch looks at the monitor's metrics."""

    period_seconds: int = 3600  # one monitor run
    dead_letter_days: int = 14  # SQS's longest
    challenger_period_seconds: int = 60
    service_period_seconds: int = 300
    server_errors: int = 5  # in one period
    latency_p95_ms: float = 1_000.0
    latency_periods: int = 3  # a cold start alone is no reason to wake anybody
    silent_periods: int = 2  # monitor runs that did not come
    challenger_failures: int = 5  # in one period; a check of the canary may see fewer sooner


ALARMS: Final = AlarmSettings()


@dataclass(frozen=True, slots=True)
class Settings:
    """One deployment: the target and what the command line said."""

    target: Target
    mlflow_tracking_uri: str
    mlflow_artifact_store: str | None  # s3://...: where a named server's clients store artifacts
    training_image_uri: str | None
    report_image_uri: str | None
    training_spot: bool
    code_revision: str
    endpoint_url: str
    budget: BudgetLimit | None
    batch_sources: tuple[str, ...] = ()  # buckets outside the stack that batches may read
    security: SecuritySettings = field(default_factory=SecuritySettings)

    @property
    def api(self) -> ApiSettings:
        """How fast callers may ask: what the account's quota allows."""
        return SMALL_ACCOUNT_API if self.security.small_account else API

    def reserved_concurrency(self, function: str) -> int | None:
        """The executions that a function of `FUNCTIONS` has for itself, and no more than them."""
        return None if self.security.small_account else FUNCTIONS[function].reserved_concurrency

    @property
    def batch_concurrency(self) -> int:
        """The chunks that a batch scores at once."""
        return BATCH.small_account if self.security.small_account else self.on.batch_concurrency

    @property
    def all_reserved_concurrency(self) -> int:
        """The executions that all functions together keep from the rest of the account."""
        return sum(self.reserved_concurrency(function) or 0 for function in FUNCTIONS)

    @property
    def on(self) -> TargetSettings:
        """What the target decides."""
        return TARGETS[self.target]

    @classmethod
    def from_context(cls, node: Node) -> "Settings":
        """Read `-c target=`, `-c mlflow_tracking_uri=`, `-c mlflow_artifact_store=`,
        `-c training_image_uri=`, `-c report_image_uri=`, `-c training_spot=`, `-c batch_sources=`,
        and those of `switches`.

        What the command line leaves out is taken from DEPLOY_TARGET and, on the local cloud, from
        MLFLOW_TRACKING_URI. On AWS that names the app of the last deployment, which is not to be
        taken for somebody else's server.

        Raises:
            ValueError: the target is neither aws nor local, the artifact store is not in S3, or a
                switch is wrong.
        """
        name = node.try_get_context("target") or os.environ.get("DEPLOY_TARGET") or Target.AWS
        if name not in list(Target):
            raise ValueError(f"unknown target {name!r}: use -c target=aws or -c target=local")
        here = os.environ.get("MLFLOW_TRACKING_URI", "") if name == Target.LOCAL else ""
        store = node.try_get_context("mlflow_artifact_store")
        if store and not store.startswith("s3://"):
            raise ValueError(f"{store!r} is not in S3: use -c mlflow_artifact_store=s3://<bucket>")
        return cls(
            target=Target(name),
            mlflow_tracking_uri=node.try_get_context("mlflow_tracking_uri") or here,
            mlflow_artifact_store=store,
            training_image_uri=node.try_get_context("training_image_uri"),
            report_image_uri=node.try_get_context("report_image_uri"),
            training_spot=switch(node, "training_spot", TRAINING.spot),
            code_revision=_code_revision(),
            endpoint_url=os.environ.get("AWS_ENDPOINT_URL", "https://localhost:4566"),
            budget=BudgetLimit.from_context(node),
            batch_sources=bucket_names(node, "batch_sources"),
            security=SecuritySettings.from_context(node, is_local=name == Target.LOCAL),
        )


def _code_revision() -> str:
    """The commit that is being deployed, or `unknown` outside a repository."""
    answer = subprocess.run(
        ["git", "rev-parse", "--verify", "HEAD"],
        cwd=REPOSITORY_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip() if answer.returncode == 0 else "unknown"
