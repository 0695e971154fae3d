"""The pages for people: whatever they point to is there."""

import fnmatch
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
)
MADE_ON_THE_WAY: Final = {".git", ".local", ".venv", ".venvs", "cdk.out", "backup", "node_modules"}
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)

_FENCE: Final = re.compile(r"^(```+|~~~+)[^\n]*\n.*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_CODE: Final = re.compile(r"(`+)(.+?)\1")
_LINK: Final = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^()\s>]+)>?(?: \"[^\"]*\")?\)")
_HEADING: Final = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_NAMED: Final = re.compile(r"<a (?:id|name)=\"([^\"]+)\"")
_PATH: Final = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*/?")


def prose(text: str) -> str:
    """A page without its code blocks and code spans."""
    return _CODE.sub("", _FENCE.sub("", text))


def spans(text: str) -> list[str]:
    """What stands between backticks in a page's prose."""
    return [found.group(2).strip() for found in _CODE.finditer(_FENCE.sub("", text))]


def commands(text: str) -> str:
    """Every code block and code span of a page."""
    return "\n".join([*(found.group(0) for found in _FENCE.finditer(text)), *spans(text)])


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives a page's headings, and those that it names itself."""
    found: set[str] = set(_NAMED.findall(text))
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        same = sum(1 for other in found if re.fullmatch(rf"{re.escape(slug)}(-\d+)?", other))
        found.add(f"{slug}-{same}" if slug in found else slug)
    return found


def local_links(page: Path) -> Iterator[tuple[Path, str]]:
    """The files that a page links to, images included, each with an anchor or an empty one."""
    for link in _LINK.findall(prose(page.read_text())):
        if not re.match(r"[a-z][a-z+.-]*:", link):
            path, _, anchor = unquote(link).partition("#")
            yield ((page.parent / path).resolve() if path else page), anchor


def repository() -> Iterator[str]:
    """Every file and folder of the project, folders with a slash at the end."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in MADE_ON_THE_WAY]
        below = Path(folder).relative_to(ROOT)
        yield from (f"{(below / name).as_posix()}/" for name in folders)
        yield from ((below / name).as_posix() for name in files)


EVERYTHING: Final = frozenset(repository())
ROOMS: Final = frozenset(name for name in EVERYTHING if name.count("/") == 1 and name[-1] == "/")


def is_there(path: str) -> bool:
    """Whether the project has it: in full, or as the end of a path, as where a room is plain."""
    ends = {path, f"{path}/"} if not path.endswith("/") else {path}
    return any(
        fnmatch.fnmatchcase(known, pattern)
        for end in ends
        for pattern in (end, f"*/{end}")
        for known in EVERYTHING
    )


@each_page
def test_every_link_leads_to_a_file_that_is_there(page: Path) -> None:
    missing = [str(target) for target, _ in local_links(page) if not target.exists()]

    assert not missing


@each_page
def test_every_anchor_is_a_heading_of_the_page_it_leads_to(page: Path) -> None:
    missing = [
        f"{target.name}#{anchor}"
        for target, anchor in local_links(page)
        if anchor and target.suffix == ".md" and anchor not in anchors(target.read_text())
    ]

    assert not missing


@each_page
def test_every_make_target_that_is_named_is_in_the_makefile(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))

    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", commands(page.read_text())))

    assert named <= targets


@each_page
def test_every_path_of_the_project_that_is_named_is_there(page: Path) -> None:
    named = {span for span in spans(page.read_text()) if _PATH.fullmatch(span)}
    # Other names with a slash are keys in the lake, packages, or files that a command makes.
    ours = {path for path in named if path.endswith(".py") or path.startswith(tuple(ROOMS))}

    assert not [path for path in sorted(ours) if not is_there(path)]


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_every_page_is_linked_from_another(page: Path) -> None:
    linking = [
        other for other in PAGES if other != page and page in {to for to, _ in local_links(other)}
    ]

    assert linking


def test_every_picture_is_shown_somewhere() -> None:
    shown = {target for page in PAGES for target, _ in local_links(page)}

    assert not [file for file in (ROOT / "docs" / "images").iterdir() if file not in shown]


def test_anchors_are_made_as_github_makes_them() -> None:
    text = "# What's `new`?\n## A/B tests\n## A/B tests\n```\n# no heading\n```\n## Über uns\n"

    assert anchors(text) == {"whats-new", "ab-tests", "ab-tests-1", "über-uns"}


def test_links_in_code_are_no_links(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("`[a](b.md)` [c](d.md#e) [out](https://example.com)\n```\n[f](g.md)\n```\n")

    assert list(local_links(page)) == [(tmp_path / "d.md", "e")]
