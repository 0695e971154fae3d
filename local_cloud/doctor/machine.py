"""The machine: Python, git, disk, memory, and what its kernel allows."""

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from local_cloud.doctor.finding import Finding, bad, ok, warn
from local_cloud.doctor.programs import ask

GIGABYTE: Final = 1_000_000_000
ENVIRONMENTS_NEED: Final = 4 * GIGABYTE
"""Those of `make up` take 1.6 GB, those of the training and the drift report 1.9."""
STATE_NEEDS: Final = 1_500_000_000
"""It takes 0.8 GB after the first `make up`, photos and trained models come on top."""
STATE_GROWS: Final = GIGABYTE // 2
"""For the next photos, checkpoints and logs."""
MEMORY_SUGGESTED: Final = 4 * GIGABYTE
"""The services take 1.8 GB at rest; functions and jobs come on top."""
_VERSION: Final = "import sys; print('%d.%d.%d' % sys.version_info[:3])"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder, there or not, and the bytes that are still going to be written into it."""

    name: str
    path: Path
    needs: int


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system: which one, and its free bytes."""

    device: int
    free: int


def python(program: str, *, has_uv: bool) -> Finding:
    """The Python that makes the environments. With uv, its `venv` module is not needed."""
    version = ask([program, "-c", _VERSION], seconds=20)
    another = "Install Python 3.11 or newer and name it: make up PYTHON=python3.12"
    if not version.worked:
        return bad("Python", version.said, another)
    if tuple(map(int, version.said.split(".")[:2])) < (3, 11):
        return bad("Python", f"3.11 or newer is needed; {program} is {version.said}", another)
    if not has_uv and not ask([program, "-c", "import ensurepip, venv"], seconds=20).worked:
        return bad(
            "Python",
            f"{program} is {version.said} without its venv module",
            "On Debian and Ubuntu: sudo apt-get install python3-venv",
        )
    return ok("Python", f"{program} is {version.said}")


def git(program: str | None) -> Finding:
    """The deployment notes the commit that it was made of."""
    if program is None:
        return bad("git", "it is not on the PATH", "Install it: sudo apt-get install git")
    return ok("git", program)


def measured(path: Path) -> Disk:
    """The file system that a folder is on, or would be."""
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    return Disk(there.stat().st_dev, shutil.disk_usage(there).free)


def disk(places: Sequence[Place], measure: Callable[[Path], Disk] = measured) -> list[Finding]:
    """One finding for each file system: the needs of all places on it together."""
    on = sorted(((measure(place.path), place) for place in places), key=lambda one: one[0].device)
    findings = []
    for _, group in groupby(on, key=lambda one: one[0].device):
        members = list(group)
        free, needs = members[0][0].free, sum(place.needs for _, place in members)
        names = " and ".join(place.name for _, place in members)
        says = f"{free / GIGABYTE:.1f} GB free for {names}, {needs / GIGABYTE:.1f} GB wanted"
        if free >= needs:
            findings.append(ok("Disk", says))
        else:
            where = members[0][1].path
            remedy = f"Make room on the disk of {where}, or put the state on another one: "
            findings.append(bad("Disk", says, remedy + "LOCAL_STATE_DIR=<folder> make up"))
    return findings


def free_memory(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes that programs can still have, or None where the system does not say it so."""
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found.group(1)) * 1024 if found else None


def memory(free: int | None) -> Finding:
    """Less than is suggested may do: told, not an error."""
    if free is None:
        return ok("Memory", "this system does not say how much is free")
    says = f"{free / GIGABYTE:.1f} GB free"
    if free >= MEMORY_SUGGESTED:
        return ok("Memory", says)
    return warn(
        "Memory",
        f"{says}, {MEMORY_SUGGESTED / GIGABYTE:.0f} GB are suggested",
        "Close what you do not need, or let one job run at a time: LOCAL_CLOUD_JOBS=1 make up",
    )


def namespaces(program: str | None) -> Finding:
    """Whether a job can have an `/opt/ml` and a network of its own: told, not an error."""
    name = "Namespaces"
    if program is None:
        return ok(name, "not tried: there is no unshare on the PATH")
    if ask([program, "-Urm", "true"], seconds=10).worked:
        return ok(name, "jobs get an /opt/ml of their own")
    return warn(
        name,
        "this system allows no user namespaces: jobs that name /opt/ml or ask for network "
        "isolation are refused; the project's own read SAGEMAKER_BASE_DIR and do not mind",
        "On Ubuntu: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    )
