"""Where the API and AWS are: `endpoints.json`, which `make up` and `make deploy` write."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STATE_DIR = Path(__file__).resolve().parents[1] / ".local"
"""Where the endpoints file is unless `LOCAL_STATE_DIR` says otherwise."""


class NotConfiguredError(Exception):
    """There is no usable endpoints file; the message says what to do, in plain words."""


@dataclass(frozen=True)
class Configuration:
    """What the pages need to reach the API, which `api_url` (ends in `/`) names, and AWS.

    `aws_endpoint_url`: of the local cloud; `None` on AWS. What follows `region` is `None` in a file
    that is older than it: the workflows' ARNs, names in AWS, and MLflow's address for a browser.
    """

    api_url: str
    api_key: str
    ca_bundle: str | None
    """Certificates to trust instead of the system's, as a file; `None` on AWS."""
    aws_endpoint_url: str | None = None
    region: str | None = None
    deploy_machine: str | None = None
    monitor_machine: str | None = None
    train_machine: str | None = None
    lake_bucket: str | None = None
    predictions_table: str | None = None
    compare_function: str | None = None
    mlflow_url: str | None = None

    @property
    def stack(self) -> str | None:
        """The stack's name, which begins those of its workflows, functions and alarms."""
        if self.monitor_machine is None:
            return None
        return self.monitor_machine.rpartition(":")[2].removesuffix("-monitor") or None

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ) -> Configuration:
        """Read `$LOCAL_STATE_DIR/endpoints.json`; raises `NotConfiguredError`."""
        file = Path(environment.get("LOCAL_STATE_DIR") or STATE_DIR) / "endpoints.json"
        try:
            known = json.loads(file.read_text(encoding="utf-8"))
            return cls(
                api_url=str(known["api_url"]).rstrip("/") + "/",
                api_key=str(known["api_key"]),
                ca_bundle=known.get("ca_bundle") or None,
                aws_endpoint_url=known.get("aws_endpoint_url") or None,
                region=known.get("region") or None,
                deploy_machine=known.get("state_machines", {}).get("deploy"),
                monitor_machine=known.get("state_machines", {}).get("monitor"),
                train_machine=known.get("state_machines", {}).get("train"),
                lake_bucket=known.get("lake_bucket"),
                predictions_table=known.get("predictions_table"),
                compare_function=known.get("compare_function"),
                mlflow_url=known.get("mlflow_url"),
            )
        except FileNotFoundError as error:
            raise NotConfiguredError(
                "The system has not been started yet. Run `make up`, then reload this page."
            ) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotConfiguredError(
                f"The file {file} is damaged. Run `make up` again, then reload this page."
            ) from error
