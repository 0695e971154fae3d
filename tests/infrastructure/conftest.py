"""The templates, synthesised once, with stubs for the functions' code: no network needed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_lambda as lambda_

from infra_cdk.settings import REPOSITORY_ROOT, STACK_NAME, Settings
from infra_cdk.stack import AreYouACatStack
from infra_cdk.switches import SecuritySettings
from infra_cdk.targets import Target

Template = Mapping[str, Any]


class StubBundler:
    """Gives every function the same one-line module."""

    def __init__(self, folder: Path) -> None:
        (folder / "stub.py").write_text("handler = None\n")
        self._folder = folder

    def code(self, bundle: str) -> lambda_.Code:
        """The same for every bundle."""
        del bundle
        return lambda_.Code.from_asset(str(self._folder))


FLAGS: Mapping[str, Any] = json.loads((REPOSITORY_ROOT / "cdk.json").read_text())["context"]
"""How the CDK behaves, for every app of ours."""


@dataclass(frozen=True)
class Synthesised:
    """A stack and what CloudFormation is given of it."""

    stack: AreYouACatStack
    template: Template


def synthesise(target: Target, folder: Path, **settings: str) -> Synthesised:
    """The stack and its template; `settings`: what `cdk -c name=value` would say."""
    mlflow = {"mlflow_tracking_uri": "http://mlflow"} if target is Target.LOCAL else {}
    app = App(
        outdir=str(folder / "cdk.out"),
        context={**FLAGS, "target": target.value, **mlflow, **settings},
    )
    stub = folder / "stub"
    stub.mkdir()
    stack = AreYouACatStack(
        app, STACK_NAME, settings=Settings.from_context(app.node), bundler=StubBundler(stub)
    )
    return Synthesised(stack, app.synth().get_stack_by_name(STACK_NAME).template)


@pytest.fixture(scope="session")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Target, Synthesised]:
    return {target: synthesise(target, tmp_path_factory.mktemp(target)) for target in Target}


@pytest.fixture(scope="session")
def switched_on(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """AWS with every switch of `SecuritySettings` on."""
    switches = {field.name: "true" for field in fields(SecuritySettings)}
    return synthesise(Target.AWS, tmp_path_factory.mktemp("switched-on"), **switches)


@pytest.fixture(scope="session")
def templates(synthesised: Mapping[Target, Synthesised]) -> Mapping[Target, Template]:
    return {target: made.template for target, made in synthesised.items()}


@pytest.fixture(scope="session", params=list(Target), ids=lambda target: f"on {target}")
def template(request: pytest.FixtureRequest, templates: Mapping[Target, Template]) -> Template:
    return templates[request.param]


@pytest.fixture(scope="session")
def aws_template(templates: Mapping[Target, Template]) -> Template:
    return templates[Target.AWS]
