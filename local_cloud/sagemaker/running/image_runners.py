"""How an image is run: its command as a process of this machine, or by a container engine."""

import os
import secrets
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.containers.container import Container, Isolation, best_isolation
from local_cloud.sagemaker.containers.environments import environment_for
from local_cloud.sagemaker.containers.images import Image, UnknownImageError, find_image
from local_cloud.sagemaker.containers.job_python import layered
from local_cloud.sagemaker.control import JobControl
from local_cloud.sagemaker.errors import DataOrImageError
from local_cloud.sagemaker.records.jobs import JobKey
from local_cloud.sagemaker.requests.job_request import JobRequest
from local_cloud.sagemaker.running import job_environment
from local_cloud.sagemaker.running.tasks import Task

_OPT_ML = "/opt/ml"
# `docker run` and `podman run`: the engine itself failed.
_ENGINE_FAILED = 125


@dataclass(frozen=True)
class Place:
    """Where one job runs. `disk` is its own folder; `opt_ml` in it becomes /opt/ml."""

    disk: Path
    opt_ml: Path
    key: JobKey
    credentials: Mapping[str, str]


class ImageRunner(Protocol):
    """Makes a job's container; leaving the context removes what it needed beside the disk."""

    def container(self, place: Place, task: Task) -> AbstractContextManager[Container]:
        """What to run. DataOrImageError where this system cannot give the job what it needs."""


def runner_for(
    config: SageMakerConfig,
    request: JobRequest,
    control: JobControl,
    say: Callable[[str], object],
) -> ImageRunner:
    """The runner of a request's image; for a registered one, once its environment stands.

    Raises DataOrImageError for an image that cannot be run here, JobStopped if the job is stopped
    meanwhile.
    """
    try:
        image = find_image(config.images_file, request.image)
    except UnknownImageError:
        if config.engine is None:
            raise
        say(f"Running the image {request.image} with {Path(config.engine).name}")
        return EngineRunner(config, config.engine)
    python = environment_for(image.requirements, config.environments, config.uv, control, say)
    return ProcessRunner(config, image, python)


@dataclass(frozen=True)
class ProcessRunner:
    """Runs an image of the images file: its sources, its command, its environment's Python."""

    config: SageMakerConfig
    image: Image
    python: Path

    @contextmanager
    def container(self, place: Place, task: Task) -> Iterator[Container]:
        """A process with an /opt/ml of its own, or with SAGEMAKER_BASE_DIR instead."""
        isolation = best_isolation()
        if isolation is Isolation.NONE:
            _refuse_without_namespaces(task.request)
        code, home = place.disk / "code", place.disk / "home"
        self.image.copy_sources(code)
        home.mkdir()
        programs = layered(self.python, place.disk / "python")
        environment = {
            "PATH": f"{programs}:{self.python / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(home),
            "TMPDIR": str(home),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            **self.image.environment,
            **job_environment.variables(self.config, place.key, task, place.credentials),
        }
        if isolation is Isolation.NONE:
            environment["SAGEMAKER_BASE_DIR"] = str(place.opt_ml)
        yield Container(
            job_environment.command(task, self.image.command),
            environment,
            code,
            place.opt_ml.parent,
            isolation,
            private_network=task.request.network_isolation,
        )


def _refuse_without_namespaces(request: JobRequest) -> None:
    if request.network_isolation:
        raise DataOrImageError(
            "EnableNetworkIsolation needs a network namespace, and this system allows none. Leave"
            " it out here, or allow unprivileged user namespaces"
        )
    if request.names(_OPT_ML):
        raise DataOrImageError(
            f"The job's entry point, arguments or environment name {_OPT_ML}, and this system"
            " allows no private mounts, so that the job cannot have one of its own. Read"
            " SAGEMAKER_BASE_DIR instead, or allow unprivileged user namespaces"
        )


@dataclass(frozen=True)
class EngineRunner:
    """Runs any image with `docker` or `podman`, as SageMaker does."""

    config: SageMakerConfig
    program: str

    @contextmanager
    def container(self, place: Place, task: Task) -> Iterator[Container]:
        """The engine's client; the container itself is removed at the end, however it comes."""
        name = f"{place.key.name}-{secrets.token_hex(4)}"
        variables = job_environment.variables(self.config, place.key, task, place.credentials)
        kept = {name: os.environ[name] for name in _CLIENT_VARIABLES if name in os.environ}
        try:
            yield Container(
                self._command(name, place, task, variables),
                {**variables, **kept},
                place.disk,
                place.opt_ml.parent,
                Isolation.NONE,
                refused=_ENGINE_FAILED,
            )
        finally:
            subprocess.run(
                [self.program, "rm", "--force", name],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )

    def _command(
        self, name: str, place: Place, task: Task, variables: Mapping[str, str]
    ) -> list[str]:
        request, bundle = task.request, self.config.ca_bundle
        command = [self.program, "run", "--rm", "--name", name]
        # The endpoint is on this machine's loopback, and on no other network.
        command += ["--network", "none" if request.network_isolation else "host"]
        command += ["--volume", f"{place.opt_ml}:{_OPT_ML}"]
        if bundle and not request.network_isolation:
            command += ["--volume", f"{bundle}:{bundle}:ro"]
        if Path(self.program).name == _NEEDS_A_USER and os.getuid() != 0:
            # What its containers write as root, this process could not remove.
            command += ["--user", f"{os.getuid()}:{os.getgid()}"]
        for variable, value in variables.items():
            # By name only: the engine takes the value from its client's environment, which no
            # other user can read, as they can the command line. The client's own stay the client's.
            told = f"{variable}={value}" if variable in _CLIENT_VARIABLES else variable
            command += ["--env", told]
        if request.entrypoint:
            first, *rest = request.entrypoint
            command += ["--entrypoint", first]
            return [*command, request.image, *rest, *(request.arguments or ())]
        return [*command, request.image, *(request.arguments or task.arguments)]


# Podman's containers run as whoever started them, unless that is root; Docker's always as root.
_NEEDS_A_USER = "docker"
# What the engine's client needs of this process's environment.
_CLIENT_VARIABLES = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR")
