"""The Python environment of an image: built by `uv` once for each content of its requirements.

With pip in it, as in every image of Python: jobs may install more (`job_python`).
"""

import fcntl
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from local_cloud.sagemaker.control import JobControl
from local_cloud.sagemaker.errors import DataOrImageError, InternalError

PIP = Path(__file__).with_name("pip.txt")
_POLL_SECONDS = 0.2
# Lines of uv's output that a job's FailureReason repeats; the log has all.
_TAIL = 12
# Variables of the local cloud itself that have no place in a build.
_FOREIGN = ("AWS_", "PYTHON", "VIRTUAL_ENV", "CONDA_", "UV_PROJECT")

Report = Callable[[str], object]


def environment_for(
    requirements: Path, environments: Path, uv: Path | str, control: JobControl, report: Report
) -> Path:
    """The environment with these requirements and pip; built, atomically, if it is not there.

    `environments` may be shared with other processes: one builds, the others wait. `report` gets
    the progress, line by line. Raises DataOrImageError if the requirements cannot be installed,
    JobStopped if the job is stopped meanwhile.
    """
    if not requirements.is_file():
        raise DataOrImageError(f"The image's requirements file {requirements} does not exist")
    ready = environments / _content_hash(PIP.read_bytes() + requirements.read_bytes())
    if ready.is_dir():
        return ready
    environments.mkdir(parents=True, exist_ok=True)
    with _lock(environments / f"{ready.name}.lock", control):
        if not ready.is_dir():
            # Whoever held the lock and left a build behind was killed.
            for left in environments.glob(f".{ready.name}-*"):
                shutil.rmtree(left, ignore_errors=True)
            report(f"Building the image's environment from {requirements.name}")
            with tempfile.TemporaryDirectory(dir=environments, prefix=f".{ready.name}-") as place:
                built = Path(place) / "env"
                for command in _commands(built, requirements):
                    _run([str(uv), *command], control, report)
                built.rename(ready)
            report("The image's environment is ready")
    return ready


def _content_hash(requirements: bytes) -> str:
    interpreter = f"{sys.implementation.cache_tag} {platform.system()} {platform.machine()}\n"
    return hashlib.sha256(interpreter.encode() + requirements).hexdigest()[:16]


def _commands(built: Path, requirements: Path) -> list[list[str]]:
    hashes = ["--require-hashes"] if "--hash=" in requirements.read_text() else []
    sync = ["pip", "sync", *hashes, str(PIP), str(requirements)]
    return [
        # Relocatable, because it is built beside its place and then renamed.
        ["venv", "--quiet", "--relocatable", "--python", sys.executable, str(built)],
        [*sync, "--python", str(built / "bin" / "python")],
    ]


def _run(command: list[str], control: JobControl, report: Report) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    try:
        process = subprocess.Popen(
            command,
            env={**kept, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise InternalError(f"Cannot run {command[0]}: {error.strerror}") from error
    lines: list[str] = []
    reader = threading.Thread(target=_read, args=(process.stdout, lines, report), daemon=True)
    reader.start()
    try:
        while process.poll() is None:
            control.check()
            control.pause(_POLL_SECONDS)
    finally:
        _kill(process)
        reader.join()
    if process.returncode != 0:
        raise DataOrImageError(
            f"The image's environment cannot be built: '{' '.join(command[:3])}' ended with exit"
            f" code {process.returncode}. {' '.join(lines[-_TAIL:])}"
        )


def _kill(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(output: IO[str] | None, lines: list[str], report: Report) -> None:
    for line in output or ():
        lines.append(line.strip())
        if not line.startswith(" + "):  # the list of what is in, at the end, is no progress
            report(line.rstrip())


@contextmanager
def _lock(path: Path, control: JobControl) -> Iterator[None]:
    with path.open("w") as file:
        while not _try_lock(file):
            control.check()
            control.pause(_POLL_SECONDS)
        yield


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
