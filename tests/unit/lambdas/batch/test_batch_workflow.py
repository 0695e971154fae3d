"""The three functions together, on a lake in moto."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from areyouacat.batches import Location, Progress, rows_key
from areyouacat.errors import (
    CorruptModelError,
    EmptyBatchError,
    InvalidBatchError,
    ModelNotFoundError,
    StalePointerError,
)
from areyouacat.images import decode, to_model_input
from areyouacat.lake import sha256_hex
from lambdas.batch.dal.batch_store import BatchStore
from lambdas.batch.handlers import score_chunk
from lambdas.serving.logic.loaded_model import LoadedModel
from lambdas.shared import aws
from tests.unit.lambdas.batch.conftest import PER_CHUNK, SOURCE, Workflow, put
from tests.unit.lambdas.serving.conftest import LAKE, Lake, jpeg, tiny_files


def test_every_photo_has_one_row_with_what_the_api_would_answer(workflow: Workflow) -> None:
    summary = workflow.run()

    rows = workflow.rows()
    assert [row["key"] for row in rows] == [f"in/{number}.jpg" for number in range(10)]
    for number, row in enumerate(rows):
        data = jpeg(250 if number % 2 else 5)
        expected = LoadedModel(tiny_files()).score(to_model_input(decode(data))).probability
        assert row["probability"] == pytest.approx(expected, abs=1e-6)
        assert row["photo"] == sha256_hex(data)
        assert (row["width"], row["height"], row["format"]) == (320, 240, "JPEG")
        assert row["label"] == ("cat" if expected >= 0.5 else "not_cat")
        assert (row["model_version"], row["error"]) == ("3", None)
    assert (summary["photos"], summary["scored"], summary["failed"]) == (10, 10, 0)
    assert summary["complete"]


def test_a_photo_that_cannot_be_scored_is_a_row_that_says_why(workflow: Workflow, s3: Any) -> None:
    put(s3, "in/a-text.jpg", b"no photo at all, though named like one")
    put(s3, "in/b-empty.jpg", b"")
    put(s3, "in/c-cut.jpg", jpeg(250)[:200])
    put(s3, "in/folder/", b"")

    summary = workflow.run()

    errors = {row["key"]: row["error"] for row in workflow.rows() if row["error"]}
    assert errors == {
        "in/a-text.jpg": "unreadable_image",
        "in/b-empty.jpg": "empty_body",
        "in/c-cut.jpg": "unreadable_image",
    }
    assert (summary["scored"], summary["failed"], summary["complete"]) == (10, 3, True)
    assert summary["errors"] == {"unreadable_image": 2, "empty_body": 1}
    stored = json.loads(s3.get_object(Bucket=LAKE, Key=summary["summary_key"])["Body"].read())
    assert {one["key"] for one in stored["some_failures"]} == set(errors)
    assert all(one["message"] for one in stored["some_failures"])


def test_a_photo_that_has_gone_since_or_is_too_large_is_a_row(
    workflow: Workflow, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = workflow.plan()
    s3.delete_object(Bucket=LAKE, Key="in/0.jpg")
    put(s3, "in/1.jpg", bytes(20_000_001))

    for chunk in workflow.to_score(planned):
        workflow.score("run-1", chunk)

    errors = {row["key"]: row["error"] for row in workflow.rows() if row["error"]}
    assert errors == {"in/0.jpg": "not_found", "in/1.jpg": "payload_too_large"}


def test_a_chunk_that_is_done_is_not_scored_again(
    workflow: Workflow, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = workflow.plan()
    first = workflow.score("run-1", "00000000")
    monkeypatch.delattr(score_chunk, "rows")

    assert workflow.score("run-1", "00000000") == first
    assert planned["chunks"] == 3


def test_a_batch_that_is_resumed_scores_what_is_missing_and_nothing_else(
    workflow: Workflow, s3: Any
) -> None:
    first = workflow.plan()
    workflow.score("run-1", "00000001")
    before = workflow.summarize("run-1")
    put(s3, "in/00-new.jpg", jpeg(250))  # would move every chunk, were they cut anew

    again = workflow.plan("run-2", batch_id="run-1")

    assert before["complete"] is False
    assert "2 of 3 chunks are missing" in before["sentence"]
    assert "run-1" in before["sentence"]
    assert workflow.to_score(first) == ["00000000", "00000001", "00000002"]
    assert workflow.to_score(again) == ["00000000", "00000002"]
    for chunk in workflow.to_score(again):
        workflow.score("run-1", chunk)
    assert workflow.summarize("run-1")["complete"] is True
    assert len(workflow.rows()) == 10


def test_a_batch_that_is_whole_leaves_nothing_to_score(workflow: Workflow) -> None:
    workflow.run()

    again = workflow.plan("run-2", batch_id="run-1", source=SOURCE)

    assert (again["anything_to_score"], again["planned"]) == (False, True)


def test_a_promotion_in_between_does_not_mix_models(workflow: Workflow, lake: Lake) -> None:
    planned = workflow.plan()
    first, *others = workflow.to_score(planned)
    workflow.score("run-1", first)

    lake.point(lake.stage("4", tiny_files(inverted=True)))
    score_chunk._models.clear()
    for chunk in others:
        workflow.score("run-1", chunk)

    assert {row["model_version"] for row in workflow.rows()} == {"3"}


def test_any_registered_version_can_be_asked(workflow: Workflow, lake: Lake) -> None:
    lake.stage("2", tiny_files(inverted=True))

    workflow.run(source=SOURCE)
    workflow.run("run-2", source=SOURCE, model_version="2")

    ours, theirs = workflow.rows("run-1"), workflow.rows("run-2")
    assert {row["model_version"] for row in theirs} == {"2"}
    assert [row["label"] for row in ours] != [row["label"] for row in theirs]


def test_a_version_that_is_not_there_or_damaged_is_refused(workflow: Workflow, lake: Lake) -> None:
    with pytest.raises(ModelNotFoundError, match="no model version 9"):
        workflow.plan(source=SOURCE, model_version="9")
    lake.spoil(lake.stage("5", tiny_files()))
    with pytest.raises(CorruptModelError):
        workflow.plan(source=SOURCE, model_version="5")


def test_a_model_that_was_swapped_behind_the_plan_scores_nothing(
    workflow: Workflow, lake: Lake
) -> None:
    workflow.plan()
    lake.stage("3", tiny_files(inverted=True))

    with pytest.raises(CorruptModelError, match="the serving pointer says"):
        workflow.score("run-1", "00000000")

    assert lake.keys(rows_key("run-1", "")[:-8]) == []


def test_nothing_serves_yet(workflow: Workflow, s3: Any) -> None:
    s3.delete_object(Bucket=LAKE, Key="serving/live.json")

    with pytest.raises(ModelNotFoundError, match="make train"):
        workflow.plan()


def test_no_photo_there_is_an_error_that_says_so(workflow: Workflow) -> None:
    with pytest.raises(EmptyBatchError, match="no photo"):
        workflow.plan(source=f"s3://{LAKE}/elsewhere/")


def test_a_batch_that_is_not_known_cannot_go_on(workflow: Workflow) -> None:
    with pytest.raises(InvalidBatchError, match="no batch autumn"):
        workflow.plan(batch_id="autumn")
    with pytest.raises(InvalidBatchError, match="no batch autumn"):
        workflow.score("autumn", "00000000")


def test_a_chunk_that_was_never_cut_is_refused(workflow: Workflow) -> None:
    workflow.plan()

    with pytest.raises(InvalidBatchError, match="no chunk"):
        workflow.score("run-1", "00000099")


def test_planning_that_runs_out_of_time_goes_on_where_it_stopped(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(0, 1_000)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))

    calls = [workflow.plan() for _ in range(4)]

    assert [call["planned"] for call in calls] == [False, False, False, True]
    assert [call["photos"] for call in calls] == [4, 8, 10, 10]
    assert workflow.to_score(calls[-1]) == ["00000000", "00000001", "00000002"]


def test_two_planners_of_one_batch_do_not_both_go_on(workflow: Workflow, s3: Any) -> None:
    one, other = (BatchStore(s3, LAKE, "run-1") for _ in range(2))
    assert one.progress() == other.progress() == Progress()
    one.save(Progress(1, 4, "in/3.jpg"))

    with pytest.raises(StalePointerError, match="another execution"):
        other.save(Progress(1, 4, "in/4.jpg"))

    assert other.progress() == Progress(1, 4, "in/3.jpg")


def test_of_two_that_begin_a_batch_the_first_decides(workflow: Workflow, s3: Any) -> None:
    workflow.plan(batch_id="autumn", source=SOURCE)

    with pytest.raises(InvalidBatchError, match="another batch_id"):
        workflow.plan(batch_id="autumn", source=f"s3://{LAKE}/photos/")


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("list.txt", ["s3://{lake}/in/3.jpg", "in/1.jpg", "", "in/no such.jpg"]),
        (
            "inventory.csv",
            ['"{lake}","in/3.jpg","1234"', '"{lake}","in/1.jpg"', '"{lake}","in/no+such.jpg"'],
        ),
        (
            "channel.manifest",
            ['[{{"prefix": "s3://{lake}/in/"}},', '"3.jpg", "1.jpg",', '"no such.jpg"]'],
        ),
    ],
)
def test_a_manifest_names_photos_in_its_own_order(
    workflow: Workflow, s3: Any, name: str, lines: Sequence[str]
) -> None:
    put(s3, f"lists/{name}", "\n".join(lines).format(lake=LAKE).encode())

    workflow.run(manifest=f"s3://{LAKE}/lists/{name}")

    assert [(row["key"], row["error"]) for row in workflow.rows()] == [
        ("in/3.jpg", None),
        ("in/1.jpg", None),
        ("in/no such.jpg", "not_found"),
    ]


@pytest.mark.parametrize("name", ["list.txt", "channel.manifest"])
def test_a_long_manifest_is_read_on_where_the_time_was_up(
    workflow: Workflow, s3: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    keys = [f"in/{number % 10}.jpg" for number in range(11)]
    as_array = json.dumps([{"prefix": f"s3://{LAKE}/"}, *keys])
    put(s3, f"lists/{name}", ("\r\n".join(keys) if name == "list.txt" else as_array).encode())
    clock = itertools.count(0, 1_000)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))

    calls = [workflow.plan(manifest=f"s3://{LAKE}/lists/{name}") for _ in range(4)]

    store = BatchStore(s3, LAKE, "run-1")
    planned = [photo for chunk in workflow.to_score(calls[-1]) for photo in store.chunk(chunk)]
    assert planned == [Location(LAKE, key) for key in keys]
    assert len(store.chunk("00000000")) == PER_CHUNK


@pytest.mark.parametrize("body", [b"[1, 2]", b"[", b'[{"prefix": "photos/"}, "a"]', b"[]"])
def test_a_json_manifest_of_another_form_is_refused(
    workflow: Workflow, s3: Any, body: bytes
) -> None:
    put(s3, "lists/m.json", body)

    with pytest.raises(InvalidBatchError):
        workflow.plan(manifest=f"s3://{LAKE}/lists/m.json")


def test_a_manifest_or_a_bucket_that_is_not_there_is_named(workflow: Workflow) -> None:
    with pytest.raises(EmptyBatchError, match=r"lists/none\.txt"):
        workflow.plan("run-1", manifest=f"s3://{LAKE}/lists/none.txt")
    with pytest.raises(EmptyBatchError, match="s3://no-such-bucket/a/"):
        workflow.plan("run-2", source="s3://no-such-bucket/a/")


class Forbidding:
    """S3, for somebody who may not look into other buckets."""

    def __init__(self, s3: Any, code: str = "AccessDenied") -> None:
        self._s3 = s3
        self._code = code

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def get_object(self, **asked: Any) -> Any:
        if asked["Key"].startswith("in/"):
            raise ClientError({"Error": {"Code": self._code}}, "GetObject")
        return self._s3.get_object(**asked)


def test_a_photo_that_may_not_be_read_is_a_row(
    workflow: Workflow, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow.plan()
    monkeypatch.setattr(aws, "client", lambda _: Forbidding(s3))

    answer = workflow.score("run-1", "00000000")

    assert (answer["scored"], answer["failed"]) == (0, 4)
    assert {row["error"] for row in workflow.rows()} == {"forbidden"}


def test_a_service_that_fails_is_an_error_and_no_row(
    workflow: Workflow, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow.plan()
    monkeypatch.setattr(aws, "client", lambda _: Forbidding(s3, "SlowDown"))

    with pytest.raises(ClientError, match="SlowDown"):
        workflow.score("run-1", "00000000")

    assert workflow.rows() == []


def test_a_manifest_that_may_not_be_read_says_how_to_allow_it(
    workflow: Workflow, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "client", lambda _: Forbidding(s3))

    with pytest.raises(InvalidBatchError, match=rf"batch_sources={LAKE}"):
        workflow.plan(manifest=f"s3://{LAKE}/in/list.txt")
