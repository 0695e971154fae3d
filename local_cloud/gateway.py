"""The local cloud's endpoint: `python -m local_cloud.gateway`.

MiniStack behind TLS on 127.0.0.1, with IAM enforced, our SageMaker beside its services, and
checkpoints (`checkpoint.py`). Three routes of its own, without IAM since they are for whoever
started it: `GET /_local/health`, `GET /_local/rights` and `POST /_local/checkpoint` (`asgi.py`).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import fcntl
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import uuid
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, NoReturn

import uvloop
from hypercorn.asyncio import serve
from hypercorn.config import Config

from local_cloud import checkpoint, ministack_hooks, tls
from local_cloud.asgi import Gateway
from local_cloud.checkpoint import Checkpoint, CheckpointError, CheckpointStore, Start
from local_cloud.checkpointer import Checkpointer, EmulatorState
from local_cloud.gateway_log import is_news
from local_cloud.ministack_version import (
    MINISTACK_VERSION,
    IncompatibleEmulatorError,
    require_expected_version,
)
from local_cloud.rights_used import RightsUsed
from local_cloud.sagemaker import ministack
from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.service import SageMakerService
from local_cloud.settings import (
    Credentials,
    GatewaySettings,
    SettingsError,
    emulator_environment,
    ensure_credentials,
)

HOST = "127.0.0.1"
GOODBYE_SECONDS = 4.0
logger = logging.getLogger("local_cloud.gateway")


@dataclass(frozen=True)
class Prepared:
    """A state folder that is ready to be served from.

    `state_id`: the same for all that grew out of one first start or reset.
    """

    start: Start
    checkpoint: Checkpoint | None
    state_id: str
    store: CheckpointStore
    run_dir: Path


def take_state_dir(state_dir: Path) -> IO[bytes]:
    """Lock the state folder for this process; the lock ends with it, however it ends."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = (state_dir / "gateway.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise SettingsError(
            f"Another local cloud is running with the state folder {state_dir}; stop it first."
        ) from None
    return lock


