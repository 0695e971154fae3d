"""CloudFormation's own linter finds nothing, whatever is switched on."""

import json

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]

from tests.infrastructure.conftest import Synthesised
from tests.infrastructure.template_reading import Template


def test_templates_are_clean(template: Template) -> None:
    assert [str(match) for match in lint(json.dumps(template))] == []


@pytest.mark.slow
def test_the_template_with_everything_switched_on_is_clean(switched_on: Synthesised) -> None:
    assert [str(match) for match in lint(json.dumps(switched_on.template))] == []
