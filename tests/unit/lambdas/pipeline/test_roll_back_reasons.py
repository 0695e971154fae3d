import json

import pytest

from lambdas.pipeline.handlers.roll_back import Asked

ROLE = {
    "requests": 30,
    "failures": 0,
    "latency_p95_ms": None,
    "feedback": 0,
    "feedback_right": 0,
    "golden": 50,
    "golden_right": 50,
}
CHECK = {
    "reasons": ["as good as the champion"],
    "champion": ROLE,
    "challenger": ROLE,
    "test": {"pairs": 0, "better": 1.0, "worse": 1.0},
}
GOLDEN = {"reason": "right on 49 of 50 golden photos"}


def test_the_last_look_says_why_a_challenger_leaves() -> None:
    asked = Asked.model_validate({"golden": GOLDEN, "check": CHECK, "reason": "daily schedule"})

    assert asked.reasons() == ["as good as the champion"]


def test_golden_photos_say_why_before_there_was_a_look() -> None:
    asked = Asked.model_validate({"golden": GOLDEN, "reason": "daily schedule"})

    assert asked.reasons() == ["right on 49 of 50 golden photos"]


def test_a_person_says_why_when_nothing_was_deployed() -> None:
    assert Asked(reason="it says cat to everything").reasons() == ["it says cat to everything"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            {"Error": "DeploymentSupersededError", "Cause": json.dumps({"errorMessage": "gone"})},
            "DeploymentSupersededError: gone",
        ),
        ({"Error": "States.Timeout", "Cause": ""}, "States.Timeout"),
        ({"Error": "States.Timeout"}, "States.Timeout"),
        ({"Error": "Lambda.Unknown", "Cause": "it was killed"}, "Lambda.Unknown: it was killed"),
        ({"Error": "X", "Cause": '{"other": 1}'}, 'X: {"other": 1}'),
    ],
)
def test_an_error_says_why_although_the_last_look_was_in_favour(
    error: dict[str, str], said: str
) -> None:
    asked = Asked.model_validate({"golden": GOLDEN, "check": CHECK, "error": error})

    assert asked.reasons() == [said]
