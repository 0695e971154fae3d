"""What a check found, and how it is said."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """`BAD` keeps something from working; `WARN` may, or costs something."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `remedy`: what to do, a command where there is one; empty if nothing is."""

    check: str
    level: Level
    says: str
    remedy: str = ""


def ok(check: str, says: str) -> Finding:
    """Nothing to do."""
    return Finding(check, Level.OK, says)


def warn(check: str, says: str, remedy: str) -> Finding:
    """Something to know; it goes on without the remedy."""
    return Finding(check, Level.WARN, says, remedy)


def bad(check: str, says: str, remedy: str) -> Finding:
    """Something that has to be mended first."""
    return Finding(check, Level.BAD, says, remedy)


def is_bad(findings: Sequence[Finding]) -> bool:
    """Whether anything has to be mended."""
    return any(finding.level is Level.BAD for finding in findings)


def as_json(findings: Sequence[Finding]) -> str:
    """One array of objects with `check`, `level`, `says` and `remedy`."""
    return json.dumps([asdict(finding) for finding in findings], indent=2)


def as_text(findings: Sequence[Finding]) -> str:
    """One line for each check, its remedy below it, and the verdict last."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:<5} {finding.check}: {finding.says}")
        if finding.remedy:
            lines.append(f"      {finding.remedy}")
    return "\n".join([*lines, "", _verdict(findings)])


def _verdict(findings: Sequence[Finding]) -> str:
    count = sum(finding.level is Level.BAD for finding in findings)
    if not count:
        return "Nothing keeps the local cloud from working. Next: make up"
    thing = "One thing is" if count == 1 else f"{count} things are"
    return f"{thing} in the way. Do what stands below each 'bad', then: make doctor"
