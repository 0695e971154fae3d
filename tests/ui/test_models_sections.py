"""The Models page beyond what serves now: versions, deploying one, comparing two."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from streamlit.testing.v1 import AppTest

from areyouacat.comparison_record import Question
from areyouacat.lake import photo_key
from tests.integration.instance import eventually
from tests.ui.fake_api import FakeApi
from tests.ui.fake_step_functions import FakeStepFunctions
from tests.ui.model_lake import CONFIGURATION, FakeFunctions, FolderOfObjects, compared
from tests.ui.test_models_page import (
    aws,
    button,
    configure,
    models_page,
    words_of,
)
from ui import permission, words
from ui.comparisons import Comparisons
from ui.lake import Lake
from ui.previews import Previews
from ui.versions import Versions
from ui.views import comparison, models, versions

__all__ = ["aws"]


@pytest.fixture
def lake(aws: FakeStepFunctions, monkeypatch: pytest.MonkeyPatch) -> FolderOfObjects:
    """What the page finds besides Step Functions."""
    made = FolderOfObjects()
    found = Versions(cast(Lake, made))
    monkeypatch.setattr(versions, "reader", lambda _configuration: found)
    comparisons = Comparisons(CONFIGURATION, cast(Lake, made), FakeFunctions(made))
    monkeypatch.setattr(comparison, "_comparisons", lambda _configuration: comparisons)
    previews = Previews(lambda photo: made.read(photo_key(photo)))
    monkeypatch.setattr(comparison, "_photos", lambda _configuration: previews)
    return made


def section(name: str, **query: str) -> AppTest:
    page = AppTest.from_function(models_page, default_timeout=20)
    for key, value in {"section": name, **query}.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception
    return page


def test_each_version_is_told_with_its_role_figures_and_origin(lake: FolderOfObjects) -> None:
    for number in (2, 3):
        lake.register(number)

    page = section(models.VERSIONS)

    told = words_of(page)
    assert "**Version 3** :blue-badge[champion]" in told
    assert "**Version 2** :blue-badge[previous]" in told
    made_of = "2,035 photos (2,000 seeded with their labels, 35 labelled by callers)"
    assert f"{made_of} → data set data-3 → training job job-3 → version 3" in told
    assert "/training?execution=run-3" in told
    assert [each.value for each in page.metric][:3] == ["98.0%", "–", "–"]  # noqa: RUF001


@pytest.mark.parametrize("said", [None, b"{", b"[]", b'{"labelled_by": [1]}'])
def test_a_version_whose_data_set_says_nothing_of_its_labels_is_told_without(
    lake: FolderOfObjects, said: bytes | None
) -> None:
    lake.register(3)
    key = "datasets/data-3/summary.json"
    if said is None:
        del lake.objects[key]
    else:
        lake.objects[key] = said

    assert "Photos and labels → data set data-3" in words_of(section(models.VERSIONS))


def test_before_the_first_version_the_page_says_so(lake: FolderOfObjects) -> None:
    del lake

    assert "No version is registered yet" in words_of(section(models.VERSIONS))
    assert "no two versions" in words_of(section(models.COMPARE))


def test_a_version_is_deployed_once_as_asked_with_who_and_why(
    lake: FolderOfObjects, aws: FakeStepFunctions
) -> None:
    for number in (2, 3):
        lake.register(number)
    page = section(models.VERSIONS)
    page.selectbox[0].set_value(2).run()
    page.selectbox[1].set_value("ab_test").run()
    page.text_input[0].set_value("which is better?").run()

    button(page, "Yes, deploy version 2")

    (started,) = aws.executions
    assert started.input == {
        "version": "2",
        "strategy": "ab_test",
        "canary_weight": 0.5,
        "reason": "which is better? (ann)",
        "source": "ui",
    }
    assert "Version 2 is on its way" in words_of(page)


def test_against_aws_nobody_deploys_until_acting_is_switched_on(
    lake: FolderOfObjects, api: FakeApi, aws: FakeStepFunctions, tmp_path: Path
) -> None:
    configure(api, aws, tmp_path, aws_endpoint_url=None)
    lake.register(3)

    page = section(models.VERSIONS)
    button(page, "Yes, deploy version 3")  # a page that was changed on its way

    assert permission.OFF_ON_AWS in words_of(page)
    assert aws.executions == []


def compared_page(lake: FolderOfObjects) -> AppTest:
    """Versions 1 and 3 side by side."""
    for number in (1, 2, 3):
        lake.register(number)
    page = section(models.COMPARE, compare="1,3")

    def answered() -> bool:
        page.run()
        assert not page.exception
        return "McNemar" in words_of(page)

    eventually("the comparison", answered, seconds=30)
    return page


def test_two_versions_are_compared_in_figures_and_pictures(lake: FolderOfObjects) -> None:
    page = compared_page(lake)

    assert [each.value for each in page.selectbox] == [1, 3]
    told = words_of(page)
    assert "| Accuracy |" in told
    assert "200 photos (test)" in told
    assert len(page.get("vega_lite_chart")) == 2


def test_the_worst_mistakes_of_both_are_shown_as_photos_as_far_as_they_are_there(
    lake: FolderOfObjects, photo: bytes
) -> None:
    question = Question(("1", "3"), "data-3", "test")
    worst = compared(question).mistakes["3"]
    assert len(worst) > 1
    lake.objects[photo_key(worst[0].photo)] = photo

    page = compared_page(lake)

    (shown,) = page.get("image")
    assert "Mistake 1 of version 3" in str(shown.proto)
    told = words_of(page)
    assert "Erased since" in told
    assert f"Labelled {words.label_words(worst[0].label)}" in told


def test_a_version_is_not_compared_with_itself(lake: FolderOfObjects) -> None:
    for number in (1, 2):
        lake.register(number)

    assert "not the same" in words_of(section(models.COMPARE, compare="2,2"))


def test_a_damaged_version_is_named_on_the_page(lake: FolderOfObjects) -> None:
    lake.register(3)
    lake.objects["models/3/model.json"] = b"{}"

    assert "version 3 is damaged" in section(models.VERSIONS).error[0].value
