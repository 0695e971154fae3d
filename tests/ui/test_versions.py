"""Model versions and comparisons, as the lake tells of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import pytest

from areyouacat.comparison_record import ComparisonRecord, Question
from tests.integration.instance import eventually
from tests.ui.model_lake import CONFIGURATION, WHEN, FakeFunctions, FolderOfObjects, compared
from ui.answers import Serving, Variant
from ui.aws import AwsError
from ui.comparisons import Comparisons
from ui.lake import Lake
from ui.versions import Versions, roles

QUESTION = Question(("1", "2"), "data-2", "test")


def versions(lake: FolderOfObjects) -> Versions:
    return Versions(cast(Lake, lake))


def test_versions_come_the_newest_first_with_what_is_known_of_them() -> None:
    lake = FolderOfObjects()
    for number in (1, 2, 10):
        lake.register(number)

    found = versions(lake).all()

    assert [one.number for one in found] == [10, 2, 1]
    assert (found[0].registered_at, found[0].dataset_version) == (WHEN, "data-10")
    assert (found[0].figures, found[0].test_photos) == ({"accuracy": 0.98}, 882)
    assert found[0].gate == "all 9 rules passed"
    assert found[0].mlflow_page("http://127.0.0.1:5050/") == (
        "http://127.0.0.1:5050/#/models/a-model/versions/10"
    )
    assert found[0].mlflow_page("arn:aws:sagemaker:eu-west-1:123456789012:mlflow-app/a") == ""


@pytest.mark.parametrize("said", [None, b"no JSON", b"[]", b'{"metrics": 1}'])
def test_a_version_whose_evaluation_is_lost_is_still_listed(said: bytes | None) -> None:
    lake = FolderOfObjects()
    lake.register(1, evaluated=False)
    if said is not None:
        lake.objects["training/job-1/evaluation/evaluation.json"] = said

    (found,) = versions(lake).all()

    assert (found.figures, found.gate) == ({}, None)


def test_what_is_known_of_a_version_is_read_once() -> None:
    lake = FolderOfObjects()
    lake.register(1)
    found = versions(lake)

    found.all()
    lake.register(2)
    found.all()

    assert lake.reads.count("models/1/model.json") == 1


def test_a_damaged_version_is_named() -> None:
    lake = FolderOfObjects()
    lake.register(7)
    lake.objects["models/7/model.json"] = b"{}"

    with pytest.raises(AwsError, match="version 7 is damaged"):
        versions(lake).all()


def test_roles_are_those_of_the_serving_pointer() -> None:
    variants = (Variant("3", "champion", 0.9), Variant("4", "challenger", 0.1))

    assert roles(Serving(variants, "2", WHEN, None)) == {
        "2": "previous", "3": "champion", "4": "challenger",
    }  # fmt: skip
    assert roles(None) == {}


def asked(comparisons: Comparisons) -> ComparisonRecord:
    found: ComparisonRecord = eventually(
        "the comparison", lambda: comparisons.answer(QUESTION), seconds=20
    )
    return found


@pytest.fixture
def functions() -> FakeFunctions:
    return FakeFunctions(FolderOfObjects())


def comparisons(functions: FakeFunctions) -> Comparisons:
    return Comparisons(CONFIGURATION, cast(Lake, functions.lake), functions)


def test_two_visitors_who_ask_the_same_set_it_going_once(functions: FakeFunctions) -> None:
    found = comparisons(functions)

    first, second = asked(found), asked(found)

    assert first is second
    assert first.question == QUESTION
    assert functions.asked == [
        {"versions": ["1", "2"], "dataset_version": "data-2", "split": "test"}
    ]


def test_an_answer_that_the_lake_has_is_not_worked_out_again(functions: FakeFunctions) -> None:
    asked(comparisons(functions))

    asked(comparisons(functions))  # the page was started anew

    assert len(functions.asked) == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (json.dumps({"errorMessage": "there is no version 9"}).encode(), "there is no version 9"),
        (b"<html>", "its log says why"),
    ],
)
def test_a_failure_is_told_once_and_the_next_one_asks_anew(
    functions: FakeFunctions, error: bytes, words: str
) -> None:
    found = comparisons(functions)
    functions.error = error
    with pytest.raises(AwsError, match=words):
        asked(found)

    functions.error = None

    assert asked(found).question == QUESTION


def test_a_comparison_that_is_damaged_is_said_to_be(functions: FakeFunctions) -> None:
    functions.lake.objects[f"{QUESTION.prefix}comparison.json"] = b"{}"

    with pytest.raises(AwsError, match="cannot be read"):
        asked(comparisons(functions))


def test_without_the_function_the_remedy_is_named(functions: FakeFunctions) -> None:
    bare: Any = replace(CONFIGURATION, compare_function=None)

    with pytest.raises(AwsError, match="make up"):
        Comparisons(bare, cast(Lake, functions.lake), functions)


def test_the_answer_in_the_lake_reads_as_it_was_written(functions: FakeFunctions) -> None:
    assert asked(comparisons(functions)) == compared(QUESTION)
