"""What the tasks of our definitions answer.

The answers of deploy's functions, and others where it is easy, are made by their own code: a field
that one of them renames is missing in the simulated runs, too.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from areyouacat.batches import (
    Batch,
    Counts,
    Location,
    Progress,
    chunk_name,
    results_prefix,
    rows_prefix,
    run_key,
    summary_key,
)
from areyouacat.gates import GateInput, Measured, Paired, decide
from areyouacat.model_spec import Mode
from areyouacat.serving_pointer import Variant, first_pointer
from infra_cdk.targets import TARGETS, Target
from lambdas.batch.logic.summary import summarize
from lambdas.monitoring.logic.report import ReportJob
from lambdas.pipeline.handlers.fields import moved
from lambdas.pipeline.handlers.stage_variant import StageRequest
from lambdas.pipeline.logic.promotion import Move, MoveOutcome
from lambdas.pipeline.logic.staging import Wanted, plan
from lambdas.serving.logic.golden import Golden


def _variant(version: str) -> Variant:
    return Variant(
        role="challenger",
        name="are-you-a-cat",
        version=version,
        weight=0.0,
        key=f"models/{version}/model.tflite",
        sha256="00",
        model_json_key=f"models/{version}/model.json",
        model_json_sha256="00",
    )


def staged(payload: Mapping[str, Any], *, serving: str | None = "2") -> dict[str, Any]:
    """What StageVariant answers on AWS while the version `serving`, if any, is the champion."""
    asked = StageRequest.model_validate(payload)
    variant, on_aws = _variant(asked.version), TARGETS[Target.AWS]
    pointer = serving and first_pointer(
        _variant(serving), by="arn", reason="the first", at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    planned = plan(
        variant,
        pointer or None,
        Wanted(asked.strategy, asked.canary_weight, asked.bake_seconds, asked.check_seconds),
        canary_bake_seconds=on_aws.canary_bake_seconds,
        canary_check_seconds=on_aws.canary_check_seconds,
    )
    return {
        "variant": asdict(variant),
        **asdict(planned),
        "reason": asked.reason,
        "source": asked.source,
    }


def checked(verdict: str, *reasons: str, wait_seconds: int = 60) -> dict[str, Any]:
    """What CheckCanary answers."""
    role = {
        "requests": 20,
        "failures": 0,
        "latency_p95_ms": 40.0,
        "feedback": 0,
        "feedback_right": 0,
        "golden": 50,
        "golden_right": 49,
    }
    return {
        "verdict": verdict,
        "reasons": list(reasons) or [f"it is to {verdict}"],
        "wait_seconds": wait_seconds,
        "checked_at": "2026-01-01T00:01:00Z",
        "champion": {"version": "2", **role},
        "challenger": {"version": "3", **role, "latency_p95_ms": None},
        "test": {"pairs": 0, "better": 1.0, "worse": 1.0},
    }


def evaluated(mode: Mode, accuracy: float = 0.9) -> dict[str, Any]:
    """What EvaluateCandidate answers of a candidate beside the champion, version 2."""
    decision = decide(
        GateInput(
            mode=mode,
            test=Measured(1000, 500, accuracy, accuracy, accuracy),
            parity_difference=0.001,
            latency_ms=8.0,
            against_champion=Paired(1000, 10, 20),
            recent_against_champion=Paired(100, 1, 30),
        )
    )
    return {
        "gate": {**asdict(decision), "rules": [asdict(rule) for rule in decision.rules]},
        "metrics": {"accuracy": accuracy},
        "champion_version": None if mode == "bootstrap" else "2",
        "mlflow_run_id": "run",
        "evaluation_prefix": "training/areyouacat-name-0123abcd/evaluation/",
    }


PROMOTED = moved(Move(MoveOutcome.PROMOTED, True, "3", "2", "3"), ["it is as good"])
ROLLED_BACK = moved(Move(MoveOutcome.ROLLED_BACK, True, "2", "2", "3"), ["it fails"])
UNCHANGED = moved(Move(MoveOutcome.UNCHANGED, False, "2", "1", None), ["nothing to leave"])
GOLDEN_RIGHT = asdict(Golden(50, 49, ("ab",), True, "right on 49 of 50 golden photos"))
GOLDEN_WRONG = asdict(Golden(50, 20, ("ab",), False, "wrong on 30 of 50 golden photos"))

PLANNED: dict[str, Any] = {
    "batch_id": "name",
    "planned": True,
    "photos": 500,
    "chunks": 2,
    "anything_to_score": True,
    "chunks_to_score": 2,
    "run_key": run_key("name", "name"),
    "results_prefix": results_prefix("name"),
    "max_concurrency": 500,
    "model_version": "2",
}


def summarized(*missing: str) -> dict[str, Any]:
    """What SummarizeBatch answers while these chunks have no rows."""
    batch = Batch("name", Location("lake", "photos/"), False, _variant("2"), "2026-01-01T00:00:00Z")
    chunks = {chunk_name(number) for number in range(2)} - set(missing)
    counts = Counts({"cat": 249}, {"unreadable_image": 1})
    found = summarize(batch, Progress(2, 500, whole=True), dict.fromkeys(chunks, counts))
    return {
        **found.to_dict(),
        "complete": not found.missing,
        "rows_uri": f"s3://lake/{rows_prefix('name')}",
        "summary_key": summary_key("name"),
    }


RESULTS: Mapping[str, dict[str, Any]] = {
    "AcquireLease": {
        "acquired": True,
        "outcome": "acquired",
        "why": "nobody else trains",
        "holder": "arn",
        "answers": [],
        "reason": "daily schedule",
        "source": "schedule",
        "training_job_name": "areyouacat-name-0123abcd",
    },
    "SnapshotDataset": {
        "version": "0123456789abcdef",
        "mode": "bootstrap",
        "manifest_sha256": "00",
        "dataset_s3_uri": "s3://lake/datasets/0123456789abcdef/",
        "channel_manifest_s3_uri": "s3://lake/datasets/0123456789abcdef/channel.manifest",
        "summary_key": "datasets/0123456789abcdef/summary.json",
        "counts": {"train": 20},
        "missing_features": 20,
        "feedback_labels": 0,
    },
    "EvaluateCandidate": evaluated("bootstrap"),
    "RegisterModel": {"version": "3", "model_name": "are-you-a-cat", "model_prefix": "models/3/"},
    "ScoreGoldenPhotos": GOLDEN_RIGHT,
    "ShiftTraffic": {
        "changed": True,
        "champion_version": "2",
        "challenger_version": "3",
        "began_at": "2026-01-01T00:00:00Z",
    },
    "AnnounceChallenger": {"moved": True, "aliases": ["challenger"], "champion": "2"},
    "CheckCanary": checked("promote"),
    "Promote": PROMOTED,
    "RollBack": ROLLED_BACK,
    "WithdrawChallenger": ROLLED_BACK,
    "MoveAlias": {"moved": True, "aliases": ["champion"], "champion": "3"},
    "CollectWindow": {
        "window": {"start": "2025-12-31T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
        "metrics": {},
        "report": {"due": False, "failed": False, "why": "the window has 3 photos"},
    },
    "PublishMetrics": {"published": []},
    "StartPending": {"started": None, "waiting": []},
    "PlanBatch": PLANNED,
    "ScoreChunk": {"chunk": "00000000", "scored": 249, "failed": 1},
    "SummarizeBatch": summarized(),
}
TRAINED = {
    "TrainingJobName": "areyouacat-name-0123abcd",
    "TrainingJobArn": "arn:aws:sagemaker:eu-west-1:111111111111:training-job/areyouacat-name",
    "ModelArtifacts": {"S3ModelArtifacts": "s3://lake/training/job/output/model.tar.gz"},
}


REPORT_DUE = {
    **RESULTS["CollectWindow"],
    "report": {
        "due": True,
        "failed": False,
        "why": "drift of brightness",
        **asdict(
            ReportJob(
                job_name="areyouacat-drift-20260101T000000Z",
                model_version="3",
                prefix="reports/drift/2026-01-01T00-00-00Z/",
                report_uri="s3://lake/reports/drift/2026-01-01T00-00-00Z/",
                window_uri="s3://lake/reports/drift/2026-01-01T00-00-00Z/window.csv",
                reference_uri="s3://lake/models/3/reference.csv",
            )
        ),
    },
}
"""What CollectWindow answers when a drift report is due."""

REPORT_NOT_PREPARED = {
    **RESULTS["CollectWindow"],
    "report": {"due": False, "failed": True, "why": "AccessDenied"},
}
"""What CollectWindow answers when the report's window could not be written."""

REPORTED = {
    "ProcessingJobName": "areyouacat-drift-20260101T000000Z",
    "ProcessingJobArn": "arn:aws:sagemaker:eu-west-1:111111111111:processing-job/areyouacat-drift",
}


def deployed(result: Mapping[str, Any]) -> dict[str, Any]:
    """What the nested execution of deploy leaves, as Step Functions hands it on."""
    return {"ExecutionArn": "arn", "Status": "SUCCEEDED", "Output": {"result": dict(result)}}


_ANSWERS_OF_SERVICES: Mapping[str, dict[str, Any]] = {
    "TrainModel": TRAINED,
    "DriftReport": REPORTED,
    "DeployModel": deployed(PROMOTED),
    "NotifyOperators": {"MessageId": "1"},
    "ScoreChunks": {"chunk": "00000000"},  # what its reader finds, one of many
}


def succeed(state: str, parameters: Any) -> Any:
    """Every task's answer when all goes well, as the service wraps it."""
    if state in _ANSWERS_OF_SERVICES:
        return _ANSWERS_OF_SERVICES[state]
    if state == "StageVariant":
        return {"Payload": staged(parameters["Payload"]), "StatusCode": 200}
    return {"Payload": RESULTS.get(state, {}), "StatusCode": 200}
