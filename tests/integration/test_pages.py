"""The client in a real browser, on the local cloud: what a person does, sees and can reach.

The name puts this file after those of this folder that need the first model's quiet.
"""

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps
from playwright.sync_api import Browser, expect

from areyouacat.settings import LABELS
from tests.browser import accessibility
from tests.browser.visits import visiting
from tests.integration.instance import Instance


@pytest.fixture(scope="module")
def url(trained: Instance) -> str:
    return str(trained.endpoints["ui_url"])


def flipped(starter: Path, label: str) -> bytes:
    """A photo that nobody has shown yet: one of the starter's left to right, as a JPEG."""
    smallest = min((starter / label).iterdir(), key=lambda path: (path.stat().st_size, path.name))
    buffer = io.BytesIO()
    with Image.open(smallest) as image:
        ImageOps.mirror(image.convert("RGB")).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def stored(cloud: Instance, photo: bytes) -> dict[str, Any]:
    """The item of the newest prediction of a photo in the table."""
    name = hashlib.sha256(photo).hexdigest()
    pages = (
        cloud.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=cloud.endpoints["predictions_table"])
    )
    found = [item for page in pages for item in page["Items"] if name in str(item.get("photo"))]
    return max(found, key=lambda item: item["predicted_at"]["S"])


def test_a_person_asks_sees_why_says_that_it_is_wrong_and_takes_it_back(
    trained: Instance, starter: Path, browser: Browser, url: str, tmp_path: Path
) -> None:
    photo = flipped(starter, LABELS.positive)

    with visiting(browser, url, keep=tmp_path) as visit:
        page = visit.page
        visit.open("")
        visit.show_photo(photo)
        expect(page.get_by_role("heading", name=f"This is {LABELS.positive_words}")).to_be_visible()

        with_map = page.get_by_role("img", name="Colours show the parts that decided")
        expect(with_map).to_be_visible()
        coloured = with_map.get_attribute("src")
        page.get_by_text("Show what decided").click()
        expect(with_map).to_have_count(0)  # while it goes, both pictures may stand there
        plain = page.get_by_role("img", name="Your photo")
        expect(plain).to_be_visible()
        assert plain.get_attribute("src") != coloured

        page.get_by_role("button", name="Wrong").click()
        expect(page.get_by_text(f"Noted as {LABELS.negative_words}")).to_be_visible()
        assert stored(trained, photo)["feedback_label"] == {"S": LABELS.negative}

        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("button", name="Wrong")).to_be_visible()
        assert "feedback_label" not in stored(trained, photo)
        visit.settle()
        assert accessibility.grave_findings(page) == []
        assert visit.problems == []
