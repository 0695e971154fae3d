"""The role that GitHub Actions deploys with: no stored keys, one repository, one environment."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import ArnFormat, Aws, CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from areyouacat import lake
from infra_cdk.settings import GITHUB, REPORT, STACK_NAME, TRAINING

_ISSUER: Final = "token.actions.githubusercontent.com"
_AUDIENCE: Final = "sts.amazonaws.com"
_OWNER: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?"
_NAME: Final = r"(?!\.{1,2}(?:@|$))[A-Za-z0-9._-]{1,100}"
_PLAIN: Final = re.compile(rf"{_OWNER}/{_NAME}")
_WITH_IDS: Final = re.compile(rf"{_OWNER}@[0-9]+/{_NAME}@[0-9]+")
# Of the roles that the CDK's bootstrap makes, those that a deployment without image assets needs.
_BOOTSTRAP_ROLES: Final = ("deploy", "file-publishing", "lookup")


def subject(repository: str, environment: str) -> str:
    """The `sub` of the tokens that GitHub gives a job of this repository and environment.

    `repository` is `owner/name`, or `owner@id/name@id` as GitHub writes it for repositories made
    or renamed since July 2026. Source: "Immutable subject claims", OpenID Connect reference.

    Raises:
        ValueError: it is neither; a pattern would let others in.
    """
    if not (_PLAIN.fullmatch(repository) or _WITH_IDS.fullmatch(repository)):
        raise ValueError(
            f"{repository!r} is no GitHub repository: use -c github_repository=owner/name, or "
            "owner@id/name@id where GitHub writes ids into the subject (docs/ci-cd.md)"
        )
    return f"repo:{repository}:environment:{environment}"


class GitHubTrust(Construct):
    """GitHub as an identity provider, and the one role that its tokens open."""

    def __init__(
        self, scope: Construct, construct_id: str, *, repository: str, provider_arn: str | None
    ) -> None:
        """`provider_arn`: the account's own provider for GitHub where there is one already.

        Raises:
            ValueError: `repository` is malformed.
        """
        super().__init__(scope, construct_id)
        claims = {
            f"{_ISSUER}:aud": _AUDIENCE,
            f"{_ISSUER}:sub": subject(repository, GITHUB.environment),
        }
        self.role = iam.Role(
            self,
            "Role",
            role_name=f"{STACK_NAME}-github-deploy",
            description=f"Deploys {STACK_NAME} from {repository}",
            assumed_by=iam.WebIdentityPrincipal(
                provider_arn or self._provider(), {"StringEquals": claims}
            ),
            max_session_duration=Duration.seconds(GITHUB.session_seconds),
        )
        for statement in self._statements():
            self.role.add_to_policy(statement)
        CfnOutput(self, "RoleArn", value=self.role.role_arn)

    def _provider(self) -> str:
        provider = iam.CfnOIDCProvider(
            self, "Provider", url=f"https://{_ISSUER}", client_id_list=[_AUDIENCE]
        )
        return provider.attr_arn

    def _statements(self) -> Sequence[iam.PolicyStatement]:
        """What `make ship` does: the CDK's part through its own roles, the rest by itself."""
        bootstrap = [
            f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/cdk-{GITHUB.bootstrap_qualifier}-{role}-role-"
            f"{Aws.ACCOUNT_ID}-{Aws.REGION}"
            for role in _BOOTSTRAP_ROLES
        ]
        stacks = [
            self._arn("cloudformation", f"stack/{name}/*") for name in (STACK_NAME, "CDKToolkit")
        ]
        builds = [f"{STACK_NAME}-{job.image.name}-image" for job in (TRAINING, REPORT)]
        projects = [self._arn("codebuild", f"project/{build}") for build in builds]
        build_logs = [
            self._arn("logs", f"log-group:/aws/codebuild/{build}:log-stream", name="*")
            for build in builds
        ]
        # A bucket's name begins with its stack's, and is not known before the stack stands.
        bucket = f"arn:{Aws.PARTITION}:s3:::{STACK_NAME.lower()}-datalake*"
        seeded = [
            f"{bucket}/{prefix}*"
            for prefix in (lake.PHOTOS_PREFIX, lake.INDEX_PREFIX, lake.LABELS_PREFIX)
        ]
        pointer = f"{bucket}/{lake.SERVING_POINTER_KEY}"
        train = self._arn("states", "stateMachine", name=f"{STACK_NAME}-train")
        executions = self._arn("states", "execution", name=f"{STACK_NAME}-train:*")
        # The key's id is not known before the stack stands either.
        keys = f"arn:{Aws.PARTITION}:apigateway:{Aws.REGION}::/apikeys/*"
        rights: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
            "AssumeTheCdksRoles": (["sts:AssumeRole"], bootstrap),
            "ReadTheOutputs": (["cloudformation:DescribeStacks"], stacks),
            "ReadTheApiKey": (["apigateway:GET"], [keys]),
            "BuildTheImages": (
                ["codebuild:StartBuild", "codebuild:BatchGetBuilds", "codebuild:StopBuild"],
                projects,
            ),
            "FollowTheBuilds": (["logs:GetLogEvents"], build_logs),
            "SeeTheLake": (["s3:ListBucket"], [bucket]),
            "SeedTheLake": (["s3:GetObject", "s3:PutObject"], seeded),
            "SeeWhetherAModelServes": (["s3:GetObject"], [pointer]),
            "Train": (["states:StartExecution"], [train]),
            "FollowTheTraining": (
                ["states:DescribeExecution", "states:GetExecutionHistory"],
                [executions],
            ),
        }
        return [
            iam.PolicyStatement(sid=sid, actions=list(actions), resources=list(resources))
            for sid, (actions, resources) in rights.items()
        ]

    def _arn(self, service: str, resource: str, *, name: str | None = None) -> str:
        return Stack.of(self).format_arn(
            service=service,
            resource=resource,
            resource_name=name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME if name else ArnFormat.NO_RESOURCE_NAME,
        )
