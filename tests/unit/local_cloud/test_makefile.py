"""What `make` says when it cannot make an environment."""

import os
import subprocess
from pathlib import Path

import pytest

from local_cloud.layout import ROOT


def made(folder: Path, target: str, **variables: str) -> str:
    """What `make` says, in a folder with the project's Makefile, when it cannot make a target."""
    (folder / "Makefile").write_text((ROOT / "Makefile").read_text())
    words = [f"{name}={value}" for name, value in variables.items()]
    done = subprocess.run(
        ["make", target, *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode
    return done.stdout + done.stderr


def failing(folder: Path, name: str, says: str) -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\nexit 1\n")
    program.chmod(0o755)
    return program


def test_an_old_python_is_told_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "requirements-uv.txt").touch()
    old = failing(tmp_path, "python3.9", "Python 3.9.18")

    said = made(tmp_path, ".venvs/uv/bin/uv", PYTHON=str(old))

    assert f"Python 3.11 or newer is needed; {old} is Python 3.9.18. Name another" in said
    assert not (tmp_path / ".venvs").exists()


def test_an_npm_without_its_registry_is_told_with_who_asks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = tmp_path / "infra_cdk" / "cli"
    made_of = (sources / "package.json", sources / "package-lock.json")
    for file in (tmp_path / "requirements.txt", tmp_path / "app" / ".ready", *made_of):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    npm = failing(tmp_path, "npm", "")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    said = made(tmp_path, ".venvs/cdk/.ready", APP="app", UV=str(npm))

    assert "make doctor asks it" in said
    assert not (tmp_path / ".venvs" / "cdk" / ".ready").exists()
