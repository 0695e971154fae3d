"""The state folder: what an earlier command left there, and what this shell knows of it."""

import fcntl
import json
import os
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from local_cloud.checkpoint import CheckpointStore
from local_cloud.doctor.finding import Finding, bad, ok, warn
from local_cloud.layout import Layout, StateError

_HERE = frozenset({"localhost", "127.0.0.1"})


def folder(state: Path) -> Finding:
    """Whether it can be written."""
    there = next(path for path in (state, *state.parents) if path.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return ok("State", f"{state}" if state.exists() else f"{state} (made by make up)")
    return bad(
        "State",
        f"{there} cannot be written",
        "Name another: LOCAL_STATE_DIR=<folder> make up",
    )


def lock(file: Path) -> Finding:
    """The lock goes with the process that has it, so a killed command leaves none behind."""
    check = "Commands"
    try:
        with file.open() as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        pass
    except OSError:
        who = _holder(file)
        says = f"another make up or make down is at work{f' (pid {who})' if who else ''}"
        return warn(check, says, f"Wait for it{f', or end it: kill {who}' if who else ''}")
    return ok(check, "none is at work on this state folder")


def _holder(file: Path, locks: Path = Path("/proc/locks")) -> str:
    try:
        wanted = f":{file.stat().st_ino}"
        lines = [line.split() for line in locks.read_text().splitlines()]
    except OSError:
        return ""
    # 1: FLOCK  ADVISORY  WRITE 4242 08:01:131 0 EOF
    return next((line[4] for line in lines if "FLOCK" in line and line[5].endswith(wanted)), "")


def checkpoint(root: Path, emulator: str) -> Finding:
    """Whether the next start finds a whole checkpoint of this emulator's version.

    `root` is the folder of checkpoints; its parent holds the objects that belong to them.
    """
    check, cloud = "Checkpoint", root.parent
    if not root.is_dir() or not any(cloud.glob("s3/*")):
        return ok(check, "nothing was saved yet: make up begins with an empty lake")
    newest = CheckpointStore(root).newest(emulator)
    if newest is not None:
        return ok(check, f"number {newest.sequence} of {newest.created_at} is whole")
    versions = {_version(path) for path in root.glob("*/checkpoint.json")} - {"", emulator}
    if versions:
        says = f"saved by MiniStack {', '.join(sorted(versions))}, and this is {emulator}"
    elif any(path.name[0].isdigit() for path in root.iterdir()):
        says = "what was saved is damaged"
    else:
        says = "nothing was saved whole"
    state = cloud.parent
    return warn(
        check,
        f"{says}: the next make up begins with an empty lake",
        f"Keep what is there before that: cp -a {state} {state}.before; "
        "a backup is brought back by: make restore FROM=<folder>",
    )


def _version(manifest: Path) -> str:
    try:
        return str(json.loads(manifest.read_bytes())["emulator"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def endpoints(layout: Layout, listens: Callable[[int], bool], *, runs: bool) -> Finding:
    """Whether `endpoints.json` names what listens. `runs`: the local cloud does."""
    check, again = "Endpoints", "make down && make up"
    if not layout.endpoints_file.exists():
        return ok(check, "nothing is deployed yet")
    try:
        found = layout.endpoints()
        url = found["aws_endpoint_url"]
    except StateError as error:
        return bad(check, str(error), "make up writes it anew")
    if not url:
        return ok(check, "they are those of an AWS account; make up turns back to this machine")
    if not runs:
        return ok(check, f"{url}, at rest")
    silent = [
        address
        for address in (url, found.get("mlflow_url"), found.get("ui_url"))
        if address and not listens(urlsplit(address).port or 0)
    ]
    if silent:
        return bad(check, f"nobody listens at {', '.join(silent)}", again)
    return ok(check, url)


def shell(
    environment: Mapping[str, str], layout: Layout, listens: Callable[[int], bool]
) -> Finding:
    """Whether this shell's `source .local/env` still fits."""
    check, url = "This shell", environment.get("AWS_ENDPOINT_URL", "")
    if not url:
        return ok(check, "AWS_ENDPOINT_URL is not set")
    address = urlsplit(url)
    if address.hostname not in _HERE:
        return ok(check, f"AWS_ENDPOINT_URL is {url}")
    remedy = f"source {layout.env_file}, or open another shell"
    if not listens(address.port or 0):
        return warn(check, f"AWS_ENDPOINT_URL is {url}, where nobody listens", remedy)
    bundle = environment.get("AWS_CA_BUNDLE", "")
    if bundle and Path(bundle).resolve() != layout.ca_bundle.resolve():
        says = f"it speaks to the local cloud of {Path(bundle).parent.parent}, not {layout.state}"
        return warn(check, says, remedy)
    return ok(check, f"it speaks to {url}")


def proxy() -> Finding:
    """Whether a proxy gets what this shell asks of this machine; `make` goes past it by itself."""
    if urllib.request.getproxies() and not urllib.request.proxy_bypass("localhost"):
        return warn(
            "Proxy",
            "what aws and curl in this shell ask of the local cloud would go through it",
            "export NO_PROXY=localhost,127.0.0.1 no_proxy=localhost,127.0.0.1",
        )
    return ok("Proxy", "none for what is on this machine")
