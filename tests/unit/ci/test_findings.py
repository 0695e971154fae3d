"""Known vulnerabilities against the answers given to them."""

from datetime import date
from pathlib import Path

import pytest
from ci_tools.findings import Answer, AnswersError, Finding, complaints, read_answers
from ci_tools.locks import ROOT

TODAY = date(2026, 12, 1)
FINDING = Finding("urllib3", "1.24.1", ("PYSEC-1", "CVE-1"), "fixed in 1.24.2", ("a.txt",))


def answer(
    id: str = "CVE-1",  # noqa: A002
    package: str = "urllib3",
    until: date = TODAY,
) -> Answer:
    return Answer(id, package, date(2026, 11, 1), until, "never opens a URL of a stranger's")


def said(findings: list[Finding], answers: list[Answer], *, complete: bool = True) -> list[str]:
    return list(complaints(findings, answers, TODAY, complete=complete))


def test_a_finding_without_an_answer_is_to_be_answered() -> None:
    (line,) = said([FINDING], [])

    assert line == (
        "not answered: urllib3 1.24.1: PYSEC-1, CVE-1; fixed in 1.24.2; pinned in a.txt"
    )


def test_an_answer_counts_by_any_of_the_names_until_its_day_is_over() -> None:
    assert said([FINDING], [answer()]) == []
    assert said([FINDING], [answer("PYSEC-1")]) == []


def test_an_answer_to_another_package_or_another_hole_does_not_count() -> None:
    assert len(said([FINDING], [answer(package="requests")], complete=False)) == 1
    assert len(said([FINDING], [answer("CVE-2")], complete=False)) == 1


def test_an_answer_ends() -> None:
    (line,) = said([FINDING], [answer(until=date(2026, 11, 30))])

    assert line.startswith("answered until 2026-11-30, which is past: urllib3")


def test_an_answer_whose_finding_has_gone_is_to_be_taken_out() -> None:
    assert said([], [answer()]) == ["answered, and gone: CVE-1 of urllib3; take the answer out"]


def test_no_answer_is_called_gone_while_a_service_is_silent() -> None:
    assert said([], [answer()], complete=False) == []


def test_the_answers_of_the_tree_are_of_their_form() -> None:
    read_answers(ROOT / ".ci" / "audit-answers.toml")


ROW = """[[answer]]
id = "CVE-1"
package = "urllib3"
found = 2026-11-01
until = {until}
reason = "{reason}"
"""


def test_an_answer_is_read(tmp_path: Path) -> None:
    file = tmp_path / "answers.toml"
    file.write_text(ROW.format(until="2027-02-01", reason="why"))

    assert read_answers(file) == [
        Answer("CVE-1", "urllib3", date(2026, 11, 1), date(2027, 2, 1), "why")
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ROW.format(until="2027-02-01", reason=" "), "reason is missing"),
        (ROW.format(until="2027-06-01", reason="why"), "at most 184 days"),
        (ROW.format(until="2026-10-01", reason="why"), "at most 184 days"),
        (ROW.format(until='"2027-02-01"', reason="why"), "are days"),
        (ROW.format(until="2027-02-01", reason="why") + "extra = 1\n", "extra"),
        ("[[answer]]\nid = 'CVE-1'\n", "missing"),
        ("[[answer", "answers.toml"),
    ],
)
def test_an_answer_of_another_form_is_refused(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "answers.toml"
    file.write_text(text)

    with pytest.raises(AnswersError, match=told):
        read_answers(file)