def take_port(port: int) -> socket.socket:
    """Listen on the port, on loopback only; what arrives early waits."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(100)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"Port {port} on {HOST} cannot be used ({error.strerror}); stop what uses it, or set "
            "GATEWAY_PORT to another."
        ) from None
    return listener


def prepare(settings: GatewaySettings) -> Prepared:
    """Choose the state to start from, lay it out, and remove what does not belong to it."""
    store = CheckpointStore(settings.checkpoints)
    store.remove_broken()
    chosen = store.newest(MINISTACK_VERSION)
    leftovers = settings.s3_data.is_dir() and any(settings.s3_data.iterdir())
    start = checkpoint.plan_start(has_checkpoint=chosen is not None, has_leftovers=leftovers)
    if start.reset:
        logger.warning("No whole checkpoint: starting empty, without the objects found on disk.")
        shutil.rmtree(settings.s3_data)
        store.clear()
    # A folder of its own each time: the child of a killed gateway may still be writing in its own.
    for leftover in (settings.runs, settings.temporary):
        shutil.rmtree(leftover, ignore_errors=True)
        leftover.mkdir(mode=0o700)
    settings.s3_data.mkdir(mode=0o700, exist_ok=True)
    run_dir = Path(tempfile.mkdtemp(dir=settings.runs))
    if chosen is not None:
        checkpoint.link_into(chosen, run_dir)
    state_id = chosen.state_id if chosen else uuid.uuid4().hex
    return Prepared(start, chosen, state_id, store, run_dir)


def _tls_variables(files: tls.TlsFiles) -> dict[str, str]:
    return {
        "MINISTACK_SSL_CERT": str(files.certificate),
        "MINISTACK_SSL_KEY": str(files.key),
        "AWS_CA_BUNDLE": str(files.ca),
        "NODE_EXTRA_CA_CERTS": str(files.ca),
    }


def _give_up(prepared: Prepared, error: ministack_hooks.UnusableStateError) -> NoReturn:
    """End at once: the emulator holds half a state."""
    if prepared.checkpoint is not None:
        prepared.store.set_aside(prepared.checkpoint)
    logger.error("A checkpoint cannot be used (%s) and was set aside. Start again.", error)
    logging.shutdown()
    os._exit(1)


async def run(
    settings: GatewaySettings,
    credentials: Credentials,
    files: tls.TlsFiles,
    listener: socket.socket,
    prepared: Prepared,
) -> NoReturn:
    """Serve until SIGTERM or SIGINT, then save the state and end the process."""
    removed = ministack_hooks.remove_unknown_buckets(settings.s3_data, prepared.run_dir)
    if removed:
        logger.warning("Removed buckets newer than the checkpoint: %s", ", ".join(removed))
    ministack_hooks.require_signature_of_root()
    ministack_hooks.name_lambda_errors()
    ministack_hooks.end_logs_sooner()
    ministack_hooks.tell_metrics_apart()
    ministack_hooks.heed_max_concurrency_path()
    rights = RightsUsed()
    ministack_hooks.tell_rights_used(rights.note)
    ministack_hooks.take_over_persistence(partial(_give_up, prepared))
    jobs = _sagemaker(settings, credentials, files)
    if not prepared.start.restored:
        shutil.rmtree(jobs.jobs_dir, ignore_errors=True)  # their models are gone
    service = SageMakerService(jobs)
    ministack.attach(service)
    state = EmulatorState(
        emulator=MINISTACK_VERSION,
        services=ministack_hooks.services_state,
        blobs=ministack_hooks.code_blobs(),
        busy=ministack_hooks.stack_in_progress,
    )
    checkpointer = Checkpointer(prepared.store, state, prepared.state_id, prepared.checkpoint)
    gateway = Gateway(
        ministack_hooks.asgi_app(), checkpointer, prepared.start, prepared.state_id, rights
    )

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    saving = asyncio.create_task(checkpointer.run())
    await _serve(gateway, _server(files, listener), service, stop)
    saving.cancel()
    await asyncio.gather(saving, return_exceptions=True)
    try:
        await checkpointer.save()
    except (CheckpointError, OSError) as error:
        logger.warning("Stopping without a last checkpoint: %s", error)
    # Threads of the emulator may be waiting for functions or jobs; nobody waits for them any more.
    logging.shutdown()
    os._exit(0)


async def _serve(
    gateway: Gateway, config: Config, service: SageMakerService, stop: asyncio.Event
) -> None:
    """Serve until `stop`; jobs end while someone still takes their results and last words."""
    jobs_ended = asyncio.Event()

    async def end_jobs() -> None:
        await stop.wait()
        try:
            await asyncio.to_thread(service.close)
        except Exception:
            logger.exception("Jobs could not be ended as they should")
        jobs_ended.set()

    ending = asyncio.create_task(end_jobs())
    serving = asyncio.create_task(serve(gateway, config, shutdown_trigger=jobs_ended.wait))
    await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
    # Requests get their answers; but a client that keeps its connection open says no goodbye, and
    # TLS would wait half a minute for it.
    await asyncio.wait({serving}, timeout=GOODBYE_SECONDS)
    if serving.done():
        serving.result()


def _sagemaker(
    settings: GatewaySettings, credentials: Credentials, files: tls.TlsFiles
) -> SageMakerConfig:
    return SageMakerConfig(
        state_dir=settings.state_dir,
        images_file=settings.images,
        endpoint_url=settings.endpoint_url,
        region=credentials.region,
        role_credentials=ministack.role_credentials,
        uv=settings.uv,
        ca_bundle=files.ca,
        service_credentials=credentials.variables(),
        environments_dir=settings.environments_dir,
        max_concurrent_jobs=settings.jobs,
        engine=settings.engine,
    )


def _server(files: tls.TlsFiles, listener: socket.socket) -> Config:
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.certfile, config.keyfile = str(files.certificate), str(files.key)
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    return config


def main() -> None:
    """Start, or say in one sentence why not."""
    os.umask(0o077)
    logging.basicConfig(format="%(asctime)s %(levelname)s [%(name)s] %(message)s")
    logging.getLogger("asyncio").addFilter(is_news)
    try:
        require_expected_version()
        settings = GatewaySettings.from_environment(os.environ)
        lock = take_state_dir(settings.state_dir)
        listener = take_port(settings.port)
    except (SettingsError, IncompatibleEmulatorError) as error:
        sys.exit(str(error))
    files = tls.ensure_certificates(settings.state_dir / "tls", dt.datetime.now(dt.UTC))
    credentials = ensure_credentials(settings.state_dir / "credentials.json")
    prepared = prepare(settings)
    environment = emulator_environment(
        settings, credentials, _tls_variables(files), prepared.run_dir, os.environ
    )
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # it was asked for before TMPDIR was set
    # Sockets and TLS in C: every prediction is three requests to this process.
    with lock, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(settings, credentials, files, listener, prepared))


if __name__ == "__main__":
    main()
