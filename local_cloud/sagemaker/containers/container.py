"""A job's process: started through `launcher`, watched, stopped."""

import contextlib
import json
import logging
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import IO

from local_cloud.sagemaker.containers import launcher
from local_cloud.sagemaker.control import JobControl, StopReason

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.1
# A line longer than this is logged in pieces; CloudWatch takes events up to 256 KB.
_LONGEST_LINE = 64 * 1024
_LAUNCHER_SECONDS = 30.0


class Isolation(Enum):
    """What a job has to itself."""

    PROCESSES = "its own /opt/ml and processes"
    MOUNTS = "its own /opt/ml"
    NONE = "a base directory of its own"


@dataclass(frozen=True)
class Container:
    """What to run. `opt` is the folder that holds the job's `ml`.

    `private_network`: no network but its own loopback; needs an isolation. `refused`: the exit code
    that says that the command itself never ran, if there is one.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    opt: Path
    isolation: Isolation
    private_network: bool = False
    refused: int | None = None


@dataclass(frozen=True)
class Exit:
    """How a container ended; `stopped` says why if it was not by itself.

    `refused`: it never ran.
    """

    code: int
    stopped: StopReason | None
    refused: bool


def run(
    container: Container,
    control: JobControl,
    *,
    grace: Callable[[StopReason], float],
    on_line: Callable[[str], None],
    on_stop: Callable[[StopReason], None],
) -> Exit:
    """Run a container to its end and return how it ended; nothing of it is left running.

    When `control` asks to end it, its command gets SIGTERM, and SIGKILL `grace(reason)` seconds
    later. `on_line` gets each line of its output, from a thread.
    """
    process = _launch(container)
    reader = threading.Thread(target=_read, args=(process, on_line), daemon=True)
    reader.start()
    stopped = None
    try:
        while process.poll() is None and not control.reason:
            control.pause(_POLL_SECONDS)
        if process.poll() is None and control.reason:
            stopped = control.reason
            on_stop(stopped)
            _ask_to_end(process)
            _await_end(process, control, grace)
            stopped = control.reason
    finally:
        _end(process)
        reader.join(_LAUNCHER_SECONDS)
    code = launcher.exit_code(process.returncode)
    return Exit(code, stopped, refused=stopped is None and code == container.refused)


def _launch(container: Container) -> subprocess.Popen[bytes]:
    spec = {
        "command": list(container.command),
        "opt": None if container.isolation is Isolation.NONE else str(container.opt),
        "private_processes": container.isolation is Isolation.PROCESSES,
        "private_network": container.private_network,
    }
    return subprocess.Popen(
        [sys.executable, "-I", str(Path(launcher.__file__).resolve()), json.dumps(spec)],
        cwd=container.folder,
        env=dict(container.environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _await_end(
    process: subprocess.Popen[bytes], control: JobControl, grace: Callable[[StopReason], float]
) -> None:
    began = time.monotonic()
    while process.poll() is None:
        reason = control.reason
        if reason is None or time.monotonic() - began >= grace(reason):
            return
        time.sleep(_POLL_SECONDS)


def _line(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdin is None:
        raise RuntimeError("the launcher was started without a line to it")
    return process.stdin


def _ask_to_end(process: subprocess.Popen[bytes]) -> None:
    try:
        _line(process).write(b"T")
        _line(process).flush()
    except BrokenPipeError:
        return


def _end(process: subprocess.Popen[bytes]) -> None:
    # Closing the line makes the launcher kill what is left; its own death would do so too.
    with contextlib.suppress(BrokenPipeError):
        _line(process).close()
    try:
        process.wait(_LAUNCHER_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _read(process: subprocess.Popen[bytes], on_line: Callable[[str], None]) -> None:
    if process.stdout is None:
        raise RuntimeError("the launcher was started without its output")
    with process.stdout as output:
        while line := output.readline(_LONGEST_LINE):
            on_line(line.decode(errors="replace").rstrip("\r\n"))


@lru_cache(maxsize=1)
def best_isolation() -> Isolation:
    """The most that this system allows; found by trying, once."""
    for isolation in (Isolation.PROCESSES, Isolation.MOUNTS):
        if works(isolation):
            return isolation
    _log.warning(
        "this system allows no private mounts: training jobs get SAGEMAKER_BASE_DIR for /opt/ml"
    )
    return Isolation.NONE


def works(isolation: Isolation) -> bool:
    """Whether a job under this isolation sees its own /opt/ml."""
    if sys.platform != "linux":
        return isolation is Isolation.NONE
    with tempfile.TemporaryDirectory() as directory:
        opt = Path(directory) / "opt"
        (opt / "ml" / "probe").mkdir(parents=True)
        command = ["test", "-d", "/opt/ml/probe"]
        container = Container(command, {"PATH": "/usr/bin:/bin"}, opt, opt, isolation)
        control = JobControl()
        control.limit(_LAUNCHER_SECONDS)
        ended = run(
            container,
            control,
            grace=lambda _: 0.0,
            on_line=_log.debug,
            on_stop=lambda _: None,
        )
        return ended.code == 0
