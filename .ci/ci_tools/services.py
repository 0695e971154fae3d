"""The services that know vulnerabilities, asked through pip-audit and npm.

A service that is silent looks like one that has found nothing: pip-audit passes over a package
that its service does not know, and ends well. So each is first asked about a release with
well-known holes, and one that knows of none is taken for a service that is not there.
"""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ci_tools.findings import Finding
from ci_tools.locks import Pin, normalised, npm_packages, python_pins

_HOLED_PYTHON: Final = "urllib3==1.24.1"  # CVE-2019-11236 and more, none of them in doubt
_HOLED_NPM: Final = ("lodash", "4.17.11")  # CVE-2019-10744 and more
_SECONDS: Final = 900


class SilentServiceError(Exception):
    """A service cannot be reached, or does not know what everybody knows."""


class PythonService:
    """One of the services that pip-audit can ask: `pypi` or `osv`."""

    def __init__(self, name: str, osv_url: str | None = None) -> None:
        """`osv_url`: where an OSV service answers, if not at its usual place."""
        self.name = name
        self._options = ["--vulnerability-service", name]
        if osv_url:
            self._options += ["--osv-url", osv_url]

    def check(self) -> None:
        """Ask about a package with well-known holes. Raises SilentServiceError."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "holed.txt"
            file.write_text(f"{_HOLED_PYTHON}\n")
            found = self._ask(["--no-deps", "--requirement", str(file)])
        if not any(package.get("vulns") for package in found):
            raise SilentServiceError(f"{self.name} knows of no hole in {_HOLED_PYTHON}")

    def audit(self, locks: Mapping[str, Path]) -> list[Finding]:
        """What is known of the packages of lock files, given by the name to call each by.

        Raises:
            SilentServiceError: the service fails, or passes over a package.
        """
        options = [part for path in locks.values() for part in ("--requirement", str(path))]
        packages = self._ask(["--require-hashes", *options])
        passed_over = sorted(p["name"] for p in packages if "skip_reason" in p)
        if passed_over:
            raise SilentServiceError(f"{self.name} does not know {', '.join(passed_over)}")
        places = _places({name: python_pins(path.read_text()) for name, path in locks.items()})
        return list(_python_findings(packages, places))

    def _ask(self, arguments: Sequence[str]) -> list[dict[str, Any]]:
        command = [
            sys.executable, "-m", "pip_audit", "--disable-pip", "--progress-spinner", "off",
            "--format", "json", "--aliases", "on", "--desc", "off", *self._options, *arguments,
        ]  # fmt: skip
        done = _run(command, Path.cwd())
        try:
            packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
        except (ValueError, KeyError) as error:
            raise SilentServiceError(f"{self.name}: {_last_words(done.stderr)}") from error
        return packages


class NpmService:
    """The advisories of npm's registry."""

    name: Final = "npm"

    def check(self) -> None:
        """Ask about a package with well-known holes. Raises SilentServiceError."""
        name, version = _HOLED_NPM
        root = {"name": "holed", "version": "1.0.0", "dependencies": {name: version}}
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "package.json").write_text(json.dumps(root))
            lock = {
                "name": "holed",
                "version": "1.0.0",
                "lockfileVersion": 3,
                "packages": {"": root, f"node_modules/{name}": {"version": version}},
            }
            (Path(folder) / "package-lock.json").write_text(json.dumps(lock))
            found = self._ask(Path(folder))
        if not found:
            raise SilentServiceError(f"npm knows of no hole in {name} {version}")

    def audit(self, locks: Mapping[str, Path]) -> list[Finding]:
        """What is known of the packages of lock files. Raises SilentServiceError."""
        return [
            finding
            for lock, path in locks.items()
            for finding in _npm_findings(self._ask(path.parent), lock, path.read_text())
        ]

    def _ask(self, folder: Path) -> dict[str, Any]:
        done = _run(["npm", "audit", "--package-lock-only", "--json"], folder)
        try:
            answer = json.loads(done.stdout)
            found: dict[str, Any] = answer["vulnerabilities"]
        except ValueError as error:
            raise SilentServiceError(f"npm: {_last_words(done.stderr)}") from error
        except KeyError as error:
            raise SilentServiceError(f"npm: {answer.get('message', 'no report')}") from error
        return found


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SilentServiceError(f"{command[0]}: {error}") from error


def _last_words(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no answer"


def _places(pins: Mapping[str, Sequence[Pin]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Which lock files pin a release."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for lock, pinned in pins.items():
        for pin in pinned:
            found[pin.name, pin.version].append(lock)
    return {release: tuple(locks) for release, locks in found.items()}


def _python_findings(
    packages: Sequence[Mapping[str, Any]], places: Mapping[tuple[str, str], tuple[str, ...]]
) -> Iterator[Finding]:
    for package in packages:
        name, version = normalised(package["name"]), package["version"]
        for hole in package["vulns"]:
            fixed = ", ".join(hole["fix_versions"])
            yield Finding(
                name,
                version,
                tuple(dict.fromkeys((hole["id"], *hole.get("aliases", ())))),
                f"fixed in {fixed}" if fixed else "not fixed yet",
                places.get((name, version), ()),
            )


def _npm_findings(
    vulnerable: Mapping[str, Mapping[str, Any]], lock: str, text: str
) -> Iterator[Finding]:
    """npm's report lists a hole again for each package that needs the one with the hole."""
    known = npm_packages(text)
    for name, package in vulnerable.items():
        versions = sorted({known[place]["version"] for place in package["nodes"]})
        for hole in package["via"]:
            if isinstance(hole, dict):
                yield Finding(
                    name,
                    ", ".join(versions),
                    (hole["url"].rpartition("/")[2],),
                    f"{hole['title']}, in {hole['range']}",
                    (lock,),
                )
