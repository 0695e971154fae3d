"""A folder whose files go to S3 while a job writes to it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_cloud.sagemaker.errors import DataOrImageError
from local_cloud.sagemaker.requests.s3_location import S3Location
from local_cloud.sagemaker.transfers.sync import FolderUpload
from tests.unit.local_cloud.sagemaker.tiny_cloud import BUCKET, client, eventually

TO = S3Location(BUCKET, "checkpoints/job")
SOON, NEVER = 0.02, 3600.0


class Said(list[str]):
    """What the upload says; `about` waits for it."""

    def about(self, text: str) -> str:
        found: str = eventually(lambda: next((line for line in self if text in line), ""), text)
        return found


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    return folder


@pytest.fixture
def upload(s3: Any, folder: Path, said: Said) -> Callable[..., FolderUpload]:
    def open_one(
        seconds: float, client: Any = s3, to: S3Location = TO, **encryption: str
    ) -> FolderUpload:
        get = client if callable(client) else lambda: client
        return FolderUpload(
            get, folder, to, encryption=encryption, seconds=seconds, say=said.append
        )

    return open_one


@pytest.fixture
def own_s3(endpoint: str, s3: Any) -> Any:
    """A client whose requests a test may look at or disturb."""
    return client("s3", endpoint)


@pytest.fixture
def puts(own_s3: Any) -> list[str]:
    """The keys that `own_s3` has put."""
    keys: list[str] = []

    def remember(params: dict[str, Any], **_: Any) -> None:
        keys.append(params["Key"])

    own_s3.meta.events.register("provide-client-params.s3.PutObject", remember)
    return keys


def stored(s3: Any) -> dict[str, str]:
    """Path below the prefix -> content."""
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=TO.key).get("Contents", ())
    return {
        entry["Key"].removeprefix(f"{TO.key}/"): s3.get_object(Bucket=BUCKET, Key=entry["Key"])[
            "Body"
        ]
        .read()
        .decode()
        for entry in listed
    }


def aged(file: Path) -> None:
    """Wait until the clock of the file system has moved on from the file's last change."""
    probe = file.parent.parent / "probe"

    def old() -> bool:
        probe.write_text("")
        return probe.stat().st_ctime_ns - file.stat().st_ctime_ns > 100_000_000

    eventually(old, f"{file} is old")


def test_files_arrive_while_the_job_still_runs(
    s3: Any, folder: Path, upload: Callable[..., FolderUpload]
) -> None:
    with upload(SOON):
        (folder / "epoch-1").mkdir()
        (folder / "epoch-1" / "weights").write_text("one")
        eventually(lambda: stored(s3) == {"epoch-1/weights": "one"}, "the first checkpoint")

        (folder / "epoch-2").write_text("two")
        eventually(lambda: stored(s3).get("epoch-2") == "two", "the second checkpoint")


def test_leaving_uploads_what_no_round_has_seen(
    s3: Any, folder: Path, upload: Callable[..., FolderUpload]
) -> None:
    with upload(NEVER):
        (folder / "last").write_text("words")

    assert stored(s3) == {"last": "words"}


def test_what_the_job_removes_stays_in_s3(
    s3: Any, folder: Path, upload: Callable[..., FolderUpload]
) -> None:
    with upload(SOON):
        (folder / "old").write_text("kept")
        eventually(lambda: stored(s3), "the first checkpoint")
        (folder / "old").unlink()

    assert stored(s3) == {"old": "kept"}


def test_only_what_has_changed_is_uploaded_again(
    s3: Any, own_s3: Any, puts: list[str], folder: Path, upload: Callable[..., FolderUpload]
) -> None:
    for name in ("same", "changing"):
        (folder / name).write_text("1")
        aged(folder / name)

    with upload(SOON, own_s3):
        eventually(lambda: len(puts) == 2, "both files")
        (folder / "changing").write_text("2")

    assert puts.count(f"{TO.key}/same") == 1
    assert stored(s3) == {"same": "1", "changing": "2"}


def test_a_file_that_changes_while_it_is_uploaded_is_uploaded_again(
    s3: Any, own_s3: Any, folder: Path, upload: Callable[..., FolderUpload]
) -> None:
    weights = folder / "weights"
    weights.write_text("before")
    rewritten: list[dict[str, str]] = []

    def rewrite(**_: Any) -> None:
        if not rewritten:
            rewritten.append(stored(s3))
            # As large as before, and maybe within the same tick of the file system's clock.
            weights.write_text("after!")

    own_s3.meta.events.register("after-call.s3.PutObject", rewrite)
    with upload(SOON, own_s3):
        eventually(lambda: rewritten, "the first round")

    assert rewritten == [{"weights": "before"}]
    assert stored(s3) == {"weights": "after!"}


def test_a_file_that_is_cut_short_while_it_is_uploaded_holds_nothing_up(
    s3: Any, own_s3: Any, folder: Path, upload: Callable[..., FolderUpload]
) -> None:
    weights = folder / "weights"
    weights.write_text("x" * 1_000_000)

    def cut(**_: Any) -> None:
        weights.write_text("short")

    own_s3.meta.events.register_first("before-send.s3.PutObject", cut)
    with upload(SOON, own_s3):
        eventually(lambda: weights.stat().st_size == 5, "the first round")

    assert stored(s3) == {"weights": "short"}


