"""Find the browser that `tests/browser/environment.sh` made ready, and start it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

ROOT: Final = Path(__file__).resolve().parents[2]
ENVIRONMENT: Final = ROOT / ".venvs" / "browser"
NOBODY: Final = "none"
"""`CHROMIUM=none`: somebody does without the tests that need a browser."""
_FLAGS: Final = (
    "--no-sandbox",  # in a container Chromium may not make its own; the pages are ours
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)


class BrowserMissingError(Exception):
    """No browser starts; the message says what to do."""


class BrowserUnwantedError(BrowserMissingError):
    """`CHROMIUM=none`."""


def executable(environment: Mapping[str, str] = os.environ) -> Path:
    """The program that `CHROMIUM` names, else the one found when the environment was made.

    Raises `BrowserMissingError`.
    """
    named = environment.get("CHROMIUM")
    if named == NOBODY:
        raise BrowserUnwantedError("CHROMIUM=none: nothing is looked at in a browser.")
    found = shutil.which(named or ENVIRONMENT / "chromium")
    if found is None:
        raise BrowserMissingError(
            f"There is no Chromium at {named}, which CHROMIUM names."
            if named
            else "No Chromium was found. Install one (Debian: apt-get install chromium) and run "
            "`make test` again, or name one: make test CHROMIUM=/path/to/chromium. "
            "CHROMIUM=none skips what needs one."
        )
    return Path(found)


@contextmanager
def started() -> Iterator[Browser]:
    """A headless Chromium. Raises `BrowserMissingError`.

    While it runs, the thread has an event loop: nothing else can use asyncio there.
    """
    program = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()
