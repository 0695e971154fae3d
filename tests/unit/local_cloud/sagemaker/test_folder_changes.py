"""Changes of files that are as close together as the file system's clock can tell, or closer."""

import time
from pathlib import Path

import pytest

from local_cloud.sagemaker.folder_changes import WatchedFolder


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
