"""Where the system runs: what `make up` and `make deploy` wrote down, and clients for it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

STATE_DIR = Path(__file__).resolve().parents[1] / ".local"
"""Where the endpoints file is unless `LOCAL_STATE_DIR` says otherwise."""

MAX_POOL_CONNECTIONS = 32


class UnknownEndpointError(Exception):
    """Nothing says where the wanted part of the system is; the message names the remedy."""


@dataclass(frozen=True)
class Endpoints:
    """The parts of `endpoints.json` that command-line tools need; absent ones are empty."""

    aws_endpoint_url: str = ""
    ca_bundle: str = ""
    region: str = ""
    lake_bucket: str = ""
    predictions_table: str = ""
    control_table: str = ""
    compare_function: str = ""
    mlflow_url: str = ""
    state_machines: Mapping[str, str] = field(default_factory=dict)
    verify_registry_function: str = ""

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ) -> Endpoints:
        """From `$LOCAL_STATE_DIR/endpoints.json`, if there is one; `LAKE_BUCKET` goes before it.

        Raises `UnknownEndpointError` if the file is damaged.
        """
        file = Path(environment.get("LOCAL_STATE_DIR") or STATE_DIR) / "endpoints.json"
        try:
            known = json.loads(file.read_text(encoding="utf-8"))
            return cls(
                aws_endpoint_url=known.get("aws_endpoint_url") or "",
                ca_bundle=known.get("ca_bundle") or "",
                region=known.get("region") or "",
                lake_bucket=environment.get("LAKE_BUCKET") or known.get("lake_bucket") or "",
                predictions_table=known.get("predictions_table") or "",
                control_table=known.get("control_table") or "",
                compare_function=known.get("compare_function") or "",
                mlflow_url=known.get("mlflow_url") or "",
                state_machines=dict(known.get("state_machines") or {}),
                verify_registry_function=known.get("verify_registry_function") or "",
            )
        except FileNotFoundError:
            return cls(lake_bucket=environment.get("LAKE_BUCKET", ""))
        except (ValueError, TypeError, AttributeError) as error:
            raise UnknownEndpointError(
                f"{file} cannot be read; `make up` (or `make deploy`) writes it anew."
            ) from error

    def require_lake_bucket(self) -> str:
        """The lake's bucket; raises `UnknownEndpointError` if nothing names it."""
        if not self.lake_bucket:
            raise UnknownEndpointError(
                "The lake is not known: run `make up` first, or set LAKE_BUCKET."
            )
        return self.lake_bucket

    def require_tables(self) -> dict[str, str]:
        """Both tables' names by what they hold; raises `UnknownEndpointError` if one is unknown."""
        tables = {"predictions": self.predictions_table, "control": self.control_table}
        if not all(tables.values()):
            raise UnknownEndpointError(
                "The tables are not known: run `make up` (or `make deploy`) first."
            )
        return tables

    def require_state_machine(self, name: str) -> str:
        """The ARN of a workflow; raises `UnknownEndpointError` if nothing names it."""
        if name not in self.state_machines:
            raise UnknownEndpointError(
                f"The workflow '{name}' is not known: run `make up` (or `make deploy`) first."
            )
        return self.state_machines[name]

    def require_verify_registry_function(self) -> str:
        """The function's name; raises `UnknownEndpointError` if nothing names it."""
        if not self.verify_registry_function:
            raise UnknownEndpointError(
                "The registry's check is not known: run `make up` (or `make deploy`) first."
            )
        return self.verify_registry_function

    def require_compare_function(self) -> str:
        """The function's name; raises `UnknownEndpointError` if nothing names it."""
        if not self.compare_function:
            raise UnknownEndpointError(
                "The function that compares models is not known: run `make up` (or `make deploy`) "
                "first."
            )
        return self.compare_function

    def client(self, service: str, *, answers_within_seconds: int | None = None) -> Any:
        """A boto3 client; what the environment says (`AWS_ENDPOINT_URL`, …) goes before the file.

        The file holds no credentials: those come from the environment, as for every AWS tool.

        `answers_within_seconds`: for calls that take minutes; those are not tried again.
        """
        known: dict[str, Any] = {}
        if "AWS_ENDPOINT_URL" not in os.environ and self.aws_endpoint_url:
            known["endpoint_url"] = self.aws_endpoint_url
        if "AWS_CA_BUNDLE" not in os.environ and self.ca_bundle:
            known["verify"] = self.ca_bundle
        if not {"AWS_REGION", "AWS_DEFAULT_REGION"} & os.environ.keys() and self.region:
            known["region_name"] = self.region
        config = Config(
            connect_timeout=5,
            retries={"mode": "standard", "total_max_attempts": 5},
            max_pool_connections=MAX_POOL_CONNECTIONS,
        )
        if answers_within_seconds is not None:
            # Whoever is between must not take so long a silence for the end of the connection.
            patient = Config(
                read_timeout=answers_within_seconds,
                retries={"mode": "standard", "total_max_attempts": 1},
                tcp_keepalive=True,
            )
            config = config.merge(patient)
        connect: Any = boto3.client  # its type knows only literal service names
        return connect(service, config=config, **known)
