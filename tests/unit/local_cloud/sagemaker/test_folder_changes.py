"""Which files of a folder are new or have changed."""

import errno
import os
import time
from pathlib import Path
from typing import Any

import pytest

from local_cloud.sagemaker.transfers.folder_changes import WatchedFolder


def changed(folder: WatchedFolder) -> list[str]:
    """What has changed; all of it is done afterwards."""
    files = folder.changes().files
    for file in files:
        folder.done(file)
    return [file.path for file in files]


def test_a_file_that_may_have_changed_again_at_the_same_instant_stays_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = WatchedFolder(tmp_path)
    weights = tmp_path / "weights"
    weights.write_text("1")
    written = weights.stat().st_ctime_ns

    monkeypatch.setattr(time, "time_ns", lambda: written + 1_000_000)
    assert [changed(folder), changed(folder)] == [["weights"], ["weights"]]

    monkeypatch.setattr(time, "time_ns", lambda: written + 1_000_000_000)
    assert [changed(folder), changed(folder)] == [["weights"], []]


def test_a_file_that_is_not_done_stays_changed(tmp_path: Path) -> None:
    folder = WatchedFolder(tmp_path)
    (tmp_path / "weights").write_text("1")

    first, second = folder.changes().files, folder.changes().files

    assert [file.path for file in (*first, *second)] == ["weights", "weights"]


def test_a_file_that_takes_the_place_of_one_as_large_and_as_old_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, other = tmp_path / "folder", tmp_path / "other"
    root.mkdir()
    folder, weights = WatchedFolder(root), root / "weights"
    for file, content in ((weights, "old"), (other, "new")):
        file.write_text(content)
        os.utime(file, (1, 1))
    later = time.time_ns() + 1_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: later)
    assert [changed(folder), changed(folder)] == [["weights"], []]

    other.replace(weights)

    assert changed(folder) == ["weights"]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("not the job's")
    return outside


def test_links_are_followed_to_files_in_the_folder_only(tmp_path: Path, outside: Path) -> None:
    root = tmp_path / "folder"
    (root / "epoch-1").mkdir(parents=True)
    (root / "epoch-1" / "weights").write_text("1")
    links: dict[str, str | Path] = {
        "latest": "epoch-1/weights",
        "leak": outside / "secret",
        "all": outside,
        "nowhere": "/opt/ml/no-such-file",
        "self": ".",
        "circle": "circle",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "pipe")

    changes = WatchedFolder(root).changes()

    assert {file.path for file in changes.files} == {"epoch-1/weights", "latest"}
    assert set(changes.left_out) == {"leak", "all", "nowhere", "self", "circle", "pipe"}
    assert changes.unread == []


def test_a_link_in_the_place_of_the_folder_is_not_followed(tmp_path: Path, outside: Path) -> None:
    root = tmp_path / "folder"
    root.mkdir()
    folder = WatchedFolder(root)
    root.rmdir()
    root.symlink_to(outside)

    changes = folder.changes()

    assert changes.files == []
    assert changes.left_out == ["secret"]


def test_a_folder_that_cannot_be_read_is_named_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "weights").write_text("1")
    scandir = os.scandir

    def scan(path: Any) -> Any:
        if Path(path).name == "inner":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    # Modes would do, but not where the tests are root's.
    monkeypatch.setattr(os, "scandir", scan)
    changes = WatchedFolder(tmp_path).changes()

    assert [file.path for file in changes.files] == ["weights"]
    assert changes.unread == [f"[Errno 13] Permission denied: '{tmp_path / 'inner'}'"]
