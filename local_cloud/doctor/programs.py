"""Running other programs with a short patience."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_WORDS: Final = 400
"""Characters: uv's reason for having no network comes last."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a program ended and what it said, on one line."""

    worked: bool
    said: str


def ask(
    command: Sequence[str],
    *,
    seconds: float,
    given: str = "",
    environment: Mapping[str, str] | None = None,
) -> Answer:
    """Run a command; one that is not there or takes too long has not worked."""
    program = Path(command[0]).name
    try:
        done = subprocess.run(
            list(command),
            input=given,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            env={**os.environ, **(environment or {})},
        )
    except FileNotFoundError:
        return Answer(False, f"{program} is not on this machine")
    except subprocess.TimeoutExpired:
        return Answer(False, f"{program} did not answer within {seconds:.0f} s")
    except OSError as error:
        return Answer(False, f"{program} cannot be run: {error.strerror}")
    if done.returncode == 0:
        return Answer(True, done.stdout.strip())
    return Answer(False, _gist(done.stderr) or f"{program} ended with {done.returncode}")


def find(name: str, folders: Sequence[Path]) -> str | None:
    """A program of these folders, else of the PATH."""
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath)])
    return shutil.which(name, path=path)


def _gist(said: str) -> str:
    """The first words of an error, without a tool's prefix, warnings and stack."""
    lines = [line.strip().removeprefix("npm error").strip() for line in said.splitlines()]
    kept = [line for line in lines if line and not line.startswith(("at ", "WARNING"))]
    return " ".join(kept)[:_WORDS]
