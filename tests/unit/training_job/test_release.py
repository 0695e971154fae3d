from __future__ import annotations

import json
from typing import Any

import pytest

from areyouacat.settings import MAX_BAKE_SECONDS
from lambdas.pipeline.handlers.roll_back import Asked
from lambdas.pipeline.handlers.stage_variant import StageRequest
from training_job import release


class Started:
    """Takes the place of what starts and follows an execution."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.inputs: list[dict[str, Any]] = []
        monkeypatch.setattr(release, "start_and_follow", self)

    def __call__(self, machine: str, execution_input: str) -> int:
        assert machine == "deploy"
        self.inputs.append(json.loads(execution_input))
        return 7


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    return Started(monkeypatch)


def test_what_was_not_said_is_left_to_the_workflow(started: Started) -> None:
    assert release.main(["--version", "3"]) == 7
    assert started.inputs == [{"version": "3", "source": "command"}]


def test_everything_that_was_said_reaches_the_execution_as_it_understands_it(
    started: Started,
) -> None:
    how = ["--strategy", "ab_test", "--weight", "0.25", "--bake-seconds", "0"]

    release.main(["--version", "3", *how, "--reason", "better"])

    (asked,) = started.inputs
    assert asked == {
        "version": "3",
        "strategy": "ab_test",
        "canary_weight": 0.25,
        "bake_seconds": 0,
        "reason": "better",
        "source": "command",
    }
    assert StageRequest.model_validate(asked).canary_weight == 0.25


def test_a_rollback_is_asked_for_without_a_version(started: Started) -> None:
    release.main(["--roll-back", "--reason", "it says cat to everything"])

    assert started.inputs == [
        {"strategy": "roll_back", "reason": "it says cat to everything", "source": "command"}
    ]


def test_a_rollback_from_one_version_names_it(started: Started) -> None:
    release.main(["--roll-back", "--from-version", "3"])

    (asked,) = started.inputs
    assert asked["strategy"] == "roll_back"
    assert Asked.model_validate(asked).from_version == "3"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "--version"),
        ("--version 3 --roll-back", "not allowed with"),
        ("--version 3 --strategy roll_back", "invalid choice"),
        ("--version 3 --strategy slowly", "invalid choice"),
        ("--version 3 --from-version 2", "--from-version belongs to --roll-back"),
        ("--version 3 --weight 0", "between 0 and 1"),
        ("--version 3 --weight 1", "between 0 and 1"),
        ("--version 3 --weight nan", "between 0 and 1"),
        ("--version 3 --weight much", "invalid float"),
        ("--version 3 --bake-seconds -1", f"0 to {MAX_BAKE_SECONDS}"),
        (f"--version 3 --bake-seconds {MAX_BAKE_SECONDS + 1}", "(30 days)"),
        ("--roll-back --strategy canary", "goes back at once"),
        ("--roll-back --weight 0.1", "goes back at once"),
        ("--roll-back --weight 0", "goes back at once"),
        ("--roll-back --bake-seconds 0", "goes back at once"),
    ],
)
def test_arguments_that_make_no_sense_start_nothing(
    started: Started, capsys: pytest.CaptureFixture[str], arguments: str, said: str
) -> None:
    with pytest.raises(SystemExit) as refused:
        release.main(arguments.split())

    assert refused.value.code == 2
    assert said in capsys.readouterr().err
    assert started.inputs == []
