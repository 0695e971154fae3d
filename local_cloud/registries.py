"""Fetch published packages with the registries' own clients and read files out of them.

Nothing is installed, no dependency is resolved and no registry address is named here: `uv`, `npm`
and `apt-get` go where the user's configuration sends them. Files are only ever looked up by the
names asked for, so what else an archive holds, or how it names it, cannot matter.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

CLIENT_SECONDS = 300
"""How long one call of a registry client may take."""

Member = tuple[str, bytes]


class PackageUnavailableError(Exception):
    """The package could not be had; the message is one clause that says why."""


@dataclass(frozen=True)
class Package:
    """One published archive.

    `archive_sha256` of a PyPI package is that of its wheel for CPython 3.11 on x86-64 Linux, which
    is what is fetched on every machine: only data files are read from it.
    """

    registry: str
    name: str
    version: str
    archive_sha256: str

    def __str__(self) -> str:
        """As a person would name it."""
        return f"{self.name} {self.version} ({self.registry})"


def members(package: Package, wanted: Collection[str], folder: Path) -> Iterator[Member]:
    """The wanted files of a package, as (path inside the archive, bytes); absent ones are skipped.

    Works inside `folder`, which the caller removes. Raises `PackageUnavailableError` if the client
    is missing, the registry cannot be reached or does not have the package, or the archive is not
    the one that was pinned.
    """
    fetch = _FETCHERS.get(package.registry)
    if fetch is None:
        raise PackageUnavailableError(f"there is no client for the registry '{package.registry}'")
    return fetch(package, wanted, folder)


def _from_pypi(package: Package, wanted: Collection[str], folder: Path) -> Iterator[Member]:
    requirement = folder / "requirement.txt"
    requirement.write_text(
        f"{package.name}=={package.version} --hash=sha256:{package.archive_sha256}\n"
    )
    unpacked = folder / "unpacked"
    uv = os.environ.get("UV") or _client("uv")
    into = ["--python", sys.executable, "--target", str(unpacked)]
    what = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(requirement)]
    # The platform is the pinned archive's, not this machine's, so that its hash always holds.
    platform = ["--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_28"]
    _run([uv, "pip", "install", *into, *what, *platform], folder)
    for name in wanted:
        if (unpacked / name).is_file():
            yield name, (unpacked / name).read_bytes()


def _from_npm(package: Package, wanted: Collection[str], folder: Path) -> Iterator[Member]:
    npm = _client("npm")
    # npm's own patience without a network is minutes.
    patience = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    quiet = "--loglevel=error"
    _run([npm, "pack", f"{package.name}@{package.version}", quiet, *patience], folder)
    archive = _only(folder, "*.tgz", package)
    _verify(archive, package)
    with archive.open("rb") as stream:
        yield from tar_members(stream, wanted)


def _from_debian(package: Package, wanted: Collection[str], folder: Path) -> Iterator[Member]:
    apt, dpkg_deb = _client("apt-get"), _client("dpkg-deb")
    pinned = f"{package.name}={package.version}"
    try:
        archive = _apt_download(apt, pinned, package, folder, [])
        _verify(archive, package)
    except _ClientError:
        # The machine has no package lists, or old ones: fetch lists of our own, which needs no
        # rights. If its release carries another version, that one's photos have hashes too.
        private = _private_lists(apt, folder)
        try:
            archive = _apt_download(apt, pinned, package, folder, private)
            _verify(archive, package)
        except _ClientError:
            archive = _apt_download(apt, package.name, package, folder, private)
    command = [dpkg_deb, "--fsys-tarfile", str(archive)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as unpacker:
        assert unpacker.stdout is not None  # noqa: S101 - for the type: a pipe was asked for
        yield from tar_members(unpacker.stdout, wanted)


def _private_lists(apt: str, folder: Path) -> list[str]:
    for needed in ("state/lists/partial", "cache/archives/partial"):
        (folder / needed).mkdir(parents=True, exist_ok=True)
    settings = {
        "Dir::State": folder / "state",
        "Dir::Cache": folder / "cache",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Debug::NoLocking": "true",
        "APT::Sandbox::User": "",
    }
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    try:
        _run([apt, *options, "update"], folder)
    except _ClientError:
        # One unreachable source of several: the one needed may well have answered.
        return options
    return options


def _apt_download(
    apt: str, wanted: str, package: Package, folder: Path, options: list[str]
) -> Path:
    _run([apt, *options, "-o", "APT::Sandbox::User=", "download", wanted], folder)
    return _only(folder, "*.deb", package)


_FETCHERS: dict[str, Callable[[Package, Collection[str], Path], Iterator[Member]]] = {
    "pypi": _from_pypi,
    "npm": _from_npm,
    "debian": _from_debian,
}


def tar_members(stream: IO[bytes], wanted: Collection[str]) -> Iterator[Member]:
    """The wanted regular files of a tar stream (plain, gzip, bzip2 or xz), in the archive's order.

    Raises `PackageUnavailableError` if the stream is no complete tar archive.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r|*", bufsize=1 << 20) as archive:
            for entry in archive:
                if entry.isfile() and entry.name in wanted:
                    content = archive.extractfile(entry) or io.BytesIO()
                    yield entry.name, content.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise PackageUnavailableError(f"its archive cannot be read ({error})") from error


class _ClientError(PackageUnavailableError):
    """The client ran and failed."""


def _search_path() -> str:
    """The environment's own tools first: `npm` may come from the Node package beside Python."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def _client(name: str) -> str:
    found = shutil.which(name, path=_search_path())
    if found is None:
        raise PackageUnavailableError(f"`{name}` is not on this machine")
    return found


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PATH": _search_path(), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CLIENT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        tool = Path(command[0]).name
        raise _ClientError(f"`{tool}` did not finish within {CLIENT_SECONDS} s") from error
    if done.returncode != 0:
        tool = Path(command[0]).name
        said = " ".join((done.stderr.strip() or done.stdout.strip()).split())
        raise _ClientError(f"`{tool}` said: {said[:300] or 'nothing'}")


def _only(folder: Path, pattern: str, package: Package) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise _ClientError(f"the client left no archive of {package.name} behind")
    return found[0]


def _verify(archive: Path, package: Package) -> None:
    if hashlib.sha256(archive.read_bytes()).hexdigest() != package.archive_sha256:
        raise PackageUnavailableError("its archive is not the one that was pinned (other SHA-256)")
