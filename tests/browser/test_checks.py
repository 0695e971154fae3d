"""That what is found fault with is found, so that a page without findings means something."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import accessibility
from tests.browser.chromium import BrowserMissingError, BrowserUnwantedError, executable
from tests.browser.visits import visiting

GOOD = '<html lang="en"><title>A page</title><main><h1>Words</h1>{}</main></html>'


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    with visiting(browser, "about:blank", keep=tmp_path) as visit:
        yield visit.page


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ('<p style="color: #999">Pale words</p>', "color contrast"),
        ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', "alternative text"),
        ("<button></button>", "discernible text"),
    ],
    ids=["pale words", "a picture without words", "a button without words"],
)
def test_what_is_hard_to_read_is_found(page: Page, html: str, said: str) -> None:
    page.set_content(GOOD.format(html))

    (found,) = accessibility.grave_findings(page)
    assert said in found


def test_what_only_a_mouse_reaches_is_found(page: Page) -> None:
    reached = '<a href="#">One</a><button disabled>Off</button><input type="radio">'
    page.set_content(GOOD.format(reached + '<div role="button">Three</div>'))

    assert accessibility.missed_by_tab(page) == ["Three"]


def test_a_page_that_can_be_read_and_reached_has_no_findings(page: Page) -> None:
    page.set_content(GOOD.format('<button>Do it</button> <a href="#">Words</a>'))

    assert accessibility.grave_findings(page) == []
    assert accessibility.missed_by_tab(page) == []


def test_a_page_with_nothing_to_use_is_found(page: Page) -> None:
    page.set_content(GOOD.format(""))

    assert accessibility.missed_by_tab(page) == ["there is nothing on this page that can be used"]


def test_what_a_page_complains_about_is_kept_with_a_picture_where_a_test_fails(
    browser: Browser, tmp_path: Path
) -> None:
    def fail() -> None:
        with visiting(browser, "about:blank", keep=tmp_path) as visit:
            visit.page.set_content("<script>console.error('It is broken')</script>")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    (log,) = tmp_path.glob("*.txt")
    assert "It is broken" in log.read_text()
    assert len(list(tmp_path.glob("*.png"))) == 1


def test_a_browser_that_is_named_and_not_there_is_no_other_one(tmp_path: Path) -> None:
    with pytest.raises(BrowserMissingError, match=f"no Chromium at {tmp_path}"):
        executable({"CHROMIUM": str(tmp_path / "chromium")})


def test_somebody_may_do_without_a_browser() -> None:
    with pytest.raises(BrowserUnwantedError):
        executable({"CHROMIUM": "none"})
