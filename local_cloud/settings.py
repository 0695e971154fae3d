"""What the gateway is told through its environment, and the account's root credentials."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
_PORTS = range(1024, 65536)
_JOBS = range(1, 65)


class SettingsError(Exception):
    """The gateway cannot start as it was told to; the message says what to change."""


@dataclass(frozen=True)
class GatewaySettings:
    """Port, folders and images. `images`: see `sagemaker/images.py`.

    `jobs`: how many SageMaker jobs run at once; others wait. `engine`: the container engine for
    images that are not in `images`, if there is one.
    """

    port: int
    state_dir: Path
    images: Path
    environments_dir: Path | None
    uv: str
    jobs: int
    engine: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> GatewaySettings:
        """Read GATEWAY_PORT, LOCAL_STATE_DIR, UV, LOCAL_CLOUD_{IMAGES,ENVS,JOBS,ENGINE}.

        Raises `SettingsError` if one is missing or makes no sense.
        """
        port, state_dir = environment.get("GATEWAY_PORT", ""), environment.get("LOCAL_STATE_DIR")
        if not port.isdecimal() or int(port) not in _PORTS:
            raise SettingsError(
                f"GATEWAY_PORT must be a number from {_PORTS[0]} to {_PORTS[-1]}, not '{port}'."
            )
        if not state_dir:
            raise SettingsError("LOCAL_STATE_DIR must name the folder for the local cloud's state.")
        state = Path(state_dir).resolve()
        environments = environment.get("LOCAL_CLOUD_ENVS")
        return cls(
            port=int(port),
            state_dir=state,
            images=Path(environment.get("LOCAL_CLOUD_IMAGES") or state / "images.json").resolve(),
            environments_dir=Path(environments).resolve() if environments else None,
            uv=environment.get("UV") or "uv",
            jobs=_jobs(environment.get("LOCAL_CLOUD_JOBS") or "2"),
            engine=_engine(environment.get("LOCAL_CLOUD_ENGINE"), environment.get("PATH")),
        )

    @property
    def endpoint_url(self) -> str:
        """What clients are told."""
        return f"https://localhost:{self.port}"

    @property
    def emulator_dir(self) -> Path:
        """Everything that the emulator knows; without it, it starts empty."""
        return self.state_dir / "cloud"

    @property
    def s3_data(self) -> Path:
        """The objects on disk."""
        return self.emulator_dir / "s3"

    @property
    def checkpoints(self) -> Path:
        """The saved states."""
        return self.emulator_dir / "checkpoints"

    @property
    def runs(self) -> Path:
        """One folder of working files a start; emptied at every start."""
        return self.emulator_dir / "run"

    @property
    def temporary(self) -> Path:
        """TMPDIR of the gateway and of the functions; emptied at every start."""
        return self.emulator_dir / "tmp"


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) not in _JOBS:
        raise SettingsError(
            f"LOCAL_CLOUD_JOBS must be a number from {_JOBS[0]} to {_JOBS[-1]}, not '{text}'."
        )
    return int(text)


def _engine(named: str | None, path: str | None) -> str | None:
    """The engine's program; "none" asks for none, and by itself the first that is found is taken.

    Podman before Docker: without root, its containers' files belong to whoever started them.
    """
    if named == "none":
        return None
    names = (named,) if named else ("podman", "docker")
    found = next((program for name in names if (program := shutil.which(name, path=path))), None)
    if named and found is None:
        raise SettingsError(f"LOCAL_CLOUD_ENGINE names {named}, which is not on the PATH.")
    return found


@dataclass(frozen=True)
class Credentials:
    """The account's root credentials, as in `credentials.json`."""

    access_key_id: str
    secret_access_key: str
    account_id: str
    region: str

    def variables(self) -> dict[str, str]:
        """The variables that AWS's SDKs read."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }


def ensure_credentials(path: Path) -> Credentials:
    """The credentials of a file, which is made, readable by its owner only, if need be."""
    try:
        return Credentials(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        made = Credentials(
            access_key_id=f"AKIA{secrets.token_hex(8).upper()}",
            secret_access_key=secrets.token_urlsafe(30),
            account_id=ACCOUNT_ID,
            region=REGION,
        )
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(asdict(made), stream, indent=2)
    fresh.replace(path)
    return made


_NOT_PASSED_ON = ("PYTHON", "VIRTUAL_ENV", "AWS_", "MINISTACK_", "LOCALSTACK_", "LOCAL_CLOUD_")


def past_the_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables with which no client asks a proxy for what is on this machine."""
    names = ("NO_PROXY", "no_proxy")
    exempt = [part for name in names for part in environment.get(name, "").split(",") if part]
    return dict.fromkeys(names, ",".join(dict.fromkeys([*exempt, "localhost", "127.0.0.1"])))


def emulator_environment(
    settings: GatewaySettings,
    credentials: Credentials,
    tls: Mapping[str, str],
    run_dir: Path,
    inherited: Mapping[str, str],
) -> dict[str, str]:
    """The environment that MiniStack reads and that functions inherit.

    Functions must not see more than on AWS: no PYTHONPATH, no profile or configuration file of the
    user, no setting of ours. `tls`: what `USE_SSL` needs and what clients trust.
    """
    kept = {name: value for name, value in inherited.items() if not name.startswith(_NOT_PASSED_ON)}
    for name in ("LOCAL_STATE_DIR", "GATEWAY_PORT", "UV"):
        kept.pop(name, None)
    return {
        "LOG_LEVEL": "WARNING",
        **kept,
        **credentials.variables(),
        **tls,
        **past_the_proxy(kept),
        "AWS_ENDPOINT_URL": settings.endpoint_url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "GATEWAY_PORT": str(settings.port),
        "BIND_HOST": "127.0.0.1",
        "USE_SSL": "1",
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "MINISTACK_ACCOUNT_ID": credentials.account_id,
        "MINISTACK_REGION": credentials.region,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(run_dir),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(settings.s3_data),
        "TMPDIR": str(settings.temporary),
    }
