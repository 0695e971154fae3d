"""Batch scoring: many photos by one model version, in as many functions as the account allows."""

from collections.abc import Mapping

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra_cdk.bundling import Bundler
from infra_cdk.constructs.data_lake import (
    BATCH_FAILURES,
    BATCH_INPUT,
    BATCH_PLANS,
    BATCH_PROGRESS,
    BATCH_RESULTS,
    BATCH_ROWS,
    BATCH_RUNS,
    BATCH_SUMMARIES,
    BATCHES,
    MODELS,
    PHOTOS,
    SERVING_POINTER,
    DataLake,
)
from infra_cdk.constructs.encryption import Encryption
from infra_cdk.constructs.function import PythonFunction
from infra_cdk.constructs.workflow import Workflow, execution_arns, machine_arn
from infra_cdk.settings import Settings

_NAME = "batch"


class Batch(Construct):
    """Plan, a Distributed Map over chunks, summary. Callers and training notice nothing of it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        lake: DataLake,
        ops_topic: sns.ITopic,
        settings: Settings,
        bundler: Bundler,
    ) -> None:
        """Three functions of one bundle, and the state machine."""
        super().__init__(scope, construct_id)
        self._lake = lake
        self._settings = settings
        self._bundler = bundler
        self.workflow = Workflow(
            self,
            "Workflow",
            name=_NAME,
            functions={
                "PlanBatchFunctionArn": self._plan(),
                "ScoreChunkFunctionArn": self._score(),
                "SummarizeBatchFunctionArn": self._summarize(),
            },
            ops_topic=ops_topic,
            settings=settings,
            substitutions={"LakeBucket": lake.name},
            statements=self._map_statements(),
        )
        # The map reads its items, and puts its results together from parts.
        Encryption.of(self).allow(self.workflow, "s3", decrypt=True, encrypt=True)

    def _plan(self) -> PythonFunction:
        plan = self._function(
            "PlanBatch", "plan-batch", {"MAX_CONCURRENCY": str(self._settings.batch_concurrency)}
        )
        self._lake.grant(
            plan,
            read=[SERVING_POINTER, MODELS, BATCHES, BATCH_PROGRESS, BATCH_INPUT],
            write=[BATCHES, BATCH_PROGRESS, BATCH_PLANS, BATCH_RUNS],
            tell_absent=True,
        )
        self._allow_sources(plan, listing=True)
        return plan

    def _score(self) -> PythonFunction:
        score = self._function("ScoreChunk", "score-chunk", {})
        self._lake.grant(
            score,
            read=[MODELS, BATCHES, BATCH_PLANS, BATCH_ROWS, BATCH_INPUT, PHOTOS],
            write=[BATCH_ROWS, BATCH_FAILURES],
            tell_absent=True,
        )
        self._allow_sources(score, listing=False)
        return score

    def _summarize(self) -> PythonFunction:
        summarize = self._function("SummarizeBatch", "summarize-batch", {})
        self._lake.grant(
            summarize,
            read=[BATCHES, BATCH_PROGRESS, BATCH_ROWS, BATCH_FAILURES],
            write=[BATCH_SUMMARIES],
            tell_absent=True,
        )
        return summarize

    def _allow_sources(self, function: PythonFunction, *, listing: bool) -> None:
        """Buckets outside the stack, by the deployer's word. What S3 encrypts needs no more."""
        for bucket in self._settings.batch_sources:
            arn = f"arn:{Aws.PARTITION}:s3:::{bucket}"
            function.allow(["s3:GetObject"], [f"{arn}/*"])
            if listing:
                function.allow(["s3:ListBucket"], [arn])

    def _function(
        self, construct_id: str, name: str, environment: Mapping[str, str]
    ) -> PythonFunction:
        return PythonFunction(
            self,
            construct_id,
            name=name,
            bundle="batch",
            handler=f"{name.replace('-', '_')}.handler",
            settings=self._settings,
            bundler=self._bundler,
            environment={"LAKE_BUCKET": self._lake.name, **environment},
        )

    def _map_statements(self) -> list[iam.PolicyStatement]:
        """What a Distributed Map needs: to start its children, to read its items, to note results.

        Source: "IAM policies for using Distributed Map states", Step Functions developer guide.
        """
        objects = self._lake.bucket.arn_for_objects
        return [
            iam.PolicyStatement(
                actions=["states:StartExecution"], resources=[machine_arn(self, _NAME)]
            ),
            iam.PolicyStatement(
                actions=["states:DescribeExecution", "states:StopExecution"],
                resources=[execution_arns(self, _NAME)],
            ),
            iam.PolicyStatement(actions=["s3:GetObject"], resources=[objects(BATCH_RUNS)]),
            iam.PolicyStatement(
                actions=[
                    "s3:PutObject",
                    "s3:GetObject",
                    "s3:ListMultipartUploadParts",
                    "s3:AbortMultipartUpload",
                ],
                resources=[objects(BATCH_RESULTS)],
            ),
        ]
