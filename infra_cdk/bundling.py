"""Lambda bundles as zip files, built without Docker and cached by content.

A bundle is its dependencies, `areyouacat/`, `lambdas/shared/` and `lambdas/<bundle>/`, with what
that is built upon. The
dependencies are zipped once per requirements file; a change of our own sources copies that zip
and appends to it, so it costs no installation. Every file carries the same date and order:
equal content gives equal bytes.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from aws_cdk import AssetHashType
from aws_cdk import aws_lambda as lambda_

from infra_cdk import archives
from infra_cdk.settings import LAMBDA_UNZIPPED_LIMIT_MB, REPOSITORY_ROOT
from infra_cdk.targets import TARGETS, Target

_FORMAT: Final = "1"  # raise it when the same content must be zipped anew
_KEPT: Final = 6  # zips of a bundle
# Scores with the serving bundle's own code, so it has all of it, and a writer of Parquet.
_UPON: Final = {"batch": "serving"}
# Never imported at run time. `.dist-info` stays: importlib.metadata and the licences need it.
_NOISE_FOLDERS: Final = frozenset({"__pycache__", "tests", "bin"})
_NOISE_SUFFIXES: Final = frozenset({".pyc", ".pyi", ".a", ".h", ".lock"})
_NOISE_FILES: Final = frozenset({"RECORD", "REQUESTED", "INSTALLER", "direct_url.json"})


class BundlingError(RuntimeError):
    """A bundle cannot be built; the message says why and what to do."""


class Bundler(Protocol):
    """Gives a bundle's code to a function."""

    def code(self, bundle: str) -> lambda_.Code:
        """The code of `lambdas/<bundle>`."""


@dataclass(frozen=True, slots=True)
class Platform:
    """For which Python and machine the dependencies are: uv's options, and a name for the cache."""

    name: str
    uv_options: tuple[str, ...]

    @classmethod
    def of(cls, target: Target) -> "Platform":
        """AWS: arm64 and the runtime's Python. Local: this interpreter."""
        if target is Target.AWS:
            system = "aarch64-manylinux_2_34"  # Amazon Linux 2023
            python = TARGETS[target].runtime.name.removeprefix("python")
            return cls(
                f"{system}-{python}", ("--python-platform", system, "--python-version", python)
            )
        tag = f"{sys.platform}-{platform.machine()}-{sys.implementation.cache_tag}"
        return cls(tag, ("--python", sys.executable))


