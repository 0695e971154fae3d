"""`make deploy`: from an AWS account and its credentials to a served model."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import boto3
from aws_cdk import App
from botocore.exceptions import BotoCoreError, ClientError

from infra_cdk import endpoints
from infra_cdk.first_hour import FirstHourError, ask, first_model, has_champion
from infra_cdk.images import ImageBuildError, build_images
from infra_cdk.preflight import Level, Wanted, check
from infra_cdk.settings import REPORT, REPOSITORY_ROOT, TRAINING, Settings

_BOOTSTRAP_STACK: Final = "CDKToolkit"


class DeployError(RuntimeError):
    """The deployment cannot begin or go on; the message says why and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if the stack stands, a model serves and the API answers; 1 if not."""
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument(
        "settings", nargs="*", metavar="name=value", help="as `cdk deploy -c name=value`"
    )
    parser.add_argument("--check-only", action="store_true", help="ask the account, change nothing")
    parser.add_argument(
        "--no-starter", action="store_true", help="leave the lake empty and train nothing"
    )
    chosen = parser.parse_args(arguments)
    try:
        deployment = Deployment(_context(chosen.settings))
        deployment.preflight()
        if not chosen.check_only:
            deployment.stack()
            deployment.first_hour(with_starter=not chosen.no_starter)
    except (DeployError, FirstHourError, ImageBuildError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"Error: AWS refuses: {error}", file=sys.stderr)
        return 1
    return 0


def _context(settings: Sequence[str]) -> dict[str, str]:
    """What the command line says, by name.

    Raises:
        DeployError: one is no `name=value`.
    """
    for setting in settings:
        if "=" not in setting.strip("="):
            raise DeployError(f"'{setting}' is no setting; write name=value")
    return dict(setting.split("=", 1) for setting in settings)


class Deployment:
    """The steps, in order; each may be repeated, and goes on from where the last try ended."""

    def __init__(self, context: dict[str, str]) -> None:
        """Raises DeployError for a setting that is wrong, or credentials that reach no account."""
        if os.environ.get("AWS_ENDPOINT_URL"):
            raise DeployError(
                "AWS_ENDPOINT_URL is set: these are the local cloud's settings. Unset them."
            )
        self._context = context
        try:
            self._settings = Settings.from_context(App(context={"target": "aws", **context}).node)
        except ValueError as error:
            raise DeployError(str(error)) from error
        self._session = boto3.session.Session()
        if not self._session.region_name:
            raise DeployError("No region is set. Name one: AWS_REGION=eu-west-1 make deploy")
        try:
            caller = self._session.client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise DeployError(
                f"No AWS account can be reached with your credentials: {error}"
            ) from error
        self._account, self._caller = caller["Account"], caller["Arn"]
        self._folder = Path(os.environ.get("LOCAL_STATE_DIR") or REPOSITORY_ROOT / ".local")
        self._folder.mkdir(parents=True, exist_ok=True)

    def preflight(self) -> None:
        """Ask the account what it allows; raises DeployError if the deployment would fail."""
        _say(f"Account {self._account}, {self._session.region_name}, as {self._caller}")
        spot = self._settings.training_spot
        wanted = Wanted(
            stack=endpoints.STACK,
            concurrency=self._settings.all_reserved_concurrency,
            instances=(
                f"{TRAINING.instance_type} for {'spot ' * spot}training job usage",
                f"{REPORT.instance_type} for processing job usage",
            ),
            managed_mlflow=not self._settings.mlflow_tracking_uri,
        )
        problems = 0
        for finding in check(self._client, self._caller, wanted):
            problems += finding.level is Level.PROBLEM
            mark = {Level.FINE: "ok", Level.UNKNOWN: "?", Level.PROBLEM: "NO"}[finding.level]
            _say(f"  {mark:>2}  {finding.words}")
            if finding.remedy:
                _say(f"      {finding.remedy}")
        if problems:
            raise DeployError("The account is not ready; what to do stands above.")

    def stack(self) -> None:
        """The stock `cdk bootstrap` and `cdk deploy`, `endpoints.json`, the images of the jobs."""
        outputs = self._folder / "aws-outputs.json"
        if not self._is_bootstrapped():
            self._cdk("bootstrap", f"aws://{self._account}/{self._session.region_name}")
        # Without a person nobody could answer the CLI's question about new rights.
        unattended = [] if sys.stdin.isatty() else ["--require-approval=never"]
        self._cdk("deploy", endpoints.STACK, f"--outputs-file={outputs}", *unattended)
        endpoints.write(self._folder, outputs, ui_url=None)
        build_images(self._session, json.loads(outputs.read_text())[endpoints.STACK], say=_say)
        _say(f"Deployed. Addresses: {self._folder / 'endpoints.json'}")

    def first_hour(self, *, with_starter: bool) -> None:
        """A model that serves, unless one does already, and an answer from it.

        Without starter photos the lake stays as it is.
        """
        found = json.loads((self._folder / "endpoints.json").read_text())
        if not with_starter:
            _say("Next: make seed DATASET=<folder>, then make train")
            return
        starter = self._folder / "starter"
        if not has_champion(self._client("s3"), found["lake_bucket"]):
            first_model(starter, _say)
        if starter.is_dir():
            ask(found, starter, _say)

    def _is_bootstrapped(self) -> bool:
        """Whether the CDK's own stack is there: who may only deploy cannot make it anew."""
        try:
            self._client("cloudformation").describe_stacks(StackName=_BOOTSTRAP_STACK)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":  # CloudFormation's "not found"
                return False
            raise
        return True

    def _client(self, service: str) -> Any:
        make: Any = self._session.client  # the stubs want each service's name as a literal
        return make(service)

    def _cdk(self, command: str, *arguments: str) -> None:
        context = {"target": "aws", **self._context}
        done = subprocess.run(
            [
                "cdk",
                command,
                *arguments,
                *(f"--context={name}={value}" for name, value in context.items()),
            ],
            cwd=REPOSITORY_ROOT,
            env={
                **os.environ,
                "CDK_DEFAULT_ACCOUNT": self._account,
                "CDK_DEFAULT_REGION": str(self._session.region_name),
            },
            check=False,
        )
        if done.returncode:
            raise DeployError(f"cdk {command} failed; its words stand above.")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
