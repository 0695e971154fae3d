"""The real supervisord, with a harmless process in the gateway's place."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from local_cloud.console import CommandError
from local_cloud.layout import ROOT, Layout
from local_cloud.services import GATEWAY
from local_cloud.supervisor import Supervisor, SupervisorError, end_leftovers, poll
from local_cloud.up import Up


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    """An instance whose gateway is a process that only waits."""
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    use_gateway(tmp_path, monkeypatch, "exec -a local_cloud.gateway sleep 600")
    layout = Layout(tmp_path)
    yield layout
    Supervisor(layout).shut_down()


def use_gateway(folder: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    script = folder / "python"
    script.write_text(f"#!/bin/bash\n{line}\n")
    script.chmod(0o755)
    monkeypatch.setenv("CLOUD_PYTHON", str(script))


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    return any(condition() for _ in poll(seconds))


def is_called(pid: int, name: str) -> bool:
    return psutil.Process(pid).cmdline()[:1] == [name]


def gateway_pid(layout: Layout) -> int:
    file = layout.run / "gateway.pid"
    assert eventually(lambda: file.exists() and bool(file.read_text()))
    return int(file.read_text())


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def supervisor_pid(layout: Layout) -> int:
    return int((layout.run / "supervisord.pid").read_text())


def test_a_service_runs_in_the_background_and_goes_with_its_supervisor(layout: Layout) -> None:
    supervisor = Supervisor(layout)
    supervisor.ensure()
    supervisor.start(GATEWAY)
    assert eventually(lambda: supervisor.state(GATEWAY) == "RUNNING")
    pid = gateway_pid(layout)

    supervisor.shut_down()

    assert not supervisor.is_running()
    assert not runs(pid)


def test_stopping_waits_for_a_service_that_takes_its_time(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = layout.state / "saved"
    use_gateway(
        layout.state,
        monkeypatch,
        f"trap 'sleep 3; touch {saved}; exit 0' TERM\nwhile true; do sleep 0.1; done",
    )
    supervisor = Supervisor(layout)
    supervisor.ensure()
    supervisor.start(GATEWAY)
    assert eventually(lambda: supervisor.state(GATEWAY) == "RUNNING")

    supervisor.shut_down()

    assert saved.exists()


def test_starting_what_runs_changes_nothing(layout: Layout) -> None:
    supervisor = Supervisor(layout)
    supervisor.ensure()
    supervisor.start(GATEWAY)
    pid = gateway_pid(layout)
    parent = supervisor_pid(layout)

    supervisor.ensure()
    supervisor.start(GATEWAY)

    assert (gateway_pid(layout), supervisor_pid(layout)) == (pid, parent)


def test_after_a_killed_supervisor_the_next_one_finds_no_service_left(layout: Layout) -> None:
    supervisor = Supervisor(layout)
    supervisor.ensure()
    supervisor.start(GATEWAY)
    assert eventually(lambda: supervisor.state(GATEWAY) == "RUNNING")
    pid = gateway_pid(layout)

    os.kill(supervisor_pid(layout), signal.SIGKILL)

    assert eventually(lambda: not supervisor.is_running())
    supervisor.ensure()
    assert supervisor.is_running()
    assert not runs(pid)


def test_a_crashed_service_is_started_again(layout: Layout) -> None:
    supervisor = Supervisor(layout)
    supervisor.ensure()
    supervisor.start(GATEWAY)
    assert eventually(lambda: supervisor.state(GATEWAY) == "RUNNING")
    pid = gateway_pid(layout)

    os.kill(pid, signal.SIGKILL)

    assert eventually(lambda: gateway_pid(layout) != pid and runs(gateway_pid(layout)))


def test_a_service_that_cannot_start_is_explained_by_its_log(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_gateway(layout.state, monkeypatch, "echo no room on the disk; exit 3")
    supervisor = Supervisor(layout)
    supervisor.ensure()
    supervisor.start(GATEWAY)

    assert eventually(lambda: supervisor.state(GATEWAY) == "FATAL", seconds=40)
    with pytest.raises(SupervisorError, match="no room on the disk"):
        supervisor.explain(GATEWAY)


def test_a_leftover_is_ended_but_not_a_stranger_with_its_number(layout: Layout) -> None:
    layout.run.mkdir(parents=True)
    leftover, stranger = (
        subprocess.Popen(
            ["bash", "-c", f"exec -a {name} sleep 600"], start_new_session=True, cwd=ROOT
        )
        for name in ("local_cloud.gateway", "something-else")
    )
    try:
        for child, name in ((stranger, "something-else"), (leftover, "local_cloud.gateway")):
            # Before its second exec is done a process may show no command line at all.
            assert eventually(partial(is_called, child.pid, name))
            (layout.run / "gateway.pid").write_text(str(child.pid))
            end_leftovers(layout)

        assert leftover.wait(timeout=20) == -signal.SIGTERM
        assert stranger.poll() is None
    finally:
        for child in (leftover, stranger):
            child.kill()
            child.wait()


def test_a_port_that_somebody_else_has_is_one_clear_sentence(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("GATEWAY_PORT", str(port))

        with pytest.raises(CommandError, match=f"Port {port} is in use.*GATEWAY_PORT"):
            Up(layout).run()
