"""Checkpoints on disk: whole or not at all; and the decisions around them."""

import os
from pathlib import Path

import pytest

from local_cloud import checkpoint
from local_cloud.checkpoint import Checkpoint, CheckpointError, CheckpointStore, Start

STATE = {"iam": b'{"roles": 1}', "dynamodb": b'{"tables": 2}'}


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path / "checkpoints")


@pytest.fixture
def blobs(tmp_path: Path) -> Path:
    folder = tmp_path / "blobs"
    folder.mkdir()
    (folder / "abc.zip").write_bytes(b"code")
    return folder


def save(
    store: CheckpointStore,
    blobs: Path,
    state: dict[str, bytes] | None = None,
    previous: Checkpoint | None = None,
) -> Checkpoint:
    folder = store.begin()
    services = (STATE if state is None else state).items()
    checkpoint.write(folder, services, blobs, emulator="1.0", state_id="first", previous=previous)
    return store.publish(folder)


def test_what_was_saved_is_found_again_with_its_function_code(
    store: CheckpointStore, blobs: Path, tmp_path: Path
) -> None:
    saved = save(store, blobs)

    found = store.newest("1.0")
    assert found == saved
    checkpoint.link_into(saved, tmp_path / "laid out")
    assert (tmp_path / "laid out" / "iam.json").read_bytes() == STATE["iam"]
    assert (tmp_path / "laid out" / checkpoint.BLOBS / "abc.zip").read_bytes() == b"code"


def test_what_was_never_published_is_not_offered_and_is_removed(
    store: CheckpointStore, blobs: Path
) -> None:
    first = save(store, blobs)
    unfinished = store.begin()
    checkpoint.write(
        unfinished, [("iam", b"new")], blobs, emulator="1.0", state_id="first", previous=first
    )

    assert store.newest("1.0") == first
    store.remove_broken()
    assert not unfinished.exists()
    assert store.newest("1.0") == first


@pytest.mark.parametrize("damage", ["changed", "cut", "missing", "no manifest", "no code"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    store: CheckpointStore, blobs: Path, damage: str
) -> None:
    first = save(store, blobs)
    second = save(store, blobs, {**STATE, "iam": b"second"}, first)

    if damage == "changed":
        (second.path / "iam.json").write_bytes(b"secone")
    elif damage == "cut":
        os.truncate(second.path / "iam.json", 3)
    elif damage == "missing":
        (second.path / "iam.json").unlink()
    elif damage == "no manifest":
        (second.path / "checkpoint.json").unlink()
    else:
        (second.path / checkpoint.BLOBS / "abc.zip").unlink()

    assert store.newest("1.0") == first
    store.remove_broken()
    assert not second.path.exists()


def test_only_the_last_two_are_kept(store: CheckpointStore, blobs: Path) -> None:
    saved = [save(store, blobs, {"iam": str(number).encode()}) for number in range(4)]

    assert [one.path.exists() for one in saved] == [False, False, True, True]
    assert store.newest("1.0") == saved[-1]


def test_nothing_is_published_that_is_not_whole(store: CheckpointStore) -> None:
    folder = store.begin()
    (folder / "iam.json").write_bytes(b"{}")

    with pytest.raises(CheckpointError, match="not whole"):
        store.publish(folder)

    assert store.newest("1.0") is None


def test_an_unchanged_state_makes_no_new_checkpoint(store: CheckpointStore, blobs: Path) -> None:
    first = save(store, blobs)

    changed = checkpoint.write(
        store.begin(), STATE.items(), blobs, emulator="1.0", state_id="first", previous=first
    )

    assert not changed


def test_a_service_that_is_gone_is_a_change(store: CheckpointStore, blobs: Path) -> None:
    first = save(store, blobs)

    changed = checkpoint.write(
        store.begin(),
        [("iam", STATE["iam"])],
        blobs,
        emulator="1.0",
        state_id="first",
        previous=first,
    )

    assert changed


def test_what_did_not_change_is_shared_with_the_former_checkpoint(
    store: CheckpointStore, blobs: Path
) -> None:
    first = save(store, blobs)
    second = save(store, blobs, {**STATE, "iam": b"second"}, first)

    assert (second.path / "dynamodb.json").samefile(first.path / "dynamodb.json")
    assert not (second.path / "iam.json").samefile(first.path / "iam.json")


def test_another_emulators_state_is_not_loaded(store: CheckpointStore, blobs: Path) -> None:
    save(store, blobs)

    assert store.newest("1.1") is None


def test_a_checkpoint_set_aside_is_kept_but_not_offered(
    store: CheckpointStore, blobs: Path
) -> None:
    first = save(store, blobs)
    second = save(store, blobs, {"iam": b"second"}, first)

    aside = store.set_aside(second)

    assert (aside / "iam.json").read_bytes() == b"second"
    assert store.newest("1.0") == first


@pytest.mark.parametrize(
    ("has_checkpoint", "has_leftovers", "start"),
    [
        (True, True, Start(restored=True, reset=False)),
        (True, False, Start(restored=True, reset=False)),
        (False, True, Start(restored=False, reset=True)),
        (False, False, Start(restored=False, reset=False)),
    ],
)
def test_objects_without_a_checkpoint_are_reset(
    has_checkpoint: bool, has_leftovers: bool, start: Start
) -> None:
    planned = checkpoint.plan_start(has_checkpoint=has_checkpoint, has_leftovers=has_leftovers)

    assert planned == start


@pytest.mark.parametrize(
    ("seconds", "changed", "busy", "due"),
    [
        (9.9, True, False, False),
        (10.0, True, False, True),
        (10.0, False, False, False),
        (60.0, False, False, True),
        (3600.0, True, True, False),
    ],
)
def test_a_checkpoint_is_due_after_changes_but_never_during_a_stack_operation(
    seconds: float, changed: bool, busy: bool, due: bool
) -> None:
    assert checkpoint.is_due(seconds_since_last=seconds, changed=changed, busy=busy) is due


@pytest.mark.parametrize(
    ("method", "path", "target", "changes"),
    [
        ("GET", "/bucket/key", "", False),
        ("PUT", "/bucket/key", "", True),
        ("DELETE", "/bucket/key", "", True),
        ("POST", "/", "DynamoDB_20120810.PutItem", True),
        ("POST", "/", "DynamoDB_20120810.GetItem", False),
        ("POST", "/", "Logs_20140328.FilterLogEvents", False),
        ("POST", "/", "Logs_20140328.CreateLogGroup", True),
        ("POST", "/", "Logs_20140328.PutLogEvents", False),
        ("POST", "/service/Granite/operation/PutMetricData", "", True),
        ("POST", "/service/Granite/operation/GetMetricData", "", False),
        ("POST", "/", "", True),
        ("GET", "/restapis/abc/prod/_user_request_/model", "", True),
    ],
)
def test_requests_that_only_read_or_log_are_told_from_those_worth_a_checkpoint(
    method: str, path: str, target: str, changes: bool
) -> None:
    assert checkpoint.may_change_state(method, path, target) is changes
