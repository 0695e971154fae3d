"""Who listens on the ports of the local cloud."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local_cloud.doctor.finding import Finding, bad, ok
from local_cloud.layout import PORT_VARIABLES, Layout, StateError, is_taken
from local_cloud.services import ALL


@dataclass(frozen=True, slots=True)
class Listener:
    """A process that listens. `group`: its process group, by which services are told apart."""

    pid: int
    group: int
    command: str


def listeners() -> dict[int, Listener]:
    """Who listens on which port, as far as psutil is there and this user may know it."""
    try:
        import psutil  # noqa: PLC0415 - of the app environment, which may not be made yet
    except ImportError:
        return {}
    found = {}
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.pid and connection.laddr:
                with contextlib.suppress(psutil.Error, OSError):
                    command = " ".join(psutil.Process(connection.pid).cmdline())
                    group = os.getpgid(connection.pid)
                    listener = Listener(connection.pid, group, command)
                    found[connection.laddr.port] = listener
    return found


def ports(layout: Layout, *, runs: bool) -> list[Finding]:
    """One finding for each port that the next command uses. `runs`: the local cloud does."""
    try:
        wanted = layout.ports()
    except StateError as error:
        return [bad("Ports", str(error), "Do what it says, then: make doctor")]
    known, services = listeners(), _groups_of_services(layout)
    return [
        port(getattr(wanted, name), variable, known, services, runs=runs)
        for name, variable in PORT_VARIABLES.items()
    ]


def port(
    number: int,
    variable: str,
    known: Mapping[int, Listener],
    services: Sequence[int],
    *,
    runs: bool,
) -> Finding:
    """One port. `services`: the process groups of this state folder's own services."""
    check = f"Port {number}"
    if not is_taken(number):
        return ok(check, f"free ({variable})")
    listener = known.get(number)
    # Some systems tell nobody but root who listens; then a cloud that runs is the likeliest.
    if listener.group in services if listener else runs:
        return ok(check, f"the local cloud itself listens ({variable})")
    who = f"{listener.command[:80]} (pid {listener.pid})" if listener else "another program"
    other = next(free for free in range(number + 1, number + 1000) if not is_taken(free))
    return bad(check, f"taken by {who}", f"Stop that one, or: {variable}={other} make up")


def _groups_of_services(layout: Layout) -> list[int]:
    found = []
    for service in ALL:
        with contextlib.suppress(OSError, ValueError):
            found.append(int((layout.run / f"{service}.pid").read_text()))
    return found
