"""The gateway's settings, certificate, credentials and routes, without the emulator."""

import asyncio
import datetime as dt
import json
import logging
import os
import ssl
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from local_cloud import settings as settings_module
from local_cloud import tls
from local_cloud.asgi import Gateway
from local_cloud.checkpoint import CheckpointStore, Start
from local_cloud.checkpointer import Checkpointer, EmulatorState
from local_cloud.gateway_log import is_news
from local_cloud.rights_used import RightsUsed
from local_cloud.settings import GatewaySettings, SettingsError, ensure_credentials

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def test_the_certificate_is_trusted_for_loopback_names_only(tmp_path: Path) -> None:
    files = tls.ensure_certificates(tmp_path / "tls", dt.datetime.now(dt.UTC))

    for name in ("localhost", "127.0.0.1"):
        assert _handshake(files, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(files, "example.com")


def _handshake(files: tls.TlsFiles, name: str) -> bool:
    """A TLS handshake in memory, the client trusting the CA alone."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(files.certificate, files.key)
    client_context = ssl.create_default_context(cafile=str(files.ca))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, server]
    for _ in range(10):
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                continue
    return not waiting


def test_a_valid_certificate_is_used_again(tmp_path: Path) -> None:
    first = tls.ensure_certificates(tmp_path, NOW).certificate.read_bytes()

    later = tls.ensure_certificates(tmp_path, NOW + dt.timedelta(days=300))

    assert later.certificate.read_bytes() == first


def test_a_certificate_near_its_end_is_renewed(tmp_path: Path) -> None:
    first = tls.ensure_certificates(tmp_path, NOW).certificate.read_bytes()

    late = NOW + dt.timedelta(days=tls.VALID_DAYS - 10)
    renewed = tls.ensure_certificates(tmp_path, late)

    assert renewed.certificate.read_bytes() != first
    assert tls.is_usable(renewed, late)


@pytest.mark.parametrize("name", ["ca.pem", "server.pem", "server.key"])
def test_a_damaged_or_foreign_file_makes_a_new_certificate(tmp_path: Path, name: str) -> None:
    files = tls.ensure_certificates(tmp_path / "ours", NOW)
    tls.ensure_certificates(tmp_path / "other", NOW)
    (tmp_path / "other" / name).replace(tmp_path / "ours" / name)
    assert not tls.is_usable(files, NOW)

    assert tls.is_usable(tls.ensure_certificates(tmp_path / "ours", NOW), NOW)
    (tmp_path / "ours" / name).write_text("")
    assert tls.is_usable(tls.ensure_certificates(tmp_path / "ours", NOW), NOW)


def test_keys_and_credentials_are_for_their_owner_only(tmp_path: Path) -> None:
    files = tls.ensure_certificates(tmp_path / "tls", NOW)
    ensure_credentials(tmp_path / "credentials.json")

    assert files.key.stat().st_mode & 0o077 == 0
    assert (tmp_path / "credentials.json").stat().st_mode & 0o077 == 0
    assert {path.name for path in files.key.parent.iterdir()} == {
        "ca.pem",
        "server.pem",
        "server.key",
    }


def test_credentials_are_random_and_kept(tmp_path: Path) -> None:
    first = ensure_credentials(tmp_path / "a.json")

    assert ensure_credentials(tmp_path / "a.json") == first
    assert ensure_credentials(tmp_path / "b.json") != first


@pytest.mark.parametrize("damaged", ["", "[]", '{"access_key_id": "a"}', "not json"])
def test_damaged_credentials_are_made_anew(tmp_path: Path, damaged: str) -> None:
    (tmp_path / "credentials.json").write_text(damaged)

    made = ensure_credentials(tmp_path / "credentials.json")

    assert ensure_credentials(tmp_path / "credentials.json") == made


NEEDED = {"GATEWAY_PORT": "4566", "LOCAL_STATE_DIR": "/x"}


@pytest.mark.parametrize("port", ["", "0", "80", "65536", "-1", "4566x"])
def test_a_port_that_is_none_is_refused_by_name(port: str) -> None:
    with pytest.raises(SettingsError, match="GATEWAY_PORT"):
        GatewaySettings.from_environment({"GATEWAY_PORT": port, "LOCAL_STATE_DIR": "/x"})


def test_a_missing_state_folder_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="LOCAL_STATE_DIR"):
        GatewaySettings.from_environment({"GATEWAY_PORT": "4566"})


@pytest.mark.parametrize("jobs", ["0", "65", "-1", "two"])
def test_a_number_of_jobs_that_is_none_is_refused_by_name(jobs: str) -> None:
    with pytest.raises(SettingsError, match="LOCAL_CLOUD_JOBS"):
        GatewaySettings.from_environment({**NEEDED, "LOCAL_CLOUD_JOBS": jobs})


@pytest.mark.parametrize(
    ("installed", "named", "chosen"),
    [
        ([], "", None),
        (["docker"], "", "docker"),
        (["docker", "podman"], "", "podman"),
        (["docker", "podman"], "docker", "docker"),
        (["docker"], "none", None),
    ],
)
def test_the_container_engine_that_is_there_is_found_unless_another_is_named(
    installed: list[str], named: str, chosen: str | None, tmp_path: Path
) -> None:
    for name in installed:
        (tmp_path / name).touch(mode=0o700)

    settings = GatewaySettings.from_environment(
        {**NEEDED, "PATH": str(tmp_path), "LOCAL_CLOUD_ENGINE": named}
    )

    assert settings.engine == (str(tmp_path / chosen) if chosen else None)


def test_a_named_engine_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="LOCAL_CLOUD_ENGINE names docker"):
        GatewaySettings.from_environment(
            {**NEEDED, "PATH": str(tmp_path), "LOCAL_CLOUD_ENGINE": "docker"}
        )


def test_functions_inherit_nothing_that_aws_would_not_give_them(tmp_path: Path) -> None:
    settings = GatewaySettings.from_environment(
        {"GATEWAY_PORT": "4566", "LOCAL_STATE_DIR": str(tmp_path)}
    )
    inherited = {
        "PATH": "/bin",
        "PYTHONPATH": "/repository",
        "PYTHONSTARTUP": "/x.py",
        "VIRTUAL_ENV": "/venv",
        "AWS_PROFILE": "production",
        "AWS_ENDPOINT_URL": "https://elsewhere",
        "LOCAL_STATE_DIR": "/x",
        "LOCAL_CLOUD_IMAGES": "/y",
        "NO_PROXY": "intranet",
    }

    environment = settings_module.emulator_environment(
        settings, ensure_credentials(tmp_path / "c.json"), {}, tmp_path / "run", inherited
    )

    assert environment["PATH"] == "/bin"
    assert not {name for name in environment if name.startswith(("PYTHON", "VIRTUAL", "LOCAL_"))}
    assert "AWS_PROFILE" not in environment
    assert environment["AWS_ENDPOINT_URL"] == "https://localhost:4566"
    assert environment["AWS_CONFIG_FILE"] == os.devnull
    assert environment["NO_PROXY"] == "intranet,localhost,127.0.0.1"
    assert environment["BIND_HOST"] == "127.0.0.1"
    assert environment["AUTH"] == "true"


class Emulator:
    """Answers every request with 200 and remembers its path."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.busy = False

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        self.paths.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


@pytest.fixture
def emulator() -> Emulator:
    return Emulator()


RIGHTS = RightsUsed()


@pytest.fixture
def gateway(emulator: Emulator, tmp_path: Path) -> Gateway:
    state = EmulatorState("1", lambda: [("iam", b"{}")], tmp_path / "b", lambda: emulator.busy)
    checkpointer = Checkpointer(CheckpointStore(tmp_path / "checkpoints"), state, "id", None)
    return Gateway(emulator, checkpointer, Start(restored=False, reset=True), "id", RIGHTS)


def call(gateway: Gateway, method: str, path: str) -> tuple[int, dict[str, Any]]:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "method": method, "path": path, "headers": []}
    asyncio.run(gateway(scope, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"])


def test_the_health_says_what_was_found_and_what_is_saved(gateway: Gateway) -> None:
    status, before = call(gateway, "GET", "/_local/health")
    _, saved = call(gateway, "POST", "/_local/checkpoint")
    _, after = call(gateway, "GET", "/_local/health")

    assert status == 200
    assert before == {
        "status": "ok",
        "checkpoint": None,
        "restored": False,
        "reset": True,
        "state_id": "id",
    }
    assert after["checkpoint"] == saved["checkpoint"]
    assert saved["checkpoint"]["sequence"] == 1


def test_a_right_that_was_used_is_told_once(gateway: Gateway) -> None:
    for _ in range(2):
        RIGHTS.note("predict", "s3:GetObject", "models/*")

    assert call(gateway, "GET", "/_local/rights") == (
        200,
        {"used": [{"principal": "predict", "action": "s3:GetObject", "resource": "models/*"}]},
    )


def test_a_checkpoint_during_a_stack_operation_is_refused(
    gateway: Gateway, emulator: Emulator
) -> None:
    emulator.busy = True

    status, answer = call(gateway, "POST", "/_local/checkpoint")

    assert status == 409
    assert "stack operation" in answer["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/_local/checkpoint", 404),
        ("POST", "/_local/health", 404),
        ("POST", "/_ministack/reset", 403),
        ("POST", "/_ministack/config", 403),
        ("GET", "/_aws/sqs/messages", 403),
        ("GET", "/_localstack/health", 403),
    ],
)
def test_the_emulators_own_routes_are_closed(
    gateway: Gateway, emulator: Emulator, method: str, path: str, status: int
) -> None:
    assert call(gateway, method, path)[0] == status
    assert emulator.paths == []


@pytest.mark.parametrize("path", ["/", "/lake/key", "/_ministack/cfn-response/token"])
def test_everything_else_reaches_the_emulator(
    gateway: Gateway, emulator: Emulator, path: str
) -> None:
    assert call(gateway, "PUT", path)[0] == 200
    assert emulator.paths == [path]


@pytest.mark.parametrize(
    ("error", "news"),
    [
        (TimeoutError("SSL shutdown timed out"), False),
        (TimeoutError("something else took too long"), True),
        (OSError("SSL shutdown timed out"), True),
        (None, True),
    ],
)
def test_only_a_client_that_hangs_up_without_farewell_is_no_news(
    error: Exception | None, news: bool
) -> None:
    raised = (type(error), error, None) if error else None
    record = logging.LogRecord("asyncio", logging.ERROR, "", 0, "message", (), raised)

    assert is_news(record) is news
