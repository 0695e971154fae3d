"""The lock files of the tree: which there are, and what they pin."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
_FOREIGN: Final = frozenset({"node_modules", "cdk.out"})
_OUR_HIDDEN: Final = frozenset({".ci", ".github"})
_PIN: Final = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+_-]+)"
    r"(?: ; .*?)?(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})*)"
)


class LockError(ValueError):
    """A lock file has an entry that pins nothing; the message quotes it."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of a lock file. `hashed`: its files are pinned too."""

    name: str
    version: str
    hashed: bool


def _files(root: Path) -> Iterator[Path]:
    """Every file of ours below a folder, in order: no environment, no state, no build."""
    for folder, names, files in os.walk(root):
        names[:] = sorted(
            name
            for name in names
            if name not in _FOREIGN and (not name.startswith(".") or name in _OUR_HIDDEN)
        )
        yield from (Path(folder) / file for file in sorted(files))


def python_locks(root: Path = ROOT) -> list[Path]:
    """Every requirements file that pip and uv install from.

    They are what `make lock` writes beside an `.in` file, and whatever else has the name.
    """
    return [
        path
        for path in _files(root)
        if path.suffix == ".txt"
        and (path.name.startswith("requirements") or path.with_suffix(".in").is_file())
    ]


def npm_locks(root: Path = ROOT) -> list[Path]:
    """Every lock file of npm's."""
    return [path for path in _files(root) if path.name == "package-lock.json"]


def normalised(name: str) -> str:
    """A Python package's name as an index knows it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def python_pins(text: str) -> list[Pin]:
    """What a requirements file pins.

    Raises:
        LockError: an entry is not `name==version` with markers and hashes.
    """
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    entries = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    return [_python_pin(entry) for entry in entries]


def _python_pin(entry: str) -> Pin:
    found = _PIN.fullmatch(re.sub(r"\s+", " ", entry))
    if found is None:
        raise LockError(f"{entry[:100]!r} is no pinned package: write the file with `make lock`")
    return Pin(normalised(found["name"]), found["version"], hashed=bool(found["hashes"]))


def npm_packages(text: str) -> dict[str, dict[str, Any]]:
    """The packages of npm's lock file by their place, without the project itself."""
    packages: dict[str, dict[str, Any]] = json.loads(text)["packages"]
    return {place: package for place, package in packages.items() if place}


def npm_pins(text: str) -> list[Pin]:
    """What npm's lock file pins."""
    return [
        Pin(
            place.rpartition("node_modules/")[2],
            package["version"],
            hashed=package.get("integrity", "").startswith("sha512-"),
        )
        for place, package in npm_packages(text).items()
    ]
