"""`make audit`: every pinned package against the services that know vulnerabilities.

Ends with 0 if nothing is known that `audit-answers.toml` does not answer, with 1 if something is,
and with 3 if a service that has to be asked is silent: then nobody has looked.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from ci_tools.findings import AnswersError, Finding, complaints, read_answers
from ci_tools.locks import ROOT, npm_locks, python_locks
from ci_tools.services import NpmService, PythonService, SilentServiceError

CLEAN: Final = 0
TO_ANSWER: Final = 1
NOT_AUDITED: Final = 3


class Service(Protocol):
    """Something that knows vulnerabilities."""

    @property
    def name(self) -> str:
        """What to call it."""

    def check(self) -> None:
        """Raises SilentServiceError if it knows nothing."""

    def audit(self, locks: Mapping[str, Path]) -> list[Finding]:
        """What it knows of lock files. Raises SilentServiceError."""


def ask_first(services: Sequence[Service], locks: Mapping[str, Path]) -> list[Finding]:
    """What the first service that answers knows of the locks.

    Raises:
        SilentServiceError: none answers; the message names each.
    """
    silences = []
    for service in services:
        try:
            service.check()
            found = service.audit(locks)
        except SilentServiceError as error:
            silences.append(str(error))
        else:
            print(f"{service.name} was asked about {len(locks)} lock files: {len(found)} findings")
            return found
    raise SilentServiceError("; ".join(silences))


def audit(root: Path, python: Sequence[Service], npm: Sequence[Service]) -> int:
    """Audit a tree by what services know, the first that answers of each kind; the exit code."""
    try:
        answers = read_answers(root / ".ci" / "audit-answers.toml")
    except AnswersError as error:
        print(error, file=sys.stderr)
        return TO_ANSWER
    findings: list[Finding] = []
    silent = False
    for services, locks in ((python, python_locks(root)), (npm, npm_locks(root))):
        named = {path.relative_to(root).as_posix(): path for path in locks}
        try:
            findings += ask_first(services, named) if named else []
        except SilentServiceError as error:
            silent = True
            print(f"Not audited, {len(named)} lock files: {error}", file=sys.stderr)
    today = datetime.now(UTC).date()
    due = list(complaints(findings, answers, today, complete=not silent))
    for line in due:
        print(line, file=sys.stderr)
    if due:
        print("Move the pin (`make lock`), or answer in .ci/audit-answers.toml.", file=sys.stderr)
        return TO_ANSWER
    if silent:
        print("No verdict: run this where the services can be reached.", file=sys.stderr)
        return NOT_AUDITED
    print("Nothing is known that is not answered.")
    return CLEAN


def main() -> int:
    """Audit the tree that the command line names."""
    parser = argparse.ArgumentParser(description="Known vulnerabilities of what is pinned")
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--osv-url", help="an OSV service to ask alone, instead of the public ones")
    chosen = parser.parse_args()
    services = (
        [PythonService("osv", chosen.osv_url)]
        if chosen.osv_url
        else [PythonService("pypi"), PythonService("osv")]
    )
    return audit(chosen.root, services, [NpmService()])


if __name__ == "__main__":
    sys.exit(main())
