"""Runs the services in the background, with supervisord (https://supervisord.org)."""

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from xmlrpc.client import Fault, ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

from local_cloud.layout import ROOT, Layout
from local_cloud.services import ALL, EMF, GATEWAY, MLFLOW, UI

_STOP_SECONDS: Final = 60
_COMMAND_WORDS: Final = {
    GATEWAY: "local_cloud.gateway",
    EMF: "local_cloud.emf",
    MLFLOW: "mlflow",
    UI: "streamlit",
}
"""What a service's command line contains: a process id alone may have been given anew."""


class SupervisorError(Exception):
    """The supervisor or a service of its did not come up; says where to look."""


class Supervisor:
    """One supervisord per state folder, spoken to through a socket only its user can open."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._socket = _socket_path(layout)
        self._configuration = layout.run / "supervisord.conf"

    def is_running(self) -> bool:
        """Whether the supervisor answers."""
        try:
            return bool(self._api().getState())
        except (OSError, Fault):
            return False

    def ensure(self) -> None:
        """Start the supervisor; if it runs with another configuration, start it anew.

        Raises:
            SupervisorError: it does not come up.
        """
        wanted = self._render()
        if self.is_running():
            if self._configuration.exists() and self._configuration.read_text() == wanted:
                return
            self.shut_down()
        end_leftovers(self._layout)
        self._layout.run.mkdir(parents=True, exist_ok=True)
        self._layout.logs.mkdir(parents=True, exist_ok=True)
        self._configuration.write_text(wanted)
        self._configuration.chmod(0o600)
        self._socket.unlink(missing_ok=True)
        subprocess.run(
            [
                str(Path(sys.executable).parent / "supervisord"),
                f"--configuration={self._configuration}",
            ],
            check=True,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LOCAL_STATE_DIR": str(self._layout.state)},
        )
        _wait_until(self.is_running, "the supervisor", self._layout.logs / "supervisord.log")

    def start(self, service: str) -> None:
        """Start a service; one that runs is left alone.

        Raises:
            SupervisorError: it ended at once.
        """
        with contextlib.suppress(Fault):  # ALREADY_STARTED
            self._api().startProcess(service, False)
        state = self.state(service)
        if state in {"FATAL", "EXITED", "BACKOFF"}:
            self.explain(service)

    def stop(self, service: str) -> None:
        """Stop a service; one that does not run is left alone."""
        with contextlib.suppress(Fault):
            self._api().stopProcess(service, True)

    def state(self, service: str) -> str:
        """supervisord's word for a service's state, such as RUNNING or FATAL."""
        info: dict[str, Any] = self._api().getProcessInfo(service)
        return str(info["statename"])

    def explain(self, service: str) -> None:
        """Raise a SupervisorError with the end of a service's log."""
        log = self._layout.logs / f"{service}.log"
        last = [line for line in _tail(log) if line.strip()][-3:]
        raise SupervisorError(
            f"{service} does not run. Its log ends: {' | '.join(last) or '(empty)'}  ({log})"
        )

    def shut_down(self) -> None:
        """Stop every service, then the supervisor; nothing stays."""
        with contextlib.suppress(OSError, Fault):
            # It stops answering long before its services have ended: its process tells.
            process = int(self._api().getPID())
            self._api().shutdown()
            _wait_until(
                lambda: not _commands_of(process),
                "the end of the supervisor",
                self._layout.logs / "supervisord.log",
                seconds=_STOP_SECONDS * len(ALL),
            )
        end_leftovers(self._layout)

    def _api(self) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        return ServerProxy("http://127.0.0.1", transport=transport).supervisor

    def _render(self) -> str:
        logs = self._layout.logs
        parts = [
            f"; services of the code {_code_digest()}",
            "[supervisord]",
            f"logfile={logs / 'supervisord.log'}",
            "logfile_maxbytes=1MB",
            "logfile_backups=1",
            f"pidfile={self._layout.run / 'supervisord.pid'}",
            f"childlogdir={logs}",
            f"directory={ROOT}",
            "umask=077",
            "[unix_http_server]",
            f"file={self._socket}",
            "chmod=0600",
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        ]
        for order, service in enumerate(ALL):
            parts += [
                f"[program:{service}]",
                f"command={sys.executable} -m local_cloud.child {service}",
                f"directory={ROOT}",
                f"priority={order + 1}",
                "autostart=false",
                "autorestart=true",
                "startsecs=2",
                "startretries=3",
                f"stopwaitsecs={_STOP_SECONDS}",
                "stopasgroup=true",
                "killasgroup=true",
                "redirect_stderr=true",
                f"stdout_logfile={logs / f'{service}.log'}",
                "stdout_logfile_maxbytes=20MB",
                "stdout_logfile_backups=1",
            ]
        return "\n".join(parts) + "\n"


def leftovers(layout: Layout) -> dict[str, int]:
    """Each service whose process still runs, and the process group that it heads."""
    found = {}
    for service in ALL:
        with contextlib.suppress(OSError, ValueError):
            group = int((layout.run / f"{service}.pid").read_text())
            if _COMMAND_WORDS[service] in _commands_of(group):
                found[service] = group
    return found


def end_leftovers(layout: Layout) -> None:
    """End services that outlived their supervisor, with whatever they started."""
    left = leftovers(layout)
    for group in left.values():
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGTERM)
    for service in ALL:
        (layout.run / f"{service}.pid").unlink(missing_ok=True)
    for group in left.values():
        for _ in poll(_STOP_SECONDS):
            if not _commands_of(group):
                break
        else:
            with contextlib.suppress(OSError):
                os.killpg(group, signal.SIGKILL)


def _commands_of(group: int) -> str:
    """The command lines of a process group; supervisord makes each service a group's head."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
    return "\n".join(found)


def _code_digest() -> str:
    """Changes with the services' own code, so that an updated checkout gets them anew."""
    digest = hashlib.sha256()
    for file in (*sorted((ROOT / "local_cloud").rglob("*.py")), ROOT / "requirements.txt"):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _socket_path(layout: Layout) -> Path:
    # A socket's path may have some 100 characters only: state folders may be deeper.
    folder = Path(tempfile.gettempdir()) / f"are-you-a-cat-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise SupervisorError(f"{folder} belongs to somebody else. Remove it or set TMPDIR.")
    folder.chmod(0o700)
    name = hashlib.sha256(str(layout.state).encode()).hexdigest()[:16]
    return folder / f"{name}.sock"


def _wait_until(condition: Any, what: str, log: Path, seconds: float = 20.0) -> None:
    for _ in poll(seconds):
        if condition():
            return
    raise SupervisorError(f"Waited {seconds:.0f} s for {what}; see {log}.")


def poll(seconds: float, interval: float = 0.1) -> Iterator[None]:
    """Yield at intervals until so many seconds have passed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(interval)


def _tail(log: Path) -> list[str]:
    try:
        return log.read_text(errors="replace").splitlines()[-20:]
    except OSError:
        return []
