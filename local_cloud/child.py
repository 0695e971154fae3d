"""Becomes one of the local cloud's services: `python -m local_cloud.child <name>`.

The supervisor starts every service through this, so that none outlives it: on Linux the
kernel ends a service when its supervisor dies, `kill -9` included.
"""

import ctypes
import os
import signal
import sys
from typing import Final

from local_cloud.layout import Layout
from local_cloud.services import service_command

_PR_SET_PDEATHSIG: Final = 1


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent dies; elsewhere than on Linux, nothing."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before we could ask
        raise SystemExit("the supervisor is gone")


def main() -> None:
    """Turn into the named service."""
    name = sys.argv[1]
    layout = Layout.from_environment()
    die_with_parent()
    command = service_command(name, layout)
    (layout.run / f"{name}.pid").write_text(str(os.getpid()))
    os.execvpe(command.arguments[0], command.arguments, {**os.environ, **command.environment})  # noqa: S606


if __name__ == "__main__":
    main()
