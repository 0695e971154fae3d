"""The stack that lets GitHub Actions deploy: made once, by a person, beside the system's own.

It is in the app only where `-c github_repository=owner/name` asks for it.
"""

from aws_cdk import App, Stack
from constructs import Construct

from infra_cdk.constructs.github_trust import GitHubTrust
from infra_cdk.settings import GITHUB


class GitHubStack(Stack):
    """The trust of one account and region in one repository."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        repository: str,
        provider_arn: str | None = None,
    ) -> None:
        """`provider_arn`: see GitHubTrust. Raises ValueError if `repository` is malformed."""
        super().__init__(scope, construct_id, description="Are you a cat? GitHub deploys it")
        GitHubTrust(self, "GitHub", repository=repository, provider_arn=provider_arn)


def add_if_asked(app: App) -> GitHubStack | None:
    """The stack, if `-c github_repository=` names one.

    `-c github_oidc_provider_arn=`: the account has a provider for GitHub already, and takes no
    second.

    Raises:
        ValueError: the repository's name is malformed.
    """
    repository = app.node.try_get_context("github_repository")
    if repository is None:
        return None
    return GitHubStack(
        app,
        GITHUB.stack_name,
        repository=str(repository),
        provider_arn=app.node.try_get_context("github_oidc_provider_arn"),
    )
