"""Pictures of every page for the README: `python -m tests.browser.screenshots [folder]`.

Of the local cloud that runs, in each look: `<page>-<light|dark|phone>.png`. The first page is taken
with a photo of the starter set and its answer.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.chromium import ROOT, BrowserMissingError, started
from tests.browser.visits import LIGHT, LOOKS, Address, Look, Visit, visiting

FOLDER: Final = ROOT / "docs" / "images"
MOST_HEIGHT: Final = 1500
"""CSS pixels of a page that a picture shows, from its top."""
EXAMPLE: Final = "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb"
"""The starter photo that the first page is shown: scikit-image's Chelsea, in the public domain."""
_COLOURS: Final = 256


class NothingToShowError(Exception):
    """No local cloud runs; the message says what to do."""


def take(browser: Browser, url: str, photo: bytes, folder: Path) -> Iterator[Path]:
    """Write the pictures one after another; `photo`: a JPEG."""
    with visiting(browser, url, LIGHT) as visit:
        visit.open("")
        addresses = visit.addresses()
    for look in LOOKS:
        for address in addresses:
            file = folder / f"{address.name.lower().replace(' ', '-')}-{look.name}.png"
            with visiting(browser, url, look) as visit:
                file.write_bytes(_picture(visit, address, look, photo))
            yield file


def _picture(visit: Visit, address: Address, look: Look, photo: bytes) -> bytes:
    visit.open(address.path)
    if not address.path:
        visit.show_photo(photo)
        expect(visit.page.get_by_role("img", name="Your photo").first).to_be_visible()
        visit.settle()
    unsure = visit.page.get_by_role("radio", name="Unsure photos")
    if unsure.count():  # a fresh cloud has no labels that wait for a person
        unsure.click()
        visit.settle()
    height = min(max(visit.full_height(), look.height), MOST_HEIGHT)
    visit.page.set_viewport_size({"width": look.width, "height": height})
    visit.settle()
    return smaller(visit.page.screenshot(animations="disabled", scale="css"))


def smaller(picture: bytes) -> bytes:
    """A PNG of so many colours that nobody misses one, at a third of the bytes."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").quantize(_COLOURS).save(file, "PNG", optimize=True)
    return file.getvalue()


def endpoints() -> tuple[str, Path]:
    """The client's address, and the folder of the starter photos, of the local cloud.

    Raises `NothingToShowError`.
    """
    state = Path(os.environ.get("LOCAL_STATE_DIR") or ROOT / ".local")
    try:
        known = json.loads((state / "endpoints.json").read_text(encoding="utf-8"))
        return str(known["ui_url"]), state / "starter"
    except (OSError, ValueError, KeyError) as error:
        raise NothingToShowError("No local cloud is there: run `make up` first.") from error


def example(starter: Path) -> bytes:
    """The example as a JPEG. Raises `NothingToShowError`."""
    file = next(starter.glob(f"*/{EXAMPLE}.*"), None)
    if file is None:
        raise NothingToShowError("The starter photos are not there: run `make up` first.")
    buffer = io.BytesIO()
    with Image.open(file) as image:
        image.convert("RGB").save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 if all were taken, 1 if something is missing, which is said."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.browser.screenshots", description="Pictures of every page."
    )
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    folder: Path = parser.parse_args(arguments).folder
    try:
        url, starter = endpoints()
        photo = example(starter)
        folder.mkdir(parents=True, exist_ok=True)
        with started() as browser:
            for file in take(browser, url, photo, folder):
                sys.stdout.write(f"{file} ({file.stat().st_size / 1000:.0f} kB)\n")
    except (NothingToShowError, BrowserMissingError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
