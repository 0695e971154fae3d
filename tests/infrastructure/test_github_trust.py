"""Who may deploy from GitHub, and what that role may do."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import lint  # type: ignore[import-untyped]

from infra_cdk.constructs.github_trust import subject
from infra_cdk.github import GitHubStack, add_if_asked
from infra_cdk.preflight import DEPLOYER_ACTIONS
from infra_cdk.settings import GITHUB
from tests.infrastructure.template_reading import (
    Template,
    as_list,
    identity_statements,
    only,
    resources,
)

REPOSITORY = "octo-org/are-you-a-cat"
SUBJECT = f"repo:{REPOSITORY}:environment:production"


def synthesise(folder: Path, **context: str) -> Template:
    app = App(outdir=str(folder), context={"github_repository": REPOSITORY, **context})
    add_if_asked(app)
    template: Template = app.synth().get_stack_by_name(GITHUB.stack_name).template
    return template


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return synthesise(tmp_path_factory.mktemp("github"))


def resources_of(template: Template) -> dict[str, list[Any]]:
    """What each action is for, over all statements."""
    found: dict[str, list[Any]] = {}
    for _, statement in identity_statements(template):
        for action in as_list(statement["Action"]):
            found.setdefault(action, []).extend(as_list(statement["Resource"]))
    return found


def told(resource: Any) -> str:
    """An ARN with CDK's references as their names."""
    if isinstance(resource, str):
        return resource
    parts = resource["Fn::Join"][1]
    return "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)


def test_only_one_repository_and_one_environment_are_trusted(trust: Template) -> None:
    (statement,) = only(trust, "IAM::Role")["AssumeRolePolicyDocument"]["Statement"]

    (provider,) = resources(trust, "IAM::OIDCProvider")
    assert statement == {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": {"Fn::GetAtt": [provider, "Arn"]}},
        "Condition": {
            "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": SUBJECT,
            }
        },
    }


def test_the_provider_is_githubs_and_for_this_audience(trust: Template) -> None:
    assert only(trust, "IAM::OIDCProvider") == {
        "Url": "https://token.actions.githubusercontent.com",
        "ClientIdList": ["sts.amazonaws.com"],
    }


def test_an_account_with_a_provider_keeps_it(tmp_path: Path) -> None:
    arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"

    template = synthesise(tmp_path, github_oidc_provider_arn=arn)

    assert resources(template, "IAM::OIDCProvider") == {}
    (statement,) = only(template, "IAM::Role")["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Federated": arn}


def test_the_role_takes_on_three_of_the_cdks_roles_and_no_other(trust: Template) -> None:
    assumed = {told(resource) for resource in resources_of(trust)["sts:AssumeRole"]}

    role = "arn:<AWS::Partition>:iam::<AWS::AccountId>:role/cdk-hnb659fds-"
    place = "-<AWS::AccountId>-<AWS::Region>"
    assert assumed == {
        f"{role}{name}-role{place}" for name in ("deploy", "file-publishing", "lookup")
    }


def test_the_role_may_do_what_a_deployment_is_checked_for_and_little_more(trust: Template) -> None:
    allowed = set(resources_of(trust))

    assert allowed == {*DEPLOYER_ACTIONS, "s3:GetObject"}
    assert "ManagedPolicyArns" not in only(trust, "IAM::Role")


UNKNOWN_BEFOREHAND = {
    "cloudformation:<AWS::Region>:<AWS::AccountId>:stack/AreYouACat/*": "a stack's id",
    "cloudformation:<AWS::Region>:<AWS::AccountId>:stack/CDKToolkit/*": "a stack's id",
    "apigateway:<AWS::Region>::/apikeys/*": "a key's id",
    "logs:<AWS::Region>:<AWS::AccountId>:log-group:/aws/codebuild/AreYouACat-training-image:"
    "log-stream:*": "a build's log",
    "logs:<AWS::Region>:<AWS::AccountId>:log-group:/aws/codebuild/AreYouACat-drift-report-image:"
    "log-stream:*": "a build's log",
    "s3:::areyouacat-datalake*": "the end of the bucket's name",
    "s3:::areyouacat-datalake*/photos/*": "a photo's hash",
    "s3:::areyouacat-datalake*/index/*": "a shard's hash",
    "s3:::areyouacat-datalake*/labels/*": "a shard's hash",
    "s3:::areyouacat-datalake*/serving/live.json": "the end of the bucket's name",
    "states:<AWS::Region>:<AWS::AccountId>:execution:AreYouACat-train:*": "an execution's name",
}
"""Every star in the role's rights, and what it stands for that nobody can know before."""


def test_a_star_stands_only_for_what_is_not_known_beforehand(trust: Template) -> None:
    arns = {
        told(resource).removeprefix("arn:<AWS::Partition>:")
        for _, statement in identity_statements(trust)
        for resource in as_list(statement["Resource"])
    }

    assert {arn for arn in arns if "*" in arn} == set(UNKNOWN_BEFOREHAND)


def test_the_rules_of_cdk_nag_find_those_stars_alone(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path), context={"github_repository": REPOSITORY})
    stack = add_if_asked(app)
    assert stack is not None

    report = AwsSolutionsChecks().validate_scope(stack)

    found = {violation.rule_name for violation in report.violations}
    start = "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:"
    assert {rule.rpartition(start)[2].rstrip("]") for rule in found} == set(UNKNOWN_BEFOREHAND)


def test_the_template_is_clean(trust: Template) -> None:
    assert [str(match) for match in lint(json.dumps(trust))] == []


def test_without_a_repository_there_is_no_such_stack() -> None:
    assert add_if_asked(App()) is None


def test_github_may_write_its_ids_into_the_subject() -> None:
    assert subject("octo-org@123/cat@456", "production") == (
        "repo:octo-org@123/cat@456:environment:production"
    )


@pytest.mark.parametrize(
    "repository",
    [
        "",
        "octo-org",
        "octo-org/",
        "/cat",
        "octo-org/*",
        "*/cat",
        "octo-org/cat:ref:refs/heads/main",
        "octo-org/cat?",
        "octo-org/a/b",
        "-octo/cat",
        "octo-/cat",
        "octo org/cat",
        "octo-org/cat\n",
        "octo-org/..",
        "octo-org/.@5",
        "octo-org@1/cat",
        "octo-org/cat@1",
        "octo-org@/cat@",
        f"{'o' * 40}/cat",
        f"octo-org/{'c' * 101}",
    ],
)
def test_a_malformed_repository_is_refused(repository: str) -> None:
    with pytest.raises(ValueError, match="no GitHub repository"):
        GitHubStack(App(), "Stack", repository=repository)