@dataclass(frozen=True)
class CachingBundler:
    """Builds bundles into a folder and reuses what is there."""

    target: Target
    cache: Path
    root: Path = REPOSITORY_ROOT
    _built: dict[str, Path] = field(default_factory=dict)

    def code(self, bundle: str) -> lambda_.Code:
        """The bundle as an asset whose hash is the content's own."""
        path = self.build(bundle)
        return lambda_.Code.from_asset(
            str(path), asset_hash=path.stem.rpartition("-")[2], asset_hash_type=AssetHashType.CUSTOM
        )

    def build(self, bundle: str) -> Path:
        """The bundle's zip file, `<cache>/<bundle>-<hash>.zip`; built if it is not there.

        Raises:
            BundlingError: no requirements file, no uv, a package that cannot be had, or more
                than Lambda takes.
        """
        if bundle in self._built:
            return self._built[bundle]
        requirements = self._requirements(bundle)
        sources = list(self._sources(bundle))
        digest = archives.digest(
            self._dependencies_key(requirements),
            *(part for name, path in sources for part in (name, path.read_bytes())),
        )
        path = self.cache / f"{bundle}-{digest}.zip"
        if not path.exists():
            dependencies = self._dependencies(bundle, requirements)
            with _appearing(path) as half_done:
                shutil.copyfile(dependencies, half_done)
                archives.add(half_done, sources)
                _check_size(bundle, half_done)
            self._forget_old(bundle)
        self._built[bundle] = path
        return path

    def _forget_old(self, bundle: str) -> None:
        """Keep the newest few: both targets, and what another synthesis may be reading."""
        built = sorted(self.cache.glob(f"{bundle}-*.zip"), key=lambda path: path.stat().st_mtime)
        for path in built[:-_KEPT]:
            path.unlink(missing_ok=True)

    def _requirements(self, bundle: str) -> Path:
        path = self.root / "lambdas" / bundle / "requirements.txt"
        if not path.is_file():
            raise BundlingError(f"{path} does not exist: compile it with `make lock`")
        return path

    def _sources(self, bundle: str) -> Iterator[tuple[str, Path]]:
        """Our own files of a bundle: name in the zip and path, in order."""
        yield "lambdas/__init__.py", self.root / "lambdas" / "__init__.py"
        upon = [f"lambdas/{_UPON[bundle]}"] if bundle in _UPON else []
        for folder in ("areyouacat", f"lambdas/{bundle}", *upon, "lambdas/shared"):
            for name, path in _files(self.root / folder):
                if not name.startswith("requirements."):
                    yield f"{folder}/{name}", path

    def _dependencies_key(self, requirements: Path) -> str:
        return archives.digest(_FORMAT, Platform.of(self.target).name, requirements.read_bytes())

    def _dependencies(self, bundle: str, requirements: Path) -> Path:
        """The zip of the installed requirements, shared by bundles with equal ones."""
        path = self.cache / f"dependencies-{self._dependencies_key(requirements)}.zip"
        if not path.exists():
            self.cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.cache) as folder:
                self._install(bundle, requirements, Path(folder))
                with _appearing(path) as half_done:
                    archives.add(half_done, _files(Path(folder)))
        return path

    def _install(self, bundle: str, requirements: Path, folder: Path) -> None:
        """Install with uv: from its cache if everything is there, else from the registry.

        Hashes are required, so both ways give the same files; the first works offline.
        """
        command = [
            *_uv(), "pip", "install", "--quiet", "--target", str(folder),
            "--requirements", str(requirements), "--require-hashes", "--only-binary", ":all:",
            "--no-deps", "--link-mode", "copy", *Platform.of(self.target).uv_options,
        ]  # fmt: skip
        offline = subprocess.run([*command, "--offline"], capture_output=True, check=False)
        if offline.returncode == 0:
            return
        online = subprocess.run(command, capture_output=True, text=True, check=False)
        if online.returncode:
            raise BundlingError(
                f"cannot install {requirements} for the bundle {bundle}; a first build needs the "
                f"package registry, later ones only uv's cache:\n{online.stderr.strip()}"
            )


def _uv() -> list[str]:
    """uv's program: `$UV`, else from the PATH."""
    program = os.environ.get("UV") or shutil.which("uv")
    if not program:
        raise BundlingError("uv is missing: install it with `pip install uv`, or set UV to it")
    return [program]


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Files below a folder without the noise: name relative to it and path, in order."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if (
            path.is_file()
            and not _NOISE_FOLDERS.intersection(relative.parts[:-1])
            and path.suffix not in _NOISE_SUFFIXES
            and path.name not in _NOISE_FILES
        ):
            yield relative.as_posix(), path


def _check_size(bundle: str, archive: Path) -> None:
    with zipfile.ZipFile(archive) as zip_file:
        megabytes = sum(entry.file_size for entry in zip_file.infolist()) / 2**20
    if megabytes > LAMBDA_UNZIPPED_LIMIT_MB:
        raise BundlingError(
            f"the bundle {bundle} unzips to {megabytes:.0f} MB and Lambda takes "
            f"{LAMBDA_UNZIPPED_LIMIT_MB} MB: remove a dependency from its requirements.in"
        )


class _appearing:  # noqa: N801 - reads as a verb in `with _appearing(path)`
    """A path that appears whole or not at all: written beside, then renamed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._half_done = path.with_name(f".{path.name}.{os.getpid()}")

    def __enter__(self) -> Path:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._half_done.unlink(missing_ok=True)
        return self._half_done

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if error_type is None:
            self._half_done.replace(self._path)
        else:
            self._half_done.unlink(missing_ok=True)
