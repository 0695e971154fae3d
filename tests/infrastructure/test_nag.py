"""cdk-nag's AwsSolutions rules find nothing but what is acknowledged, and all of that."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from aws_cdk import Stack
from cdk_nag import AwsSolutionsChecks

from infra_cdk.stack import AreYouACatStack
from infra_cdk.targets import Target
from tests.infrastructure.conftest import Synthesised, synthesise

MOST = 12


def found(stack: Stack) -> set[tuple[str, str]]:
    """What is not acknowledged: each finding, and the construct below the stack that has it."""
    return {
        (violation.rule_name, str(resource.construct_path).removeprefix(f"{stack.node.path}/"))
        for violation in AwsSolutionsChecks().validate_scope(stack).violations
        for resource in violation.violating_resources
    }


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AreYouACatStack]:
    """The stack for AWS without its acknowledgements."""
    folder: Path = tmp_path_factory.mktemp("bare")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infra_cdk.stack.acknowledge", lambda *_: None)
        yield synthesise(Target.AWS, folder).stack


def test_nothing_is_found_that_is_not_acknowledged(
    synthesised: Mapping[Target, Synthesised],
) -> None:
    assert found(synthesised[Target.AWS].stack) == set()


def test_nothing_more_is_found_with_everything_switched_on(switched_on: Synthesised) -> None:
    assert found(switched_on.stack) == set()


def test_every_acknowledgement_is_still_needed(bare: AreYouACatStack) -> None:
    findings = found(bare)

    def needed(finding: str, at: str) -> bool:
        return any(rule == finding and path.startswith(at) for rule, path in findings)

    assert findings
    assert [
        (finding, at)
        for entry in bare.acknowledged
        for finding in entry.ids
        for at in entry.at
        if not needed(finding, at)
    ] == []


def test_a_firewall_needs_no_acknowledgement(switched_on: Synthesised) -> None:
    acknowledged = [finding for entry in switched_on.stack.acknowledged for finding in entry.ids]

    assert "AwsSolutions-APIG3" not in acknowledged


def test_the_list_is_short_and_says_why(bare: AreYouACatStack) -> None:
    acknowledged = bare.acknowledged

    assert len(acknowledged) <= MOST
    assert all(len(entry.reason.split()) > 5 for entry in acknowledged)
    findings = [finding for entry in acknowledged for finding in entry.ids]
    assert len(findings) == len(set(findings))
