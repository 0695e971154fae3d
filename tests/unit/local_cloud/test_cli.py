"""What the commands say of a state folder that makes no sense: one sentence, and no stack."""

from pathlib import Path

import pytest

from local_cloud import cli


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
