"""What people do with the client, in a real browser and to the end; the tests follow each other.

train -> version 2 -> roll back -> label what the model was unsure about -> every page in every look
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from areyouacat.lake import LABELS_PREFIX, LabelRecord, load_shard, sha256_hex
from areyouacat.review_queue import REVIEW_SOURCE
from areyouacat.settings import LABELS, UNSURE
from tests.browser import accessibility
from tests.browser.visits import LOOKS, PHONE, Visit, visiting
from tests.integration.instance import Instance, eventually
from ui.views.label import NEGATIVE_KEY, UNDO_KEY
from ui.views.label import UNSURE as UNSURE_PHOTOS

pytestmark = pytest.mark.slow

TRAINING_MS: Final = 600_000
MOVING_MS: Final = 120_000
MOST_SHIFT: Final = 0.1  # of the cumulative layout shift: what web.dev/cls calls good


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A local cloud as `make up` leaves it: version 1 of the starter photos serves."""
    instance = Instance(tmp_path_factory.mktemp("journeys"))
    try:
        instance.up()
        yield instance
    finally:
        instance.close()


@pytest.fixture(scope="module")
def url(cloud: Instance) -> str:
    return str(cloud.endpoints["ui_url"])


def serving(cloud: Instance) -> str:
    return str(cloud.call("GET", "model").body["model"]["version"])


def test_a_person_starts_a_training_leaves_finds_it_again_and_sees_the_new_version(
    cloud: Instance, browser: Browser, url: str, tmp_path: Path
) -> None:
    assert serving(cloud) == "1"
    with visiting(browser, url, keep=tmp_path) as visit:
        page = visit.page
        visit.open("training")
        page.get_by_role("button", name="Start a training").click()
        page.get_by_role("textbox", name="Why?").fill("new photos from the garden")
        page.get_by_role("textbox", name="Why?").press("Enter")
        page.get_by_role("button", name="Start it").click()
        expect(page.get_by_role("heading", name="Running")).to_be_visible()
        expect(page.get_by_text("new photos from the garden").first).to_be_visible()
        address = page.url
        assert "execution=" in address

        page.get_by_role("link", name="Models").click()
        expect(page.get_by_role("heading", name="Models")).to_be_visible()
        page.goto(address)
        expect(page.get_by_role("heading", name="Running")).to_be_visible()
        graph = page.get_by_role("img", name=re.compile("A workflow of"))
        expect(graph).to_have_accessible_name(re.compile("TrainModel running"), timeout=TRAINING_MS)
        expect(page.get_by_text("InProgress").first).to_be_visible()

        expect(page.get_by_role("heading", name="Succeeded")).to_be_visible(timeout=TRAINING_MS)
        expect(page.get_by_text("Model version 2 is serving.")).to_be_visible()
        expect(graph).to_have_accessible_name(re.compile("DeployModel done"))
        expect(page.get_by_text("Quality gate.")).to_be_visible()
        assert serving(cloud) == "2"

        visit.open("models")
        expect(page.get_by_text(re.compile(r"Version 2 \(champion\) answers"))).to_be_visible()
        assert visit.problems == []


def test_a_person_rolls_back_and_the_version_before_answers(
    cloud: Instance, browser: Browser, url: str, tmp_path: Path
) -> None:
    with visiting(browser, url, keep=tmp_path) as visit:
        page = visit.page
        visit.open("models")
        page.get_by_role("button", name="Go back to version 1").click()
        page.get_by_role("textbox", name="Why?").fill("it takes my dog for one")
        page.get_by_role("textbox", name="Why?").press("Enter")
        page.get_by_role("button", name="Yes, go back to version 1").click()

        expect(page.get_by_text(re.compile(r"Version 1 \(champion\) answers"))).to_be_visible(
            timeout=MOVING_MS
        )
        expect(page.get_by_text("it takes my dog for one").first).to_be_visible(timeout=MOVING_MS)
        assert serving(cloud) == "1"
        assert visit.problems == []


def unsure_about(cloud: Instance, photo: bytes) -> str:
    """Have a photo judged, and mark the answer as one the model was not sure of; its name."""
    answer = cloud.predict(photo)
    assert answer.status == 200, answer.body
    cloud.client("dynamodb").update_item(
        TableName=cloud.endpoints["predictions_table"],
        Key={"prediction_id": {"S": answer.body["prediction_id"]}},
        UpdateExpression="SET verdict = :unsure",
        ExpressionAttributeValues={":unsure": {"S": UNSURE}},
    )
    return sha256_hex(photo)


def reviewed(cloud: Instance, photo: str) -> list[str]:
    """The labels of a photo that reviewers gave."""
    s3: Any = cloud.client("s3")
    bucket = cloud.endpoints["lake_bucket"]
    found = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=LABELS_PREFIX):
        for entry in page.get("Contents", ()):
            shard = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            found += [
                record.label
                for record in load_shard(shard, LabelRecord)
                if record.photo == photo and record.source == REVIEW_SOURCE
            ]
    return found


def test_a_person_labels_an_unsure_photo_by_key_and_takes_it_back(
    cloud: Instance, browser: Browser, url: str, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((120, 90), 60).convert("RGB").save(buffer, "JPEG")
    photo = unsure_about(cloud, buffer.getvalue())

    with visiting(browser, url, keep=tmp_path) as visit:
        page = visit.page
        visit.open("label")
        page.get_by_role("radio", name=UNSURE_PHOTOS).click()
        expect(page.get_by_role("img", name="The photo in question")).to_be_visible()
        visit.settle()
        page.keyboard.press(NEGATIVE_KEY)
        expect(page.get_by_text("That was the last one")).to_be_visible()
        assert reviewed(cloud, photo) == [LABELS.negative]

        page.keyboard.press(UNDO_KEY)
        expect(page.get_by_role("img", name="The photo in question")).to_be_visible()
        assert reviewed(cloud, photo) == []
        assert visit.problems == []


def test_every_page_can_be_read_and_reached_by_everybody_in_every_look(
    cloud: Instance, browser: Browser, url: str, tmp_path: Path
) -> None:
    eventually("the client", lambda: serving(cloud))
    wrong: dict[str, list[str]] = {}
    with visiting(browser, url) as first:
        first.open("")
        addresses = first.addresses()
    assert len(addresses) == 5
    for look in LOOKS:
        for address in addresses:
            with visiting(browser, url, look, keep=tmp_path) as visit:
                visit.open(address.path)
                if found := what_is_wrong(visit):
                    visit.keep(tmp_path)
                    wrong[f"{address.name}, {look.name}"] = found

    assert wrong == {}


def what_is_wrong(visit: Visit) -> list[str]:
    """All that keeps somebody from using the page as it stands."""
    found = [*visit.problems, *accessibility.grave_findings(visit.page)]
    if visit.shifted() >= MOST_SHIFT:
        found.append(f"its parts jump while it loads: {visit.shifted():.3f}")
    if visit.is_wider_than_window():
        found.append("it is wider than the window")
    if visit.look is not PHONE:
        found += [f"not reached by Tab: {each}" for each in accessibility.missed_by_tab(visit.page)]
    return found
