"""The reason a failed job leaves, above all on a full disk (/dev/full refuses every byte)."""

import errno
import logging
from pathlib import Path

import pytest

from training_job import failure, train
from training_job.errors import TrainingDataError
from training_job.failure import failure_reason, leave_reason
from training_job.sagemaker_env import Paths, write_failure

NO_SPACE = "No space left on device"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    (tmp_path / "output").mkdir()
    return Paths(tmp_path)


def full_disk() -> OSError:
    return OSError(errno.ENOSPC, NO_SPACE, "/opt/ml/model/model.keras")


def test_a_reason_begins_with_the_errors_class() -> None:
    assert failure_reason(TrainingDataError("no photos")) == "TrainingDataError: no photos"


def test_a_full_disk_is_named_with_the_remedy() -> None:
    reason = failure_reason(full_disk())

    assert reason.startswith(f"OSError: [Errno 28] {NO_SPACE}: '/opt/ml/model/model.keras'.")
    assert "VolumeSizeInGB" in reason


def test_a_full_disk_behind_a_librarys_own_error_is_named_too() -> None:
    try:
        try:
            raise full_disk()
        except OSError as error:
            raise RuntimeError("cannot save the model") from error
    except RuntimeError as error:
        reason = failure_reason(error)

    assert reason.startswith("RuntimeError: cannot save the model")
    assert NO_SPACE in reason
    assert "VolumeSizeInGB" in reason


def test_a_disk_that_takes_no_reason_leaves_it_in_the_log(
    paths: Paths, caplog: pytest.LogCaptureFixture
) -> None:
    paths.failure.symlink_to("/dev/full")

    with caplog.at_level(logging.ERROR):
        leave_reason(paths, "TrainingDataError: no photos")

    assert NO_SPACE in caplog.text


def test_the_models_folder_makes_room_for_the_reason(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths.model.mkdir()
    (paths.model / "model.keras").write_bytes(b"the half of it")

    def only_without_a_model(paths: Paths, reason: str) -> None:
        if paths.model.exists():
            raise full_disk()
        write_failure(paths, reason)

    monkeypatch.setattr(failure, "write_failure", only_without_a_model)
    leave_reason(paths, "OSError: full")

    assert paths.failure.read_text() == "OSError: full"


def test_a_job_on_a_full_disk_still_ends_with_the_exit_code_of_a_failure(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(paths.base))
    paths.failure.symlink_to("/dev/full")

    with caplog.at_level(logging.ERROR):
        code = train.main()  # there is no data set channel

    assert code == train.EXIT_FAILED
    assert "EnvironmentalError: channel 'dataset' is missing" in caplog.text
    assert NO_SPACE in caplog.text
