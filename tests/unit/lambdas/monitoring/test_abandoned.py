import json
import re
from datetime import UTC, datetime

import pytest

from areyouacat.serving_pointer import Deployment, ServingPointer, Strategy, Variant, first_pointer
from lambdas.monitoring.logic.abandoned import cleanup_start

EXECUTIONS = "arn:aws:states:eu-west-1:123456789012:execution:AreYouACat-deploy"
OWN, FOREIGN = f"{EXECUTIONS}:one", f"{EXECUTIONS}:another"
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
CHAMPION = Variant("champion", "are-you-a-cat", "1", 1.0, "k", "s", "j", "h")
CHALLENGER = Variant("challenger", "are-you-a-cat", "2", 0.0, "k2", "s2", "j2", "h2")


def alone(by: str = FOREIGN) -> ServingPointer:
    return first_pointer(CHAMPION, by=by, reason="first", at=AT)


def with_challenger_of(execution: str, by: str = "") -> ServingPointer:
    deployment = Deployment(execution, Strategy.CANARY, AT)
    return alone().shift(CHALLENGER, 0.1, deployment, by=by or execution, reason="canary")


@pytest.mark.parametrize("status", ["ABORTED", "FAILED", "TIMED_OUT"])
def test_the_challenger_of_a_deployment_that_was_cut_off_is_taken_out(status: str) -> None:
    start = cleanup_start(OWN, status, with_challenger_of(OWN))

    assert start is not None
    assert json.loads(start.input_json) == {
        "strategy": "roll_back",
        "deployment": OWN,
        "reason": f"the deployment one ended before its end: {status}",
        "source": "abandoned",
    }


def test_a_challenger_is_taken_out_whoever_wrote_the_pointer_since() -> None:
    assert cleanup_start(OWN, "ABORTED", with_challenger_of(OWN, by=FOREIGN)) is not None


def test_a_deployment_that_promoted_before_it_was_cut_off_leaves_an_alias_behind() -> None:
    promoted = with_challenger_of(OWN).promote(CHALLENGER, by=OWN, reason="good", at=AT)

    start = cleanup_start(OWN, "ABORTED", promoted)

    assert start is not None
    assert json.loads(start.input_json)["deployment"] == OWN


def test_the_challenger_of_another_deployment_is_left_alone() -> None:
    assert cleanup_start(OWN, "ABORTED", with_challenger_of(FOREIGN)) is None


def test_a_deployment_that_left_no_trace_needs_no_cleaning() -> None:
    assert cleanup_start(OWN, "FAILED", alone()) is None
    assert cleanup_start(OWN, "FAILED", None) is None


def test_a_cleaning_that_was_cut_off_itself_is_not_cleaned_up_behind() -> None:
    cleaning = cleanup_start(OWN, "ABORTED", with_challenger_of(OWN))
    assert cleaning is not None
    itself = f"{EXECUTIONS}:{cleaning.name}"

    assert cleanup_start(itself, "FAILED", alone(by=itself)) is None


def test_one_deployment_has_one_cleaning_of_a_valid_name() -> None:
    names = [
        start.name
        for execution in (OWN, OWN, FOREIGN, f"{EXECUTIONS}:{'x' * 80}")
        if (start := cleanup_start(execution, "ABORTED", with_challenger_of(execution)))
    ]

    assert len(names) == 4
    assert len(set(names)) == 3
    assert all(re.fullmatch(r"[a-zA-Z0-9-_]{1,80}", name) for name in names)
