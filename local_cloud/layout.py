"""Where everything local lies, and on which ports it listens."""

import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from local_cloud.settings import REGION

ROOT: Final = Path(__file__).resolve().parent.parent
STACK: Final = "AreYouACat"


class StateError(ValueError):
    """A setting or a file of the state folder makes no sense; the message has the remedy."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The three ports of the local cloud, all on 127.0.0.1."""

    gateway: int = 4566
    mlflow: int = 5050
    ui: int = 8501


PORT_VARIABLES: Final = {"gateway": "GATEWAY_PORT", "mlflow": "MLFLOW_PORT", "ui": "UI_PORT"}


@dataclass(frozen=True, slots=True)
class Layout:
    """Every path below one state folder, so that instances can live side by side."""

    state: Path

    @classmethod
    def from_environment(cls) -> "Layout":
        """The folder named by LOCAL_STATE_DIR, else `.local` in the repository."""
        return cls(Path(os.environ.get("LOCAL_STATE_DIR") or ROOT / ".local").resolve())

    @property
    def logs(self) -> Path:
        """One log file per service."""
        return self.state / "logs"

    @property
    def run(self) -> Path:
        """Process ids, locks and the supervisor's configuration."""
        return self.state / "run"

    @property
    def credentials_file(self) -> Path:
        """The account's root credentials, written by the gateway, mode 0600."""
        return self.state / "credentials.json"

    @property
    def ca_bundle(self) -> Path:
        """The certificate authority that clients trust."""
        return self.state / "tls" / "ca.pem"

    @property
    def endpoints_file(self) -> Path:
        """What other programs read to find everything."""
        return self.state / "endpoints.json"

    @property
    def env_file(self) -> Path:
        """What a shell sources."""
        return self.state / "env"

    @property
    def sagemaker_sdk_file(self) -> Path:
        """The defaults of SageMaker's Python SDK; see `sdk_defaults`."""
        return self.state / "sagemaker-sdk.yaml"

    @property
    def mlflow(self) -> Path:
        """MLflow's database; its artifacts are in the lake."""
        return self.state / "mlflow"

    @property
    def known_stack(self) -> Path:
        """Holds the id of the stack that MLflow's database belongs to.

        One is nothing without the other, so they are kept or forgotten together.
        """
        return self.mlflow / "stack-id"

    @property
    def starter(self) -> Path:
        """The assembled starter photos, one folder per label."""
        return self.state / "starter"

    @property
    def images_file(self) -> Path:
        """Which entry point stands behind which training image."""
        return self.state / "images.json"

    @property
    def ports_file(self) -> Path:
        """The ports of the last start."""
        return self.state / "ports.json"

    def ports(self) -> Ports:
        """The ports: from the environment, else those of the last start, else the defaults.

        Raises:
            StateError: a variable holds no port number, or the file of the last start is damaged.
        """
        values = asdict(Ports())
        if self.ports_file.exists():
            values.update(self._remembered_ports())
        for name, variable in PORT_VARIABLES.items():
            if text := os.environ.get(variable):
                if not (text.isdigit() and 0 < int(text) < 65536):
                    raise StateError(f"{variable}={text} is no port number (1 to 65535).")
                values[name] = int(text)
        return Ports(**values)

    def remember_ports(self, ports: Ports) -> None:
        """Keep the ports for the next command: whole, or as they were if the disk is full."""
        fresh = self.ports_file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(ports)))
        fresh.replace(self.ports_file)

    def _remembered_ports(self) -> dict[str, int]:
        try:
            return asdict(Ports(**json.loads(self.ports_file.read_text())))
        except (ValueError, TypeError) as error:
            raise StateError(
                f"{self.ports_file} is damaged. Remove it: rm {self.ports_file}"
            ) from error

    def endpoints(self) -> dict[str, Any]:
        """What the last deployment wrote for other programs.

        Raises:
            FileNotFoundError: nothing is deployed yet.
            StateError: the file is damaged.
        """
        try:
            found = json.loads(self.endpoints_file.read_text())
            if "aws_endpoint_url" in found:
                return dict(found)
        except (ValueError, TypeError):
            pass
        raise StateError(f"{self.endpoints_file} is damaged. Write it anew: make up")

    def endpoint_url(self) -> str:
        """The address that AWS clients speak to."""
        return f"https://localhost:{self.ports().gateway}"

    def mlflow_url(self) -> str:
        """The MLflow server's address."""
        return f"http://127.0.0.1:{self.ports().mlflow}"

    def ui_url(self) -> str:
        """The Streamlit client's address."""
        return f"http://127.0.0.1:{self.ports().ui}"

    def client_environment(self) -> dict[str, str]:
        """The variables with which stock AWS clients speak to the local cloud.

        Raises:
            FileNotFoundError: the gateway has never run with this state folder.
        """
        credentials: dict[str, Any] = json.loads(self.credentials_file.read_text())
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url(),
            "AWS_CA_BUNDLE": str(self.ca_bundle),
            "NODE_EXTRA_CA_CERTS": str(self.ca_bundle),
            "AWS_ACCESS_KEY_ID": credentials["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": credentials["secret_access_key"],
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DEFAULT_ACCOUNT": credentials["account_id"],
            "CDK_DEFAULT_REGION": REGION,
            "DEPLOY_TARGET": "local",
            "SAGEMAKER_USER_CONFIG_OVERRIDE": str(self.sagemaker_sdk_file),
            # The SDK would ask whether the role may do all that AWS's examples do, and refuse ours,
            # which may do less. What a job does is checked when it does it.
            "SAGEMAKER_VALIDATE_ROLE": "false",
            "MLFLOW_TRACKING_URI": self.mlflow_url(),
            # Artifacts come through the MLflow server: its client knows no AWS_CA_BUNDLE, and
            # would try presigned addresses of the local cloud for minutes.
            "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
            "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
            "LOCAL_STATE_DIR": str(self.state),
        }


def is_taken(port: int) -> bool:
    """Whether a program listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
