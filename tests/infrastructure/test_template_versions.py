"""Published versions, the alias that callers reach, and what SnapStart asks of a function."""

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_

from infra_cdk.constructs.encryption import Encryption
from infra_cdk.constructs.function import PythonFunction
from infra_cdk.settings import FUNCTIONS, LIVE, FunctionSize, Settings
from tests.infrastructure.conftest import FLAGS
from tests.infrastructure.template_reading import Template, as_list, resources

WAITED_FOR = {"AreYouACat-predict", "AreYouACat-api"}
"""What people wait for."""


def by_reference(template: Template, kind: str) -> dict[str, list[dict[str, Any]]]:
    """Resources of a kind by the name of the function that they belong to."""
    functions = resources(template, "Lambda::Function")
    found: dict[str, list[dict[str, Any]]] = {}
    for properties in resources(template, kind).values():
        name = functions[properties["FunctionName"]["Ref"]]["FunctionName"]
        found.setdefault(name, []).append(properties)
    return found


def test_what_people_wait_for_has_one_version_and_the_alias_stands_on_it(
    template: Template,
) -> None:
    versions = resources(template, "Lambda::Version")
    aliases = by_reference(template, "Lambda::Alias")

    assert set(by_reference(template, "Lambda::Version")) == set(aliases) == WAITED_FOR
    assert len(versions) == len(WAITED_FOR)
    for (alias,) in aliases.values():
        version, attribute = alias["FunctionVersion"]["Fn::GetAtt"]
        assert (alias["Name"], attribute) == (LIVE, "Version")
        assert versions[version]["FunctionName"] == alias["FunctionName"]


def test_the_api_may_invoke_the_aliases_and_no_function(template: Template) -> None:
    invoked = [
        permission["FunctionName"]
        for permission in resources(template, "Lambda::Permission").values()
        if permission["Principal"] == "apigateway.amazonaws.com"
    ]

    assert {reference["Ref"] for reference in invoked} == set(resources(template, "Lambda::Alias"))


def test_a_version_is_published_when_its_function_has_its_rights(template: Template) -> None:
    # Priming reads the lake; a function that comes before its policy could not.
    for name, function in template["Resources"].items():
        if function["Type"] == "AWS::Lambda::Function":
            role = function["Properties"]["Role"]["Fn::GetAtt"][0]
            policies = {
                policy
                for policy, properties in resources(template, "IAM::Policy").items()
                if {"Ref": role} in properties["Roles"]
            }
            assert policies <= set(as_list(function["DependsOn"])), name


def test_snapshots_are_taken_on_aws_of_what_people_wait_for(aws_template: Template) -> None:
    functions = resources(aws_template, "Lambda::Function").values()

    snapped = [function for function in functions if "SnapStart" in function]
    assert {function["FunctionName"] for function in snapped} == WAITED_FOR
    for function in snapped:
        assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}
        # What SnapStart does not go together with; more than 512 MB of /tmp is one of them.
        assert not {"EphemeralStorage", "FileSystemConfigs", "ImageConfig"} & set(function)
    for alias in resources(aws_template, "Lambda::Alias").values():
        assert "ProvisionedConcurrencyConfig" not in alias


class OneFile:
    """Gives a function one module of this content."""

    def __init__(self, folder: Path, content: str) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)
        (folder / "module.py").write_text(content)

    def code(self, bundle: str) -> lambda_.Code:
        del bundle
        return lambda_.Code.from_asset(str(self._folder))


@pytest.fixture
def version_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The logical id of the version of a function: another one is another version."""

    def synthesised(
        content: str = "", environment: str = "", size: FunctionSize = FUNCTIONS["predict"]
    ) -> str:
        monkeypatch.setitem(FUNCTIONS, "predict", size)
        app = App(context={**FLAGS, "target": "aws"}, outdir=str(tmp_path / "out"))
        stack = Stack(app, "Stack")
        settings = Settings.from_context(app.node)
        Encryption(stack, settings=settings)
        PythonFunction(
            stack,
            "Function",
            name="predict",
            bundle="serving",
            handler="module.handler",
            settings=settings,
            bundler=OneFile(tmp_path / f"code{content}", content),
            environment={"NAME": environment},
        ).live()
        template = app.synth().get_stack_by_name("Stack").template
        (version,) = resources(template, "Lambda::Version")
        return version

    return synthesised


@pytest.mark.parametrize(
    "change",
    [
        {"content": "changed"},
        {"environment": "changed"},
        {"size": FunctionSize(memory_mb=512, timeout_seconds=20, reserved_concurrency=20)},
    ],
    ids=["code", "environment", "memory"],
)
def test_a_change_publishes_a_version(version_of: Any, change: dict[str, Any]) -> None:
    assert version_of(**change) != version_of()


def test_what_no_version_holds_publishes_none(version_of: Any) -> None:
    # Lambda refuses a version that would be equal to the last one.
    predict = FUNCTIONS["predict"]
    other = FunctionSize(predict.memory_mb, predict.timeout_seconds, reserved_concurrency=5)

    assert version_of(size=other) == version_of()
