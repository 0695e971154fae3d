from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from training_job.endpoints import Endpoints
from training_job.verify_registry import DIFFERENT, NOT_ANSWERED, SOUND, lines, main

AGREED: dict[str, Any] = {
    "champion": "3",
    "abandoned": None,
    "differences": [],
    "repaired": False,
}
BEHIND = {"alias": "champion", "registry_version": "2", "pointer_version": "3"}
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:AreYouACat-deploy:one"


class Function:
    """The function's answer, and whether it was asked to repair."""

    def __init__(self, **answer: Any) -> None:
        self.answer = AGREED | answer
        self.asked: list[bool] = []

    def __call__(self, repair: bool) -> dict[str, Any]:
        self.asked.append(repair)
        return self.answer


def test_agreement_is_sound_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    function = Function()

    assert main([], function) == SOUND
    assert function.asked == [True]
    assert capsys.readouterr().out == ("MLflow and the serving pointer agree: version 3 serves.\n")


def test_before_the_first_model_there_is_nothing_to_compare() -> None:
    assert main([], Function(champion=None)) == SOUND
    assert lines(AGREED | {"champion": None}) == [
        "Nothing serves yet, so there is nothing to compare."
    ]


def test_a_difference_that_was_repaired_is_sound_and_told() -> None:
    function = Function(differences=[BEHIND], repaired=True)

    assert main([], function) == SOUND
    assert lines(function.answer) == [
        "The alias champion pointed to 2; what serves says 3.",
        "Repaired.",
    ]


def test_looking_repairs_nothing_and_fails_where_there_is_a_difference() -> None:
    function = Function(differences=[BEHIND])

    assert main(["--look"], function) == DIFFERENT
    assert function.asked == [False]
    assert lines(function.answer) == [
        "The alias champion points to 2; what serves says 3.",
        "Repair it with make verify-registry.",
    ]


def test_looking_where_all_is_well_is_sound() -> None:
    assert main(["--look"], Function()) == SOUND


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (
            {"alias": "champion", "registry_version": None, "pointer_version": "3"},
            "The alias champion points to nothing; what serves says 3.",
        ),
        (
            {"alias": "challenger", "registry_version": "4", "pointer_version": None},
            "The alias challenger points to 4; what serves says nothing.",
        ),
    ],
)
def test_an_alias_that_is_absent_on_one_side_points_to_nothing(
    one: dict[str, Any], said: str
) -> None:
    assert lines(AGREED | {"differences": [one]})[0] == said


@pytest.mark.parametrize(
    ("repaired", "code", "said"),
    [(True, SOUND, "was taken out of"), (False, DIFFERENT, "is still in")],
)
def test_a_challenger_that_nobody_watches_is_told_with_its_execution(
    repaired: bool, code: int, said: str
) -> None:
    function = Function(abandoned=EXECUTION, repaired=repaired)

    assert main([] if repaired else ["--look"], function) == code
    assert said in lines(function.answer)[0]
    assert EXECUTION in lines(function.answer)[0]


def test_programs_get_the_whole_answer(capsys: pytest.CaptureFixture[str]) -> None:
    function = Function(differences=[BEHIND])

    assert main(["--look", "--json"], function) == DIFFERENT
    assert json.loads(capsys.readouterr().out) == function.answer


class FakeLambda:
    """A Lambda client that answers as told."""

    def __init__(self, payload: Any, *, failed: bool = False) -> None:
        self._payload, self._failed = payload, failed
        self.requests: list[dict[str, Any]] = []

    def invoke(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        if isinstance(self._payload, Exception):
            raise self._payload
        answer = {"Payload": io.BytesIO(json.dumps(self._payload).encode())}
        return answer | ({"FunctionError": "Unhandled"} if self._failed else {})


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    known = {"verify_registry_function": "AreYouACat-verify-registry"}
    (tmp_path / "endpoints.json").write_text(json.dumps(known))
    return tmp_path


def connect(monkeypatch: pytest.MonkeyPatch, function: FakeLambda) -> None:
    monkeypatch.setattr(Endpoints, "client", lambda _, service: {"lambda": function}[service])


@pytest.mark.parametrize(("arguments", "repair"), [([], True), (["--look"], False)])
def test_the_function_of_the_stack_is_asked(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], repair: bool
) -> None:
    function = FakeLambda(AGREED)
    connect(monkeypatch, function)

    assert main(arguments) == SOUND
    (request,) = function.requests
    assert request["FunctionName"] == "AreYouACat-verify-registry"
    assert json.loads(request["Payload"]) == {"repair": repair}


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (
            FakeLambda({"errorMessage": "MLflow is away", "errorType": "X"}, failed=True),
            "MLflow is away",
        ),
        (
            FakeLambda(EndpointConnectionError(endpoint_url="https://localhost:4566")),
            "Is it up?",
        ),
        (
            FakeLambda(ClientError({"Error": {"Code": "AccessDeniedException"}}, "Invoke")),
            "AccessDeniedException",
        ),
    ],
)
def test_no_answer_is_no_agreement(
    state_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    function: FakeLambda,
    said: str,
) -> None:
    connect(monkeypatch, function)

    assert main([]) == NOT_ANSWERED
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_without_a_stack_the_remedy_is_named(
    state_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (state_dir / "endpoints.json").unlink()

    assert main([]) == NOT_ANSWERED
    assert "make up" in capsys.readouterr().err
