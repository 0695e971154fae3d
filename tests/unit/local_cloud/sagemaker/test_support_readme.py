"""The README has the table of what is honoured, ignored and refused."""

from pathlib import Path

import pytest

from local_cloud.sagemaker.requests import support

README = Path(__file__).parents[4] / "README.md"
OPERATIONS = list(support.TABLE)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_table_has_a_line_for_each_row(operation: str) -> None:
    head, rule, *lines = support.markdown(operation).splitlines()

    assert (head, rule) == ("| member | treatment | note |", "|---|---|---|")
    for line, member in zip(lines, support.TABLE[operation], strict=True):
        assert line.startswith(f"| `{member.path}` | {member.treatment.value} | ")
        assert all(f"`{value}`" in line for value in member.only)
        assert member.note in line
        assert member.otherwise in line
        assert line.count("|") == len(["before", "between", "between", "after"])


def test_the_readme_has_the_table_as_it_is() -> None:
    document = README.read_text()

    assert support.rewritten(document) == document, (
        "Write it anew: python -m local_cloud.sagemaker.requests.support README.md"
    )


def test_writing_the_table_touches_nothing_but_what_is_between_the_markers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "README.md"
    document.write_text(f"above\n{support.START}\nold\n{support.END}\nbelow\n")
    monkeypatch.setattr("sys.argv", ["support", str(document)])

    support.main()

    written = document.read_text()
    assert written.startswith(f"above\n{support.START}\n<details>")
    assert written.endswith(f"</details>\n{support.END}\nbelow\n")
    assert all(support.markdown(operation) in written for operation in OPERATIONS)
    assert "old" not in written.splitlines()


@pytest.mark.parametrize(
    "document",
    [
        "",
        support.START,
        support.END,
        f"{support.END}\n{support.START}",
        f"{support.START}\n{support.END}\n{support.START}\n{support.END}",
    ],
)
def test_a_document_without_its_two_markers_is_not_touched(document: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        support.rewritten(document)
