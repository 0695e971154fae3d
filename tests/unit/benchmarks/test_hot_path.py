"""Which stage of a prediction a profiler's frames are counted for."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from benchmarks.hot_path_stages import Stage, shares


@dataclass
class Called:
    """A function that was called; `time` includes what it called."""

    file_path: str | None
    function: str
    time: float
    children: Sequence["Called"] = field(default=())


HANDLER = "/house/lambdas/serving/handlers/predict.py"


def test_time_belongs_to_the_innermost_stage_and_what_calls_the_handler_does_not_count() -> None:
    draft = Called("/site-packages/PIL/Image.py", "load", 3.0)
    decode = Called("/house/areyouacat/images.py", "decode", 4.0, [draft])
    resize = Called("/house/areyouacat/images.py", "to_model_input", 2.0)
    decoded = Called("/house/lambdas/serving/logic/prediction.py", "decoded", 6.5, [decode, resize])
    handler = Called(HANDLER, "handler", 9.0, [decoded])
    logged = Called("/x/aws_lambda_powertools/logging/logger.py", "decorate", 10.0, [handler])
    harness = Called("/house/benchmarks/invocation.py", "invoke", 25.0, [logged])

    found = shares(harness)

    assert found == pytest.approx(
        {Stage.DECODE: 0.4, Stage.RESIZE: 0.2, Stage.METRICS: 0.1, Stage.OTHER: 0.3}
    )


def test_json_of_the_metrics_is_no_json_of_the_answer() -> None:
    dumps = Called("/lib/json/__init__.py", "dumps", 1.0)
    metrics = Called(
        "/house/lambdas/serving/logic/request_metrics.py", "metrics_line", 1.0, [dumps]
    )
    answer = Called("/house/lambdas/shared/proxy.py", "_response", 1.0, [dumps])

    found = shares(Called(HANDLER, "handler", 2.0, [metrics, answer]))

    assert found == {Stage.JSON: 0.5, Stage.METRICS: 0.5, Stage.OTHER: 0.0}


def test_a_profile_without_the_handler_says_nothing() -> None:
    with pytest.raises(ValueError, match="not seen"):
        shares(Called(None, "main", 3.0))
