"""The stack's roles: what each may do, what must never come to it, and which rights rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Rights:
    """What a role may do, all of it, and what of the rest must never come to it."""

    may: frozenset[str]
    never: frozenset[str]


def rights(may: str, never: str) -> Rights:
    """From lists of deeds, separated by commas."""
    return Rights(frozenset(may.split(", ")), frozenset(never.split(", ")))


NOBODY_MAY: Final = frozenset(
    {
        "change code",
        "change train",
        "delete models",
        "delete photos",
        "drop predictions",
        "give rights",
        "open the lake",
        "read another bucket",
        "scan predictions",
        "take another role",
    }
)
IMPLIED: Final = {
    "list the lake": (
        "list photos, list datasets, list features, list training, list references, list windows"
    ),
    "read models": "read references, read model specs",
    "read training": "read evaluations",
    "write models": "write references, write model specs",
    "write training": "write evaluations",
    "write reports": "write windows",
}
"""What somebody may who may do a wider thing: one part of the lake lies within another."""

_POINTER: Final = "read pointer, list the lake"
_MOVES_POINTER: Final = f"{_POINTER}, write pointer"
_QUERIES: Final = "query by_predicted_hour, query by_feedback_hour"
_STARTS: Final = "start train, start deploy, start monitor, start batch"

ROLES: Final[Mapping[str, Rights]] = {
    "ServingPredict": rights(
        f"{_POINTER}, read models, read uploads, erase uploads, write photos, tag photos, "
        "get predictions, put predictions",
        "read photos, erase photos, read datasets, read index, write pointer, write models, "
        f"update predictions, delete predictions, {_QUERIES}, get control, {_STARTS}, invoke api",
    ),
    "ServingApi": rights(
        f"{_POINTER}, read model specs, read photos, write photos, tag photos, "
        "read tags of photos, erase photos, list versions of photos, write uploads, "
        "write tombstones, "
        "get predictions, update predictions, delete predictions, update control",
        "read models, write models, write pointer, read datasets, write labels, read uploads, "
        "list versions, "
        f"put predictions, {_QUERIES}, get control, put control, {_STARTS}, invoke predict",
    ),
    "ServingHttpApiLogging": rights(
        "write another's log, write training log, write processing log",
        "delete a log, read photos, get predictions, invoke predict, publish to OpsTopic",
    ),
    "DeploymentStageVariant": rights(
        f"{_POINTER}, read models",
        "write pointer, write models, read photos, get predictions, describe deploy",
    ),
    "DeploymentScoreGoldenPhotos": rights(
        f"{_POINTER}, read models, read datasets, read photos",
        "write pointer, write photos, write datasets, get predictions, invoke predict",
    ),
    "DeploymentShiftTraffic": rights(
        f"{_MOVES_POINTER}, describe deploy",
        f"read models, read photos, stop deploy, describe train, {_STARTS}, get predictions",
    ),
    "DeploymentCheckCanary": rights(
        f"{_POINTER}, {_QUERIES}",
        "write pointer, get predictions, query predictions, read photos, stop deploy",
    ),
    "DeploymentPromote": rights(
        f"{_MOVES_POINTER}, describe deploy",
        f"read models, write models, stop deploy, {_STARTS}, get predictions",
    ),
    "DeploymentRollBack": rights(
        f"{_MOVES_POINTER}, read models",
        f"write models, read photos, stop deploy, {_STARTS}, get predictions",
    ),
    "DeploymentMoveAlias": rights(
        _POINTER, f"write pointer, read models, write models, {_STARTS}, get predictions"
    ),
    "DeploymentVerifyRegistry": rights(
        f"{_MOVES_POINTER}, describe deploy", f"read models, stop deploy, {_STARTS}, get control"
    ),
    "DeploymentWorkflow": rights(
        "invoke stage-variant, invoke score-golden-photos, invoke shift-traffic, "
        "invoke check-canary, invoke promote, invoke roll-back, invoke move-alias, "
        "publish to OpsTopic",
        f"invoke predict, invoke register-model, {_STARTS}, publish to RetrainingTopic, "
        "read pointer, write pointer, create a training job",
    ),
    "RollbackOnAlarm": rights(
        "start deploy, send to RollbackDeadLetters",
        "start train, stop deploy, read pointer, write pointer, receive from RollbackDeadLetters, "
        "send to RetrainingDeadLetters",
    ),
    "RollbackOnEnded": rights(
        f"{_POINTER}, start deploy, send to RollbackDeadLetters",
        "start train, stop deploy, write pointer, receive from RollbackDeadLetters, "
        "send to RetrainingDeadLetters",
    ),
    "TrainingAcquireLease": rights(
        "get control, put control, describe train",
        "get predictions, delete control, describe deploy, stop train, start train, read index",
    ),
    "TrainingReleaseLease": rights(
        "get control, put control",
        "get predictions, delete control, describe train, start train, read index",
    ),
    "TrainingSnapshotDataset": rights(
        "read index, read labels, read features, read photos, list the lake, "
        "write index, write labels, write held labels, write datasets, abort datasets, "
        "query by_feedback_hour, get control, put control",
        "query by_predicted_hour, write photos, tag photos, erase photos, write pointer, "
        "read models, read datasets, abort labels, write features, read tombstones, "
        "get predictions, put predictions, start train, create a training job",
    ),
    "TrainingEvaluateCandidate": rights(
        f"{_POINTER}, read training, read datasets, read photos, read models, write evaluations",
        "write training, write models, write pointer, write photos, get predictions, start deploy",
    ),
    "TrainingRegisterModel": rights(
        "read training, write models, list the lake",
        "read models, write training, read pointer, write pointer, read photos, get predictions, "
        "start deploy",
    ),
    "TrainingRecordOutcome": rights(
        "read evaluations, list the lake",
        "read training, read models, write evaluations, write pointer, get control, start deploy",
    ),
    "TrainingJob": rights(
        "read photos, read datasets, read features, write features, write training, "
        "abort features, abort training, list photos, list datasets, list features, "
        "list training, write training log",
        "write photos, tag photos, erase photos, write datasets, write pointer, read pointer, "
        "write models, read labels, list the lake, get predictions, write processing log, "
        f"create a training job, {_STARTS}",
    ),
    "TrainingWorkflow": rights(
        "invoke acquire-lease, invoke release-lease, invoke snapshot-dataset, "
        "invoke evaluate-candidate, invoke register-model, invoke record-outcome, "
        "start deploy, describe deploy, stop deploy, publish to OpsTopic, "
        "create a training job, describe a training job, stop a training job",
        "invoke predict, invoke promote, start train, stop train, publish to RetrainingTopic, "
        "create another's training job, stop another's training job, create a processing job, "
        "read photos, write pointer, get control",
    ),
    "TrainingWorkflowEvents": rights(
        "start train", "start deploy, start monitor, stop train, invoke acquire-lease"
    ),
    "ComparisonCompareModels": rights(
        "read models, read datasets, read photos, write comparisons, list the lake",
        "write models, write datasets, write photos, read pointer, write reports, get predictions",
    ),
    "RetrainingTrigger": rights(
        "get control, put control, start train, send to RetrainingDeadLetters",
        "start deploy, stop train, describe train, get predictions, read photos, "
        "receive from RetrainingDeadLetters, send to RollbackDeadLetters",
    ),
    "RetrainingStartPending": rights(
        "get control, describe train, start train, send to RetrainingDeadLetters",
        "put control, start deploy, stop train, get predictions, read photos, "
        "receive from RetrainingDeadLetters, send to RollbackDeadLetters",
    ),
    "MonitoringCollectWindow": rights(
        f"{_POINTER}, read model specs, read references, write windows, {_QUERIES}, read metrics",
        "read models, write reports, read photos, write pointer, publish metrics, "
        f"get predictions, {_STARTS}, silence an alarm",
    ),
    "MonitoringPublishMetrics": rights(
        "publish metrics",
        f"read metrics, silence an alarm, read pointer, {_QUERIES}, {_STARTS}",
    ),
    "MonitoringReport": rights(
        "read references, read windows, write reports, abort reports, "
        "list references, list windows, write processing log",
        "read photos, read models, read reports, write models, write training, read pointer, "
        f"write training log, list the lake, get predictions, {_QUERIES}, {_STARTS}",
    ),
    "MonitoringWorkflow": rights(
        "invoke collect-window, invoke publish-metrics, invoke start-pending, "
        "publish to OpsTopic, create a processing job, describe a processing job, "
        "stop a processing job",
        f"invoke predict, invoke trigger-retraining, {_STARTS}, publish to RetrainingTopic, "
        "create another's processing job, create a training job, "
        "read pointer, publish metrics",
    ),
    "BatchPlanBatch": rights(
        f"{_POINTER}, read models, read batches, read batch progress, read batch input, "
        "write batches, write batch progress, write batch plans, write batch runs",
        "read photos, write photos, write models, write pointer, read datasets, write batch rows, "
        f"write batch input, get predictions, invoke score-chunk, {_STARTS}",
    ),
    "BatchScoreChunk": rights(
        "list the lake, read models, read batches, read batch plans, read batch rows, "
        "read batch input, read photos, write batch rows, write batch failures",
        "write photos, tag photos, erase photos, write models, read pointer, write pointer, "
        "write batches, write batch plans, write batch progress, write batch summaries, "
        f"get predictions, put predictions, invoke plan-batch, {_STARTS}",
    ),
    "BatchSummarizeBatch": rights(
        "list the lake, read batches, read batch progress, read batch rows, read batch failures, "
        "write batch summaries",
        "read photos, read batch input, read models, write batch rows, write batches, "
        f"read pointer, write pointer, get predictions, {_STARTS}",
    ),
    "BatchWorkflow": rights(
        "invoke plan-batch, invoke score-chunk, invoke summarize-batch, publish to OpsTopic, "
        "start batch, describe batch, stop batch, read batch runs, read batch results, "
        "write batch results, abort batch results",
        "invoke predict, start train, start deploy, start monitor, stop train, "
        "publish to RetrainingTopic, read photos, read batch rows, write batch rows, "
        "write batch runs, read pointer, write pointer, create a training job",
    ),
    "MonitoringWorkflowEvents": rights(
        "start monitor", "start train, start deploy, stop monitor, invoke collect-window"
    ),
}

UNCHECKED: Final = {
    "BatchWorkflow",
    "DeploymentWorkflow",
    "MonitoringWorkflow",
    "MonitoringWorkflowEvents",
    "ServingHttpApiLogging",
    "TrainingWorkflow",
    "TrainingWorkflowEvents",
}
"""Roles of services that the emulator does not play with a role: templates alone tell of these."""

_DEAD_LETTERS: Final = "Lambda sends to it by itself; the emulator asks no policy before that"
UNSEEN: Final[Mapping[tuple[str, str], str]] = {
    ("*", "s3:ListBucket"): "turns the 403 of an absent key into a 404, which asks no policy here",
    ("*", "logs:CreateLogStream"): "the emulator writes functions' logs itself",
    ("*", "logs:PutLogEvents"): "the emulator writes functions' logs itself",
    ("*", "s3:AbortMultipartUpload"): "who fails halfway through a large object cleans up",
    ("ComparisonCompareModels", "*"): "a person asks for a comparison: make compare",
    ("DeploymentPromote", "states:DescribeExecution"): "another deployment left a challenger",
    ("DeploymentRollBack", "s3:GetObject /models/*/*"): "goes back to the version before",
    ("DeploymentShiftTraffic", "states:DescribeExecution"): "another deployment left a challenger",
    ("DeploymentVerifyRegistry", "*"): "a person asks for it: make verify-registry",
    ("RetrainingStartPending", "sqs:SendMessage"): _DEAD_LETTERS,
    ("RetrainingStartPending", "states:StartExecution"): "a reason was pending that still stands",
    ("RetrainingTrigger", "dynamodb:PutItem"): "keeps the reason of a start that has to wait",
    ("RetrainingTrigger", "sqs:SendMessage"): _DEAD_LETTERS,
    ("RollbackOnAlarm", "*"): "the alarm on a challenger fires between two checks",
    ("RollbackOnEnded", "*"): "a deployment was cut off",
    ("ServingPredict", "s3:PutObjectTagging"): "AWS asks for it where an object comes with a tag",
    ("TrainingAcquireLease", "states:DescribeExecution"): "a lease is held by somebody else",
    ("TrainingJob", "logs:CreateLogGroup"): "the first job of an account and region",
    ("TrainingJob", "logs:DescribeLogStreams"): "SageMaker's own, on AWS",
    ("MonitoringReport", "logs:CreateLogGroup"): "the first job of an account and region",
    ("MonitoringReport", "logs:DescribeLogStreams"): "SageMaker's own, on AWS",
    ("TrainingRecordOutcome", "s3:GetObject"): "a model was rejected, or its training failed",
    (
        "TrainingSnapshotDataset",
        "s3:PutObject /reviews/held/*",
    ): "labels that wait for a person are held",
}
"""Rights of a role (`*`: of any) that these tests do not make it use, and when it needs them.

An action, or one on resources that end so, or `*`: all that the role may.
"""
