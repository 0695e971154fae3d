"""The page on what differs explains each line of the whole difference, and no other."""

import re
from collections.abc import Mapping

from infra_cdk.settings import REPOSITORY_ROOT
from infra_cdk.targets import Target
from tests.infrastructure.differences import differences
from tests.infrastructure.template_reading import Template

PAGE = REPOSITORY_ROOT / "docs" / "local-and-aws.md"


def explained() -> list[str]:
    """What stands in code in the first column of the page's first table."""
    first_table = PAGE.read_text().partition("What no template shows")[0]
    cells = re.findall(r"^\| (`.*?) \|", first_table, re.MULTILINE)
    return [line for cell in cells for line in re.findall(r"`([^`]+)`", cell)]


def test_each_difference_is_explained_and_each_explanation_is_of_one(
    templates: Mapping[Target, Template],
) -> None:
    lines = explained()

    found = differences(templates[Target.AWS], templates[Target.LOCAL])
    assert sorted(set(lines)) == sorted(found)
    assert len(lines) == len(set(lines)), "a line stands twice"


def test_a_template_differs_from_itself_in_nothing(template: Template) -> None:
    assert differences(template, template) == set()
