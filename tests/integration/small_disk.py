"""Runs a command to which one folder is a small disk: `small_disk.py <folder> <MiB> <command>...`.

Needs no rights where the system allows user namespaces; exits with 1 and the reason where not.
The disk is in memory, nobody outside sees it, and it goes with the last process of the command.
"""

import ctypes
import os
import sys
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x0002_0000, 0x1000_0000
MS_REC, MS_PRIVATE = 0x4000, 0x4_0000


def main() -> None:
    """Make the disk and become the command."""
    folder, size, *command = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    _check(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _check(libc.mount(b"none", b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None), "mount /")
    options = f"size={size}m,mode=700".encode()
    mounted = libc.mount(b"tmpfs", folder.encode(), b"tmpfs", ctypes.c_ulong(0), options)
    _check(mounted, f"mount {folder}")
    os.execvp(command[0], command)  # noqa: S606 (that is what this program is for)


def _check(result: int, call: str) -> None:
    if result != 0:
        sys.exit(f"{call}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
