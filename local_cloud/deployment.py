"""The stock `cdk bootstrap` and `cdk deploy`, against the local cloud."""

import os
import subprocess
import sys

from local_cloud.cloud import Cloud
from local_cloud.console import CommandError
from local_cloud.layout import ROOT, STACK, Layout
from local_cloud.startup import BOOTSTRAP_STACK


def deploy(layout: Layout, cloud: Cloud) -> None:
    """Deploy the stack with the stock CDK CLI and write the endpoints file.

    Raises:
        CommandError: the CLI failed; says with what and where its log is.
    """
    environment = {
        **os.environ,
        **layout.client_environment(),
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    }
    account = environment["CDK_DEFAULT_ACCOUNT"]
    region = environment["CDK_DEFAULT_REGION"]
    if cloud.stack_status(BOOTSTRAP_STACK) is None:
        _cdk(layout, ["bootstrap", f"aws://{account}/{region}"], environment)
    outputs = layout.run / "outputs.json"
    _cdk(
        layout,
        ["deploy", STACK, "--require-approval=never", f"--outputs-file={outputs}"],
        environment,
    )
    run_module(
        "infra_cdk.endpoints",
        f"--outputs={outputs}",
        f"--folder={layout.state}",
        f"--mlflow-url={layout.mlflow_url()}",
        f"--ui-url={layout.ui_url()}",
        environment=environment,
    )
    layout.mlflow.mkdir(parents=True, exist_ok=True)
    layout.known_stack.write_text(cloud.stack_id() or "")
    cloud.checkpoint()


def _cdk(layout: Layout, arguments: list[str], environment: dict[str, str]) -> None:
    log = layout.logs / "deploy.log"
    command = [
        "cdk",
        *arguments,
        f"--output={layout.run / 'cdk.out'}",
        "--no-notices",
        "--no-version-reporting",
        "--ci",
    ]
    with log.open("ab") as sink:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        raise CommandError(
            f"cdk {arguments[0]} failed: {' | '.join(lines[-3:])}  (all of it: {log})"
        )


def run_module(module: str, *arguments: str, environment: dict[str, str]) -> None:
    """Run a module of the project in this environment, its output shown.

    Raises:
        CommandError: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, env=environment, check=False
    )
    if done.returncode:
        raise CommandError(f"{module} failed; its last words stand above.")
