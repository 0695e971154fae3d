"""The environments, and the registries that they come from."""

import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from local_cloud.doctor.finding import Finding, bad, ok, warn
from local_cloud.doctor.programs import Answer, ask

_PATIENCE: Final = 5
"""Seconds for one request; a registry that needs longer makes environments take hours."""
_ALTOGETHER: Final = 15.0


@dataclass(frozen=True, slots=True)
class Environment:
    """A folder that `make` makes, and the files that it is made from, relative to the project."""

    name: str
    folder: str
    sources: tuple[str, ...]


FOR_UP: Final = (
    Environment("app", ".venvs/app", ("requirements.txt",)),
    Environment("cloud", ".venvs/cloud", ("local_cloud/requirements.txt",)),
    Environment(
        "cdk", ".venvs/cdk", ("infra_cdk/cli/package-lock.json", "infra_cdk/cli/package.json")
    ),
)
OTHERS: Final = (
    Environment("development", ".venv", ("requirements-dev.txt",)),
    Environment("launch", ".venvs/launch", ("training_job/requirements-launch.txt",)),
    Environment("SDK", ".venvs/sdk", ("tests/requirements-sdk.txt",)),
    Environment("datasets", ".venvs/datasets", ("training_job/requirements-datasets.txt",)),
    Environment("audit", ".venvs/audit", (".ci/requirements-audit.txt",)),
)
"""Made by the commands that need them, so that only a broken one is worth a word."""


class Condition(Enum):
    """What an environment is like. `make` mends all but `BROKEN` by itself."""

    ABSENT = "not made yet"
    HALF = "half made: an earlier command was stopped"
    OLD = "older than the requirements"
    BROKEN = "its Python or its programs lead nowhere: Python or the project was moved"
    WHOLE = "whole"


def condition(root: Path, environment: Environment) -> Condition:
    """Look at one environment."""
    folder = root / environment.folder
    if not folder.exists():
        return Condition.ABSENT
    ready = folder / ".ready"
    if not ready.exists():
        return Condition.HALF
    if _leads_nowhere(folder):
        return Condition.BROKEN
    made = ready.stat().st_mtime
    sources = [root / source for source in environment.sources]
    if any(source.exists() and source.stat().st_mtime > made for source in sources):
        return Condition.OLD
    return Condition.WHOLE


def _leads_nowhere(folder: Path) -> bool:
    """Whether the interpreter is gone, or the first program's `#!` line names one that is."""
    programs = folder / "bin"
    python = programs / "python"
    if python.is_symlink() and not python.exists():
        return True
    for program in sorted(programs.glob("*")) if python.exists() else ():
        if program.is_symlink() or not program.is_file():
            continue
        with program.open("rb") as stream:
            first = stream.readline(500).decode(errors="replace").strip()
        if first.startswith("#!/") and first.endswith(("python", "python3")):
            return not Path(first[2:]).exists()
    return False


def environments(root: Path) -> list[Finding]:
    """One finding for each that `make up` needs, and for each other that is broken."""
    findings = []
    for environment in (*FOR_UP, *OTHERS):
        found = condition(root, environment)
        check = f"Environment {environment.name}"
        if found is Condition.BROKEN:
            remedy = f"rm -rf {environment.folder}, then the command that needs it makes it anew"
            findings.append(bad(check, found.value, remedy))
        elif environment in FOR_UP:
            findings.append(_of_up(check, found))
        elif found is Condition.HALF:
            findings.append(warn(check, found.value, "Its command makes it whole: run that again"))
    return findings


def _of_up(check: str, found: Condition) -> Finding:
    if found in {Condition.WHOLE, Condition.ABSENT}:
        return ok(check, found.value)
    return warn(check, found.value, "make up brings it up to date")


def all_made(root: Path, jobs: Path) -> bool:
    """Whether nothing is left to install. `jobs`: the folder of the jobs' environments."""
    have_jobs = jobs.is_dir() and any(folder.is_dir() for folder in jobs.iterdir())
    return have_jobs and all(condition(root, one) is Condition.WHOLE for one in FOR_UP)


def python_registry(uv: str | None, python: str, version: str, *, needed: bool) -> Finding:
    """Ask for uv's own package as `make` would, with the user's own settings of uv or pip."""
    if uv:
        answer = ask(
            [uv, "pip", "compile", "--quiet", "--no-deps", "--no-cache", "-"],
            seconds=_ALTOGETHER,
            given=f"uv=={version}",
            environment={"UV_HTTP_TIMEOUT": str(_PATIENCE), "UV_HTTP_RETRIES": "0"},
        )
    else:
        words = ["--no-input", "--disable-pip-version-check"]
        limits = ["--retries", "0", "--timeout", str(_PATIENCE)]
        command = [python, "-m", "pip", *words, *limits, "index", "versions"]
        answer = ask([*command, "uv"], seconds=_ALTOGETHER)
    settings = "UV_INDEX_URL, UV_OFFLINE, uv.toml" if uv else "PIP_INDEX_URL, pip config list"
    return _registry("Python packages", answer, settings, needed=needed)


def npm_registry(npm: str | None, pinned: str, *, needed: bool) -> Finding:
    """Ask for one pinned package as `make` would, with the user's own settings of npm."""
    if npm is None:
        return ok("npm packages", "not asked yet: npm comes with the app environment")
    limits = ["--fetch-retries=0", f"--fetch-timeout={_PATIENCE * 1000}"]
    answer = ask([npm, "view", pinned, "version", *limits], seconds=_ALTOGETHER)
    return _registry("npm packages", answer, "npm config get registry", needed=needed)


def _registry(check: str, answer: Answer, settings: str, *, needed: bool) -> Finding:
    if answer.worked:
        return ok(check, "the registry answers")
    remedy = f"Check the network, a proxy, and these settings: {settings}"
    if needed:
        return bad(check, answer.said, remedy)
    says = f"not in reach, and not needed: everything is made ({answer.said})"
    return warn(check, says, f"{remedy}. It matters once requirements change")


def pin(requirements: Path, name: str) -> str:
    """The version that a requirements file pins a package to."""
    lines = requirements.read_text().splitlines()
    found = next(line for line in lines if line.startswith(f"{name}=="))
    return found.split()[0].partition("==")[2]


def cli_pin(package: Path) -> str:
    """The CDK CLI as its `package.json` pins it, as `name@version`."""
    (name, version), *_ = json.loads(package.read_text())["devDependencies"].items()
    return f"{name}@{version}"