def test_a_file_that_goes_before_it_is_read_is_no_failure(
    s3: Any, folder: Path, upload: Callable[..., FolderUpload], said: Said
) -> None:
    def removing() -> Any:
        (folder / "weights.tmp").unlink(missing_ok=True)
        return s3

    (folder / "weights.tmp").write_text("1")
    (folder / "weights").write_text("1")
    with upload(NEVER, removing):
        pass

    assert stored(s3) == {"weights": "1"}
    assert said == []


def test_a_folder_that_the_job_has_removed_is_no_failure(
    folder: Path, upload: Callable[..., FolderUpload], said: Said
) -> None:
    with upload(NEVER):
        folder.rmdir()

    assert said == []


def test_uploads_are_encrypted_as_they_are_asked_to_be(
    s3: Any, folder: Path, upload: Callable[..., FolderUpload]
) -> None:
    (folder / "weights").write_text("1")
    with upload(NEVER, ServerSideEncryption="aws:kms", SSEKMSKeyId="our-key"):
        pass

    head = s3.head_object(Bucket=BUCKET, Key=TO.below("weights").key)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "our-key")


def test_each_round_that_has_something_to_upload_asks_for_a_client(
    s3: Any, folder: Path, upload: Callable[..., FolderUpload]
) -> None:
    asked: list[str] = []

    def renewed() -> Any:
        asked.append("")
        return s3

    with upload(NEVER, renewed):
        pass
    assert not asked

    (folder / "one").write_text("1")
    with upload(SOON, renewed):
        eventually(lambda: stored(s3), "the first round")
        (folder / "two").write_text("2")
    assert len(asked) >= 2


def test_an_upload_that_fails_is_told_and_tried_again(
    s3: Any, own_s3: Any, folder: Path, upload: Callable[..., FolderUpload], said: Said
) -> None:
    closed = [True]

    def to_no_bucket(params: dict[str, Any], **_: Any) -> None:
        if closed:
            params["Bucket"] = "no-such-bucket"

    own_s3.meta.events.register("provide-client-params.s3.PutObject", to_no_bucket)
    (folder / "weights").write_text("1")
    with upload(SOON, own_s3):
        told = said.about("It will be tried again")
        closed.clear()

    assert f"Upload to '{TO.uri}' failed: 'weights': " in told
    assert "NoSuchBucket" in told
    assert stored(s3) == {"weights": "1"}


@pytest.mark.usefixtures("s3")
def test_a_last_round_that_fails_fails_the_job_with_the_reason(
    folder: Path, upload: Callable[..., FolderUpload]
) -> None:
    for name in ("a", "b", "c"):
        (folder / name).write_text("1")

    with (
        pytest.raises(DataOrImageError, match=r"'s3://no-such-bucket/.*NoSuchBucket.*and 2 more"),
        upload(NEVER, to=S3Location("no-such-bucket", "x")),
    ):
        pass


def test_a_role_that_cannot_be_had_is_told_and_fails_the_job(
    folder: Path, upload: Callable[..., FolderUpload], said: Said
) -> None:
    def no_role() -> Any:
        raise DataOrImageError("Cannot assume the role")

    (folder / "weights").write_text("1")
    with pytest.raises(DataOrImageError, match="Cannot assume the role"), upload(SOON, no_role):
        said.about("Cannot assume the role")


def test_a_failure_of_the_upload_does_not_hide_why_the_job_ended(
    folder: Path, upload: Callable[..., FolderUpload], said: Said
) -> None:
    (folder / "weights").write_text("1")

    with (
        pytest.raises(KeyError, match="the job's own"),
        upload(NEVER, to=S3Location("no-such-bucket", "x")),
    ):
        raise KeyError("the job's own")

    assert "NoSuchBucket" in said[0]


def test_what_is_left_out_is_told_once(
    s3: Any, folder: Path, upload: Callable[..., FolderUpload], said: Said
) -> None:
    (folder / "leak").symlink_to(folder.parent)
    with upload(SOON):
        (folder / "weights").write_text("1")
        eventually(lambda: stored(s3) == {"weights": "1"}, "a round")

    assert [line.split(" to ")[0] for line in said] == ["'leak' is not uploaded"]


def test_a_folder_that_cannot_be_looked_at_fails_the_job(
    folder: Path, upload: Callable[..., FolderUpload]
) -> None:
    opened = upload(NEVER)
    folder.rmdir()
    folder.write_text("a file in its place")

    with pytest.raises(DataOrImageError, match="Not a directory"), opened:
        pass


def test_a_file_that_cannot_be_read_fails_the_job(
    s3: Any, folder: Path, upload: Callable[..., FolderUpload]
) -> None:
    def replacing() -> Any:
        (folder / "weights").unlink()
        (folder / "weights").mkdir()
        return s3

    (folder / "weights").write_text("1")
    (folder / "other").write_text("1")
    with pytest.raises(DataOrImageError, match=r"Is a dir.*weights"), upload(NEVER, replacing):
        pass

    assert stored(s3) == {"other": "1"}


def test_a_name_that_is_no_text_fails_the_job_and_spares_the_others(
    s3: Any, folder: Path, upload: Callable[..., FolderUpload]
) -> None:
    (folder / os.fsdecode(b"weights-\xff")).write_text("1")
    (folder / "weights").write_text("1")

    with pytest.raises(DataOrImageError, match=r"weights-.*udcff") as failed, upload(NEVER):
        pass

    assert failed.value.reason.encode()
    assert stored(s3) == {"weights": "1"}
