"""`make up`: from nothing, or from wherever an earlier one was stopped, to a served model."""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any, Final

from local_cloud.cloud import Cloud
from local_cloud.console import CommandError, say, step
from local_cloud.layout import PORT_VARIABLES, ROOT, STACK, Layout, Ports
from local_cloud.services import EMF, GATEWAY, MLFLOW, UI
from local_cloud.supervisor import Supervisor, SupervisorError, poll

_BOOTSTRAP_STACK: Final = "CDKToolkit"
_HTTP_HEALTH: Final = {MLFLOW: "/health", UI: "/_stcore/health"}


class Up:
    """Each step leaves what is already right alone, so that any of them may be repeated."""

    def __init__(self, layout: Layout, *, with_starter: bool = True) -> None:
        self._layout = layout
        self._with_starter = with_starter
        self._supervisor = Supervisor(layout)

    def run(self) -> None:
        """Bring everything up and show one real prediction for each label.

        Raises:
            CommandError, SupervisorError: with the reason and the remedy.
        """
        layout = self._layout
        for folder in (layout.state, layout.logs, layout.run):
            folder.mkdir(parents=True, exist_ok=True)
        self._claim_ports()
        layout.images_file.write_text(json.dumps(_training_images(), indent=2))

        with step("Local cloud"):
            cloud = self._start_cloud()
        photos = self._assemble_starter() if self._with_starter else None
        with step("Stack (cdk deploy)"):
            self._deploy(cloud)
        endpoints = json.loads(layout.endpoints_file.read_text())
        with step("MLflow, metrics relay, client"):
            self._start_services()

        if photos is not None:
            with step("Starter photos"):
                self._wait_for_starter(photos)
            if not cloud.has_champion(endpoints["lake_bucket"]):
                self._seed()
                self._train(cloud, endpoints)
                cloud.checkpoint()
            self._predict(cloud, endpoints)
        self._show(endpoints)

    def _claim_ports(self) -> None:
        try:
            ports = self._layout.ports()
        except ValueError as error:
            raise CommandError(str(error)) from error
        running = self._supervisor.is_running()
        if running and self._layout.ports_file.exists():
            before = Ports(**json.loads(self._layout.ports_file.read_text()))
            if before != ports:
                self._supervisor.shut_down()
                running = False
        if not running:
            Supervisor(self._layout).shut_down()  # whatever an earlier one left behind
            for name, variable in PORT_VARIABLES.items():
                port = getattr(ports, name)
                if _is_taken(port):
                    raise CommandError(
                        f"Port {port} is in use by another program. "
                        f"Stop that one or choose another port: {variable}=<port> make up"
                    )
        self._layout.remember_ports(ports)

    def _start_cloud(self) -> Cloud:
        self._supervisor.ensure()
        cloud, health = self._gateway()
        if health.get("reset") or not health.get("restored"):
            self._forget_registry("The emulator had not saved itself whole before it was stopped")
        elif _champion_without_registry(self._layout, cloud):
            cloud = self._start_anew("MLflow's database is gone while the lake still has models")
        elif cloud.is_broken(STACK) or cloud.is_broken(_BOOTSTRAP_STACK):
            cloud = self._start_anew("An earlier deployment was cut off half-way")
        return cloud

    def _gateway(self) -> tuple[Cloud, dict[str, Any]]:
        self._supervisor.start(GATEWAY)
        for _ in poll(seconds=60):
            if self._supervisor.state(GATEWAY) in {"FATAL", "EXITED"}:
                self._supervisor.explain(GATEWAY)
            if self._layout.credentials_file.exists() and self._layout.ca_bundle.exists():
                cloud = Cloud(self._layout)
                if health := cloud.health():
                    return cloud, health
        raise SupervisorError(
            f"The local cloud does not answer; see {self._layout.logs / 'gateway.log'}."
        )

    def _start_anew(self, reason: str) -> Cloud:
        self._supervisor.shut_down()
        for entry in ("cloud", "sagemaker", "emf.json"):
            _remove(self._layout.state / entry)
        self._forget_registry(reason)
        self._supervisor.ensure()
        return self._gateway()[0]

    def _forget_registry(self, reason: str) -> None:
        if self._layout.mlflow.exists() or self._layout.endpoints_file.exists():
            say(f"  {reason}: lake, stack and MLflow start anew together.")
        for service in (MLFLOW, UI, EMF):
            self._supervisor.stop(service)
        _remove(self._layout.mlflow)
        _remove(self._layout.endpoints_file)
        _remove(self._layout.state / "emf.json")

    def _assemble_starter(self) -> "subprocess.Popen[bytes]":
        """Fetch the starter photos beside the deployment: one waits for the network."""
        log = (self._layout.logs / "starter.log").open("wb")
        return subprocess.Popen(
            [sys.executable, "-m", "local_cloud.starter", str(self._layout.starter)],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
        )

    def _deploy(self, cloud: Cloud) -> None:
        environment = {
            **os.environ,
            **self._layout.client_environment(),
            "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        }
        account = environment["CDK_DEFAULT_ACCOUNT"]
        region = environment["CDK_DEFAULT_REGION"]
        if cloud.stack_status(_BOOTSTRAP_STACK) is None:
            self._cdk(["bootstrap", f"aws://{account}/{region}"], environment)
        outputs = self._layout.run / "outputs.json"
        self._cdk(
            [
                "deploy",
                STACK,
                "--require-approval=never",
                f"--outputs-file={outputs}",
            ],
            environment,
        )
        _python(
            "infra_cdk.endpoints",
            f"--outputs={outputs}",
            f"--folder={self._layout.state}",
            f"--mlflow-url={self._layout.mlflow_url()}",
            f"--ui-url={self._layout.ui_url()}",
            environment=environment,
        )
        cloud.checkpoint()

    def _cdk(self, arguments: list[str], environment: dict[str, str]) -> None:
        log = self._layout.logs / "deploy.log"
        command = [
            "cdk",
            *arguments,
            "--context=target=local",
            f"--context=mlflow_tracking_uri={self._layout.mlflow_url()}",
            f"--output={self._layout.run / 'cdk.out'}",
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

    def _start_services(self) -> None:
        for service in (MLFLOW, EMF, UI):
            self._supervisor.start(service)
        ports = self._layout.ports()
        waiting = {MLFLOW: ports.mlflow, UI: ports.ui}
        for _ in poll(seconds=120, interval=0.2):
            for service, port in tuple(waiting.items()):
                if self._supervisor.state(service) == "FATAL":
                    self._supervisor.explain(service)
                if _answers(f"http://127.0.0.1:{port}{_HTTP_HEALTH[service]}"):
                    del waiting[service]
            if not waiting and self._supervisor.state(EMF) == "RUNNING":
                return
        for service in waiting:
            self._supervisor.explain(service)

    def _wait_for_starter(self, photos: "subprocess.Popen[bytes]") -> None:
        code = photos.wait()
        log = self._layout.logs / "starter.log"
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        if code:
            raise CommandError(f"The starter photos cannot be had: {' | '.join(lines[-2:])}")

    def _seed(self) -> None:
        _python(
            "training_job.seed",
            str(self._layout.starter),
            "--source=starter",
            environment={**os.environ, **self._layout.client_environment()},
        )

    def _train(self, cloud: Cloud, endpoints: dict[str, Any]) -> None:
        machine = endpoints["state_machines"]["train"]
        for _ in poll(seconds=3600, interval=1.0):
            if not cloud.running_executions(machine):
                break
        if not cloud.has_champion(endpoints["lake_bucket"]):
            say("  First training (the training environment is made on the way):")
            _python(
                "training_job.follow",
                "--machine=train",
                "--reason=first model",
                environment={**os.environ, **self._layout.client_environment()},
            )
        if not cloud.has_champion(endpoints["lake_bucket"]):
            raise CommandError(
                "The training ended without a model to serve. "
                f"Its log is under {self._layout.logs}; try again with: make train"
            )

    def _predict(self, cloud: Cloud, endpoints: dict[str, Any]) -> None:
        say()
        for folder in sorted(path for path in self._layout.starter.iterdir() if path.is_dir()):
            photo = min(folder.iterdir(), key=lambda path: (path.stat().st_size, path.name))
            try:
                answer = cloud.predict(
                    endpoints["api_url"], endpoints["api_key"], photo.read_bytes()
                )
            except OSError as error:
                raise CommandError(f"The API does not answer as it should: {error}") from error
            say(
                f"  A photo labelled {folder.name}: the API says {answer['label']} "
                f"({answer['probability']:.3f}, model version {answer['model']['version']})"
            )

    def _show(self, endpoints: dict[str, Any]) -> None:
        say()
        say(f"  Client     {endpoints['ui_url']}")
        say(f"  MLflow     {endpoints['mlflow_url']}")
        say(f"  API        {endpoints['api_url']}")
        say(f"  AWS APIs   {endpoints['aws_endpoint_url']}")
        say()
        say("  Ask it yourself:")
        say(f"    source {_shown(self._layout.env_file)}")
        say(
            '    curl --cacert "$AWS_CA_BUNDLE" -H "x-api-key: $API_KEY" '
            '-H "content-type: image/jpeg" --data-binary @photo.jpg "${API_URL}predict"'
        )
        say("  Train again: make train      Stop: make down      Forget everything: make clean")


def _training_images() -> list[dict[str, Any]]:
    return [
        {
            "repository": "are-you-a-cat-training",
            "context": str(ROOT),
            "sources": ["areyouacat", "training_job"],
            "requirements": "training_job/requirements.txt",
            "command": ["python", "-m", "training_job.train"],
        }
    ]


def _champion_without_registry(layout: Layout, cloud: Cloud) -> bool:
    if (layout.mlflow / "mlflow.db").exists() or not layout.endpoints_file.exists():
        return False
    return cloud.has_champion(json.loads(layout.endpoints_file.read_text())["lake_bucket"])


def _python(module: str, *arguments: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, env=environment, check=False
    )
    if done.returncode:
        raise CommandError(f"{module} failed; its last words stand above.")


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
