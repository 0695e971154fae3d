"""CloudFormation's own linter finds nothing."""

import json

from cfnlint.api import lint  # type: ignore[import-untyped]

from tests.infrastructure.template_reading import Template

NOT_OURS = {
    "W3005": "CDK writes a DependsOn for a role that the function refers to anyway",
}


def test_templates_are_clean(template: Template) -> None:
    found = lint(json.dumps(template))

    assert [str(match) for match in found if match.rule.id not in NOT_OURS] == []
