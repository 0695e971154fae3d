"""The background services of the local cloud: what they are and how each is started."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from local_cloud.layout import ROOT, Layout

GATEWAY: Final = "gateway"
EMF: Final = "emf"
MLFLOW: Final = "mlflow"
UI: Final = "ui"
ALL: Final = (GATEWAY, EMF, MLFLOW, UI)
"""In the order of starting; stopped the other way round."""


@dataclass(frozen=True, slots=True)
class ServiceCommand:
    """A command line and what it needs in its environment beside what is there."""

    arguments: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def cloud_python() -> str:
    """The interpreter of the local cloud's own environment (CLOUD_PYTHON)."""
    return os.environ.get("CLOUD_PYTHON") or str(ROOT / ".venvs" / "cloud" / "bin" / "python")


def service_command(name: str, layout: Layout) -> ServiceCommand:
    """How a service is started, once what it builds on is there.

    Raises:
        KeyError: no such service.
        FileNotFoundError: the stack is not deployed yet, for services that need it.
    """
    return {GATEWAY: _gateway, EMF: _emf, MLFLOW: _mlflow, UI: _ui}[name](layout)


def _gateway(layout: Layout) -> ServiceCommand:
    return ServiceCommand(
        [cloud_python(), "-m", "local_cloud.gateway"],
        {
            "GATEWAY_PORT": str(layout.ports().gateway),
            "LOCAL_CLOUD_IMAGES": str(layout.images_file),
        },
    )


def _emf(layout: Layout) -> ServiceCommand:
    return ServiceCommand([cloud_python(), "-m", "local_cloud.emf"], layout.client_environment())


def _mlflow(layout: Layout) -> ServiceCommand:
    lake = json.loads(layout.endpoints_file.read_text())["lake_bucket"]
    layout.mlflow.mkdir(parents=True, exist_ok=True)
    return ServiceCommand(
        [
            _beside_python("mlflow"),
            "server",
            "--host=127.0.0.1",
            f"--port={layout.ports().mlflow}",
            "--workers=1",
            f"--backend-store-uri=sqlite:///{layout.mlflow / 'mlflow.db'}",
            f"--artifacts-destination=s3://{lake}/mlflow",
            "--serve-artifacts",
        ],
        {
            **layout.client_environment(),
            "MLFLOW_S3_ENDPOINT_URL": layout.endpoint_url(),
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
    )


def _ui(layout: Layout) -> ServiceCommand:
    return ServiceCommand(
        [
            _beside_python("streamlit"),
            "run",
            str(ROOT / "ui" / "app.py"),
            "--server.address=127.0.0.1",
            f"--server.port={layout.ports().ui}",
            "--server.headless=true",
            "--browser.gatherUsageStats=false",
        ],
        {**layout.client_environment(), "PYTHONPATH": str(ROOT)},
    )


def _beside_python(tool: str) -> str:
    return str(Path(sys.executable).parent / tool)
