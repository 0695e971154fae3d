"""Which stage of a prediction a profiler's frames belong to."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, Protocol


class Stage(StrEnum):
    """What the time goes to."""

    BASE64 = "base64"
    DECODE = "decode"
    RESIZE = "resize"
    STATS = "image stats"
    HASH = "hash"
    INFERENCE = "inference"
    RECORD = "the prediction's record"
    WRITES = "writes"
    JSON = "JSON"
    METRICS = "logging and metrics"
    OTHER = "other"


class Frame(Protocol):
    """A function as a profiler saw it called: `time` in seconds, that of its children included."""

    @property
    def function(self) -> str: ...  # noqa: D102
    @property
    def file_path(self) -> str | None: ...  # noqa: D102
    @property
    def time(self) -> float: ...  # noqa: D102
    @property
    def children(self) -> Sequence["Frame"]: ...  # noqa: D102


# By the end of the file's path, and the function: it and all that it calls, but for what is a
# stage of its own.
_STAGES: Final[Mapping[tuple[str, str], Stage]] = {
    ("lambdas/serving/handlers/predict.py", "handler"): Stage.OTHER,
    ("lambdas/serving/handlers/photo_request.py", "_undo_gateway"): Stage.BASE64,
    ("areyouacat/images.py", "decode"): Stage.DECODE,
    ("areyouacat/images.py", "to_model_input"): Stage.RESIZE,
    ("areyouacat/image_stats.py", "image_stats"): Stage.STATS,
    ("areyouacat/lake.py", "sha256_hex"): Stage.HASH,
    ("lambdas/serving/logic/loaded_model.py", "score"): Stage.INFERENCE,
    ("lambdas/serving/logic/prediction.py", "judge"): Stage.RECORD,
    ("areyouacat/contract.py", "predict_answer"): Stage.RECORD,
    ("lambdas/serving/dal/prediction_writer.py", "storing"): Stage.WRITES,
    ("lambdas/serving/dal/prediction_writer.py", "keep"): Stage.WRITES,
    ("lambdas/shared/proxy.py", "_response"): Stage.JSON,
    ("lambdas/serving/handlers/meter.py", "__init__"): Stage.METRICS,
    ("lambdas/serving/handlers/meter.py", "read"): Stage.METRICS,
    ("lambdas/serving/logic/request_metrics.py", "metrics_line"): Stage.METRICS,
    ("lambdas/shared/observability.py", "write_metrics"): Stage.METRICS,
    ("aws_lambda_powertools/logging/logger.py", "decorate"): Stage.METRICS,
}


def shares(root: Frame) -> dict[Stage, float]:
    """Each stage's share, [0, 1], of the time in the handler; what calls it does not count.

    Raises:
        ValueError: the handler was not seen.
    """
    spent: defaultdict[Stage, float] = defaultdict(float)
    _add(root, None, spent)
    whole = sum(spent.values())
    if not whole:
        raise ValueError("the profiler has not seen the handler")
    return {stage: spent[stage] / whole for stage in Stage if stage in spent}


def _add(frame: Frame, within: Stage | None, spent: dict[Stage, float]) -> None:
    stage = _stage(frame) or within
    if stage is not None:
        spent[stage] += frame.time - sum(child.time for child in frame.children)
    for child in frame.children:
        _add(child, stage, spent)


def _stage(frame: Frame) -> Stage | None:
    path = (frame.file_path or "").replace("\\", "/")
    return next(
        (
            stage
            for (file, function), stage in _STAGES.items()
            if frame.function == function and path.endswith(file)
        ),
        None,
    )
