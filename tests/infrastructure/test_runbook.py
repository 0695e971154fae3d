"""The runbook: an entry for every alarm, and no command in it that does not exist."""

import re
from collections.abc import Iterator

import pytest
from awscli.clidriver import create_clidriver

from infra_cdk.constructs.runbook import PAGE
from infra_cdk.settings import REPOSITORY_ROOT
from tests.infrastructure.template_reading import Template, resources

TEXT = (REPOSITORY_ROOT / PAGE).read_text()
ALARMS_PART, _, _ = TEXT.partition("\n# Other troubles\n")
ENTRIES = re.findall(r"^## (.+)$", ALARMS_PART, re.MULTILINE)
OWNERS = ("Operations", "Retraining", "Rollback")
"""The constructs that have alarms."""

CODE = ["".join(found) for found in re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", TEXT, re.DOTALL)]
"""What the page shows as commands, in blocks and in sentences."""

OF_EVERY_COMMAND = {"query", "output"}


def construct_of(logical_id: str) -> str:
    """The id of an alarm's construct: CloudFormation's without owner and hash."""
    (owner,) = (owner for owner in OWNERS if logical_id.startswith(owner))
    return logical_id.removeprefix(owner)[:-8]


def anchor(heading: str) -> str:
    """The address that a heading has on a page."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def entry(name: str) -> str:
    """The text below an alarm's heading."""
    return re.split(r"^#+ ", ALARMS_PART.partition(f"\n## {name}\n")[2], flags=re.MULTILINE)[0]


def test_every_alarm_has_an_entry_and_every_entry_an_alarm(template: Template) -> None:
    alarms = [construct_of(logical_id) for logical_id in resources(template, "CloudWatch::Alarm")]

    assert sorted(ENTRIES) == sorted(alarms)


def test_an_alarm_says_where_its_entry_is(template: Template) -> None:
    for logical_id, alarm in resources(template, "CloudWatch::Alarm").items():
        where = f". Runbook: docs/runbook.md#{anchor(construct_of(logical_id))}"
        assert alarm["AlarmDescription"].endswith(where)


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_answers_four_questions(name: str) -> None:
    text = entry(name)

    for question in ("**Means**", "**Look**", "**Do**", "**By itself**"):
        assert question in text


def test_every_address_on_the_page_leads_somewhere() -> None:
    pages = {PAGE: TEXT} | {
        f"docs/{file.name}": file.read_text() for file in (REPOSITORY_ROOT / "docs").glob("*.md")
    }
    broken = []
    for page, target in re.findall(r"\]\(([^)#]*)#([^)]+)\)", TEXT):
        headings = re.findall(r"^#+ (.+)$", pages[f"docs/{page}" if page else PAGE], re.MULTILINE)
        if target not in map(anchor, headings):
            broken.append(f"{page}#{target}")

    assert broken == []


def test_every_make_target_on_the_page_exists() -> None:
    makefile = (REPOSITORY_ROOT / "Makefile").read_text()
    named = {target for code in CODE for target in re.findall(r"\bmake ([a-z-]+)", code)}

    assert {"backup", "restore", "rollback", "train", "review", "verify-registry"} <= named
    assert named <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def aws_commands() -> Iterator[tuple[str, str, list[str]]]:
    """Service, operation and options of every AWS command on the page."""
    joined = TEXT.replace("\\\n", " ")
    command = r"(?:\baws ([a-z0-9]+)|(?<![-\w ])(sqs)) ([a-z][a-z0-9-]+)((?:[^`|)\n#]|\)\")*)"
    for cli, own, operation, rest in re.findall(command, joined):
        yield cli or own, operation, re.findall(r"(?<=\s)--([a-z0-9-]+)", rest)


def test_every_aws_command_on_the_page_exists_with_its_options() -> None:
    services = create_clidriver().create_help_command().command_table
    unknown, checked = [], set()
    for service, operation, options in aws_commands():
        operations = services[service].create_help_command().command_table
        if operation not in operations:
            unknown.append(f"{service} {operation}")
            continue
        checked.add(operation)
        known = getattr(operations[operation].create_help_command(), "arg_table", {})
        wrong = set(options) - OF_EVERY_COMMAND - known.keys()
        unknown += [f"{service} {operation} --{name}" for name in wrong if operation != "wait"]

    assert unknown == []
    assert {"receive-message", "purge-queue", "describe-alarms", "copy-object"} <= checked
