"""`make up`: from nothing, or from wherever an earlier one was stopped, to a served model."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any, Final

from local_cloud import sdk_defaults
from local_cloud.cloud import Cloud
from local_cloud.console import CommandError, say, step
from local_cloud.deployment import deploy, run_module
from local_cloud.layout import ROOT, Layout
from local_cloud.services import EMF, MLFLOW, UI
from local_cloud.startup import Startup
from local_cloud.supervisor import Supervisor, poll

HTTP_HEALTH: Final = {MLFLOW: "/health", UI: "/_stcore/health"}


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
        startup = Startup(layout, self._supervisor)
        startup.claim_ports()
        register_images(layout.images_file, project_images())

        with step("Local cloud"):
            cloud = startup.start()
        sdk_defaults.write(layout.sagemaker_sdk_file)
        photos = self._assemble_starter() if self._with_starter else None
        with step("Stack (cdk deploy)"):
            deploy(layout, cloud)
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

    def _assemble_starter(self) -> "subprocess.Popen[bytes]":
        """Fetch the starter photos beside the deployment: one waits for the network."""
        log = (self._layout.logs / "starter.log").open("wb")
        return subprocess.Popen(
            [sys.executable, "-m", "local_cloud.starter", str(self._layout.starter)],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
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
                if answers(f"http://127.0.0.1:{port}{HTTP_HEALTH[service]}"):
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
        run_module(
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
            run_module(
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


def register_images(file: Path, images: list[dict[str, Any]]) -> None:
    """Put images into the images file, in place of those of the same repository.

    Entries of others stay: a user's own images must outlive `make up`.

    Raises:
        CommandError: the file is there and is not what it should be.
    """
    try:
        known = json.loads(file.read_text()) if file.exists() else []
        new = {image["repository"] for image in images}
        kept = [entry for entry in known if entry["repository"] not in new]
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(
            f"{file} must be a JSON list of objects with a repository each ({error!r}). "
            "Mend it, or remove it: make up writes the project's own entries anew."
        ) from error
    file.write_text(json.dumps([*kept, *images], indent=2))


def project_images() -> list[dict[str, Any]]:
    """What the Dockerfiles of the project's own jobs say, as entries of the images file."""
    return [
        {
            "repository": "are-you-a-cat-training",
            "context": str(ROOT),
            "sources": ["areyouacat", "training_job"],
            "requirements": "training_job/requirements.txt",
            "command": ["python", "-m", "training_job.train"],
        },
        {
            "repository": "are-you-a-cat-drift-report",
            "context": str(ROOT),
            "sources": [
                "areyouacat",
                "training_job/__init__.py",
                "training_job/errors.py",
                "training_job/tracking.py",
                "training_job/drift_report",
            ],
            "requirements": "training_job/drift_report/requirements.txt",
            "command": ["python", "-m", "training_job.drift_report"],
            "environment": {"DO_NOT_TRACK": "1"},
        },
    ]


def answers(url: str) -> bool:
    """Whether a service says that it is well."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
