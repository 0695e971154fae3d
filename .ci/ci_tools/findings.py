"""Known vulnerabilities, the answers given to them, and what is left to answer."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

LONGEST_ANSWER: Final = timedelta(days=184)
"""Half a year; then somebody looks again."""


class AnswersError(ValueError):
    """The list of answers is not of its form; the message says where."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A pinned package with a known vulnerability. `ids`: every name the vulnerability has."""

    package: str
    version: str
    ids: tuple[str, ...]
    remedy: str
    locks: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.package} {self.version}: {', '.join(self.ids)}; {self.remedy}; "
            f"pinned in {', '.join(self.locks)}"
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """Why a finding may stay, from when and until when."""

    id: str
    package: str
    found: date
    until: date
    reason: str

    def meets(self, finding: Finding) -> bool:
        """Whether this answers that finding."""
        return self.package == finding.package and self.id in finding.ids


def read_answers(file: Path) -> list[Answer]:
    """The answers of a TOML file.

    Raises:
        AnswersError: no TOML, an unknown or missing field, no reason, or too long a time.
    """
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8")).get("answer", [])
        answers = [Answer(**row) for row in rows]
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise AnswersError(f"{file.name}: {error}") from error
    for answer in answers:
        if type(answer.found) is not date or type(answer.until) is not date:
            raise AnswersError(f"{file.name}: {answer.id}: `found` and `until` are days")
        if not str(answer.reason).strip():
            raise AnswersError(f"{file.name}: {answer.id}: the reason is missing")
        if not answer.found <= answer.until <= answer.found + LONGEST_ANSWER:
            raise AnswersError(
                f"{file.name}: {answer.id}: `until` is at most {LONGEST_ANSWER.days} days "
                "after `found`"
            )
    return answers


def complaints(
    findings: Sequence[Finding], answers: Sequence[Answer], today: date, *, complete: bool
) -> Iterator[str]:
    """One sentence for each finding that no answer meets, and for each answer that has had its day.

    `complete`: every service has spoken, so that an answer without a finding has none to meet.
    """
    for finding in findings:
        met = [answer for answer in answers if answer.meets(finding)]
        if not met:
            yield f"not answered: {finding}"
        elif all(answer.until < today for answer in met):
            yield f"answered until {max(answer.until for answer in met)}, which is past: {finding}"
    for answer in answers if complete else ():
        if not any(answer.meets(finding) for finding in findings):
            yield f"answered, and gone: {answer.id} of {answer.package}; take the answer out"
