"""Starting the cloud itself: from its last whole state, or from nothing, never from half."""

import contextlib
import json
import shutil
from pathlib import Path
from typing import Final

from local_cloud.cloud import Cloud
from local_cloud.console import CommandError, say
from local_cloud.layout import PORT_VARIABLES, STACK, Layout, Ports, is_taken
from local_cloud.services import EMF, GATEWAY, MLFLOW, UI
from local_cloud.supervisor import Supervisor, SupervisorError, poll

BOOTSTRAP_STACK: Final = "CDKToolkit"


class Startup:
    """Brings the gateway up and judges what it remembers."""

    def __init__(self, layout: Layout, supervisor: Supervisor) -> None:
        self._layout = layout
        self._supervisor = supervisor

    def claim_ports(self) -> None:
        """Settle on the ports and make sure that they are ours.

        Raises:
            CommandError: another program listens on one of them.
            StateError: they make no sense.
        """
        ports = self._layout.ports()
        running = self._supervisor.is_running()
        if running and self._layout.ports_file.exists():
            before = Ports(**json.loads(self._layout.ports_file.read_text()))
            if before != ports:
                self._supervisor.shut_down()
                running = False
        if not running:
            self._supervisor.shut_down()  # whatever an earlier one left behind
            for name, variable in PORT_VARIABLES.items():
                port = getattr(ports, name)
                if is_taken(port):
                    raise CommandError(
                        f"Port {port} is in use by another program. "
                        f"Stop that one or choose another port: {variable}=<port> make up"
                    )
        self._layout.remember_ports(ports)

    def start(self) -> Cloud:
        """Start the gateway, or find it running.

        What it saved whole is used. Where that does not fit MLflow's database, or where a
        deployment was cut off, lake, stack and MLflow are forgotten together, and it says so.

        Raises:
            SupervisorError: it does not come up.
        """
        self._supervisor.ensure()
        cloud = self._gateway()
        stacks = (BOOTSTRAP_STACK, STACK)
        with contextlib.suppress(TimeoutError):
            for name in stacks:
                cloud.settle(name)
        stack = cloud.stack_id()
        known = self._layout.known_stack.read_text() if self._layout.known_stack.exists() else None
        if any(cloud.is_broken(name) for name in stacks):
            cloud = self._start_anew("An earlier deployment was cut off half-way")
        elif stack is None:
            if self._layout.mlflow.exists():
                self._forget_registry("The emulator was stopped before it had saved itself whole")
        elif known != stack and (self._layout.mlflow.exists() or self._has_champion(cloud)):
            cloud = self._start_anew("MLflow's database is not the one of this lake")
        return cloud

    def _has_champion(self, cloud: Cloud) -> bool:
        if not self._layout.endpoints_file.exists():
            return False
        return cloud.has_champion(self._layout.endpoints()["lake_bucket"])

    def _gateway(self) -> Cloud:
        self._supervisor.start(GATEWAY)
        for _ in poll(seconds=60):
            if self._supervisor.state(GATEWAY) in {"FATAL", "EXITED"}:
                self._supervisor.explain(GATEWAY)
            if self._layout.credentials_file.exists() and self._layout.ca_bundle.exists():
                cloud = Cloud(self._layout)
                if cloud.health():
                    return cloud
        raise SupervisorError(
            f"The local cloud does not answer; see {self._layout.logs / 'gateway.log'}."
        )

    def _start_anew(self, reason: str) -> Cloud:
        self._forget_registry(reason)
        self._supervisor.shut_down()
        for entry in ("cloud", "sagemaker"):
            _remove(self._layout.state / entry)
        self._supervisor.ensure()
        return self._gateway()

    def _forget_registry(self, reason: str) -> None:
        say(f"  {reason}: lake, stack and MLflow start anew together.")
        for service in (MLFLOW, UI, EMF):
            self._supervisor.stop(service)
        _remove(self._layout.mlflow)
        _remove(self._layout.endpoints_file)
        _remove(self._layout.state / "emf.json")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
