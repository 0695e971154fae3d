"""Runs a job's command in a container of its own, as far as the system allows.

A program, started with the interpreter's `-I`; it uses the standard library only, because no code
of a threaded process may run between fork and exec. Argument: JSON with
  command    argument list, looked up on PATH
  opt        folder that becomes /opt/ml's parent, or null: no namespaces
  private_processes    whether the job also sees no process but its own
  private_network      whether it has no network but its own loopback
Standard input is the line to the runner: a byte asks the command to end (SIGTERM), its end (the
runner is gone, or wants no more of it) kills whatever the job has started. The exit code is the
command's; 128 + n after signal n, as containers have it.

    launcher ── init (first process of the namespaces) ── command

Linux namespaces: user_namespaces(7), mount_namespaces(7), pid_namespaces(7).
"""

import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any, NoReturn

CLONE_NEWNS, CLONE_NEWUSER = 0x0002_0000, 0x1000_0000
CLONE_NEWPID, CLONE_NEWNET = 0x2000_0000, 0x4000_0000
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x4_0000
PR_SET_PDEATHSIG = 1
LINE = 0
COMMAND_NOT_FOUND = 127


def main() -> int:
    """Run the job to its end."""
    spec = json.loads(sys.argv[1])
    if spec["opt"]:
        _enter_namespaces(spec)
        # Blocked until init's handler can pass it on: the first process of a namespace never gets a
        # signal that it has no handler for, and an early SIGTERM would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        _die_with_parent()
        if spec["opt"]:
            _be_init(spec)
        _execute(spec["command"])
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    _set_group(child)
    return _watch(child)


def _watch(child: int) -> int:
    # No threads: a process whose children get another PID namespace may not have any.
    child_ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    listened = [LINE, child_ended]
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            _kill_group(child)
            return exit_code(os.waitstatus_to_exitcode(status))
        ready, _, _ = select.select(listened, [], [])
        if child_ended in ready:
            os.read(child_ended, 1)
        if LINE in ready and os.read(LINE, 1):
            os.kill(child, signal.SIGTERM)
        elif LINE in ready:
            _kill_group(child)
            listened.remove(LINE)


def _set_group(child: int) -> None:
    # The child does the same; whoever comes second changes nothing.
    try:
        os.setpgid(child, child)
    except OSError:
        return


def _kill_group(child: int) -> None:
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        return


def _be_init(spec: dict[str, Any]) -> NoReturn:
    _mount_opt(Path(spec["opt"]))
    if spec["private_processes"]:
        _mount(b"proc", "/proc", b"proc", 0)
    command = os.fork()
    if command == 0:
        _die_with_parent()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        _execute(spec["command"])
    signal.signal(signal.SIGTERM, lambda *_: os.kill(command, signal.SIGTERM))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    while True:
        ended, status = os.wait()
        if ended == command:
            os._exit(exit_code(os.waitstatus_to_exitcode(status)))


def _execute(command: list[str]) -> NoReturn:
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 (no object lives past exec)
        os.dup2(nothing.fileno(), 0)
    try:
        os.execvp(command[0], command)  # noqa: S606 (that is what this program is for)
    except OSError as error:
        print(f"Cannot run {command[0]}: {error.strerror}", file=sys.stderr, flush=True)  # noqa: T201
        os._exit(COMMAND_NOT_FOUND)


def exit_code(code: int) -> int:
    """A container's exit code for that of a process, which is -n after signal n."""
    return code if code >= 0 else 128 - code


def _enter_namespaces(spec: dict[str, Any]) -> None:
    user, group = os.getuid(), os.getgid()
    flags = CLONE_NEWUSER | CLONE_NEWNS
    flags |= CLONE_NEWPID if spec["private_processes"] else 0
    flags |= CLONE_NEWNET if spec["private_network"] else 0
    _check(_libc().unshare(flags), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    if spec["private_network"]:
        # netdevice(7); a new namespace's loopback is down.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            fcntl.ioctl(line, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))


def _mount_opt(opt: Path) -> None:
    _mount(b"none", "/", None, MS_REC | MS_PRIVATE)
    if Path("/opt/ml").is_dir():
        _mount(bytes(opt / "ml"), "/opt/ml", None, MS_BIND | MS_REC)
        return
    # There is no mount point, and no right to make one: put a folder that has one over /opt, and
    # in it everything that /opt holds.
    for entry in Path("/opt").iterdir():
        twin = opt / entry.name
        if entry.is_symlink():
            twin.symlink_to(entry.readlink())
        else:
            twin.mkdir() if entry.is_dir() else twin.touch()
            _mount(bytes(entry), str(twin), None, MS_BIND | MS_REC)
    _mount(bytes(opt), "/opt", None, MS_BIND | MS_REC)


def _mount(source: bytes, target: str, kind: bytes | None, flags: int) -> None:
    result = _libc().mount(source, target.encode(), kind, ctypes.c_ulong(flags), None)
    _check(result, f"mount {target}")


def _die_with_parent() -> None:
    if sys.platform == "linux":
        _check(_libc().prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, call: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{call}: {os.strerror(error)}")


if __name__ == "__main__":
    sys.exit(main())
