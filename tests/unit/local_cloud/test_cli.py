"""What the commands say of what is in their way: one sentence, and no stack."""

import errno
import os
import subprocess
from pathlib import Path

import pytest

from local_cloud import cli
from local_cloud.layout import Layout
from local_cloud.supervisor import leftovers, poll
from local_cloud.up import Up


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands set these for whatever they start, so each test gets them back as they were."""
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")


@pytest.mark.parametrize(
    ("command", "file"),
    [(["up"], "ports.json"), (["run", "--", "true"], "endpoints.json")],
)
def test_a_damaged_file_of_the_state_is_told_with_the_remedy(
    command: list[str],
    file: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / file).write_text('{"half":')
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["local_cloud", *command])

    assert cli.main() == 1

    said = capsys.readouterr().err
    assert f"Error: {tmp_path / file} is damaged." in said
    assert "Traceback" not in said


def test_a_full_disk_is_told_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Up, "run", full)
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["local_cloud", "up"])

    assert cli.main() == 1

    assert "is full: make room on it" in capsys.readouterr().err


def test_down_says_so_when_it_ends_what_a_killed_supervisor_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = Layout(tmp_path)
    layout.run.mkdir()
    line = "exec -a local_cloud.gateway sleep 600"
    with subprocess.Popen(["bash", "-c", line], start_new_session=True) as leftover:
        (layout.run / "gateway.pid").write_text(str(leftover.pid))
        assert any("gateway" in leftovers(layout) for _ in poll(20))
        monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
        monkeypatch.setattr("sys.argv", ["local_cloud", "down"])

        assert cli.main() == 0

    assert "Ending services that outlived their supervisor" in capsys.readouterr().out


def test_a_proxy_gets_nothing_that_is_meant_for_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "intranet")
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["local_cloud", "down"])

    assert cli.main() == 0

    assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == "intranet,localhost,127.0.0.1"
