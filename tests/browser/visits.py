"""A person's visit to the client: a browser window of some look, that waits until a page is still.

Waiting is for what the page itself says: that Streamlit's script has run, that nothing is on its
way, and that nothing has changed for a moment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, FilePayload, Page, Response, expect

TIMEOUT_MS: Final = 30_000
expect.set_options(timeout=TIMEOUT_MS)  # its own patience is 5 s, less than a cold start may take

QUIET_MS: Final = 400
"""Without a change, after which a page whose script has run is still."""


@dataclass(frozen=True)
class Look:
    """How a person looks at the pages. `width`, `height`: of the window, in CSS pixels."""

    name: str
    width: int
    height: int
    scheme: str


LIGHT: Final = Look("light", 1200, 900, "light")
DARK: Final = Look("dark", 1200, 900, "dark")
PHONE: Final = Look("phone", 390, 844, "light")
LOOKS: Final = (LIGHT, DARK, PHONE)

_WATCH: Final = """
window.changedAt = 0;
window.shifted = 0;
new MutationObserver(() => { window.changedAt = performance.now(); }).observe(
    document, {subtree: true, childList: true, characterData: true, attributes: true});
new PerformanceObserver((seen) => {
    for (const one of seen.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
}).observe({type: "layout-shift", buffered: true});
"""
_IS_STILL: Final = """(quiet) => {
    const app = document.querySelector('[data-testid="stApp"]');
    if (!app || app.dataset.testScriptState !== "notRunning") return false;
    if (app.dataset.testConnectionState !== "CONNECTED") return false;
    const waiting = '[data-testid="stSkeleton"], [data-testid="stAppSkeleton"], '
        + '[data-testid="stSpinner"], [data-stale="true"]';
    if (document.querySelector(waiting) || !document.querySelector("h1")) return false;
    if (document.fonts.status !== "loaded") return false;
    if ([...document.images].some((image) => !image.complete)) return false;
    return performance.now() - window.changedAt > quiet;
}"""


@dataclass(frozen=True)
class Address:
    """A page as the navigation names it, and its path on the server; the first one's is empty."""

    name: str
    path: str


@dataclass
class Visit:
    """One window. `problems`: what the browser complained about: console, scripts, answers."""

    page: Page
    url: str
    look: Look
    problems: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to a page of the client by its address, and wait until it is there."""
        self.page.goto(f"{self.url.rstrip('/')}/{path}")
        self.settle()

    def settle(self) -> None:
        """Wait until everything that is on its way has come."""
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_function(_IS_STILL, arg=QUIET_MS)

    def addresses(self) -> list[Address]:
        """Every page that the navigation leads to, in its order; the window has to be wide."""
        links = self.page.get_by_role("navigation").get_by_role("link")
        return [
            Address(
                link.inner_text().split("\n")[-1].strip(),  # before it, the icon's name
                urlsplit(str(link.get_attribute("href"))).path.strip("/"),
            )
            for link in links.all()
        ]

    def show_photo(self, photo: bytes) -> None:
        """Give the first page a JPEG, as if a person had chosen the file."""
        file = FilePayload(name="photo.jpg", mimeType="image/jpeg", buffer=photo)
        self.page.locator("input[type=file]").first.set_input_files(file)

    def seconds_to_last_change(self) -> float:
        """From the moment the address was entered until the page had its present face."""
        return float(self.page.evaluate("window.changedAt")) / 1000

    def shifted(self) -> float:
        """The cumulative layout shift so far; what follows a gesture within 0.5 s is no part."""
        return float(self.page.evaluate("window.shifted"))

    def is_wider_than_window(self) -> bool:
        """Whether one has to scroll sideways to see all of the page."""
        wider: bool = self.page.evaluate(
            """() => [document.scrollingElement, document.querySelector('[data-testid="stMain"]')]
                .some((one) => one.scrollWidth > one.clientWidth)"""
        )
        return wider

    def full_height(self) -> int:
        """How high the page is, all of it: Streamlit scrolls inside the window."""
        height: int = self.page.evaluate(
            """() => {
                const main = document.querySelector('[data-testid="stMain"]');
                return window.innerHeight - main.clientHeight + main.scrollHeight;
            }"""
        )
        return height

    def keep(self, folder: Path) -> None:
        """Put a picture, the page's text as a screen reader gets it, and the problems there."""
        name = re.sub(r"\W+", "-", urlsplit(self.page.url).path).strip("-") or "first"
        self.page.screenshot(path=folder / f"{name}-{self.look.name}.png")
        log = [self.page.url, *self.problems, self.page.locator("body").aria_snapshot()]
        (folder / f"{name}-{self.look.name}.txt").write_text("\n".join(log), encoding="utf-8")

    def _hear(self, said: ConsoleMessage) -> None:
        where = str(said.location.get("url"))
        if said.type == "error" and "/_stcore/" not in where:
            self.problems.append(f"console: {said.text} ({where})")

    def _see(self, answer: Response) -> None:
        # Streamlit's page asks for its server at each level of its own address.
        if answer.status >= 400 and "/_stcore/" not in answer.url:
            self.problems.append(f"{answer.status}: {answer.url}")


@contextmanager
def visiting(
    browser: Browser, url: str, look: Look = LIGHT, keep: Path | None = None
) -> Iterator[Visit]:
    """A window without a past. If something goes wrong inside, `keep` gets a picture and a log."""
    context = browser.new_context(
        viewport={"width": look.width, "height": look.height},
        color_scheme="dark" if look.scheme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="Europe/London",
    )
    context.set_default_timeout(TIMEOUT_MS)
    context.add_init_script(_WATCH)
    visit = Visit(context.new_page(), url, look)
    visit.page.on("console", visit._hear)  # its own
    visit.page.on("pageerror", lambda error: visit.problems.append(f"script: {error}"))
    visit.page.on("response", visit._see)
    try:
        yield visit
    except BaseException:
        if keep is not None:
            visit.keep(keep)
        raise
    finally:
        context.close()
