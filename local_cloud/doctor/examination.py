"""Everything that is looked at, in the order in which `make up` would meet it."""

import os
import shutil
from pathlib import Path

from local_cloud.doctor import installed, machine, ports, state
from local_cloud.doctor.finding import Finding, ok
from local_cloud.doctor.machine import Place
from local_cloud.doctor.programs import find
from local_cloud.layout import ROOT, Layout, is_taken
from local_cloud.settings import past_the_proxy


def examine(python: str) -> list[Finding]:
    """Every finding. `python`: the program that makes the environments."""
    layout = Layout.from_environment()
    jobs = Path(os.environ.get("LOCAL_CLOUD_ENVS") or ROOT / ".venvs" / "sagemaker")
    made = installed.all_made(ROOT, jobs)
    # The functions' bundles and the starter photos are fetched for each state folder.
    needed = not (made and layout.endpoints_file.exists())
    uv = find("uv", [ROOT / ".venvs" / "uv" / "bin"])
    emulator = installed.pin(ROOT / "local_cloud" / "requirements.txt", "ministack")
    proxy = state.proxy()
    os.environ.update(past_the_proxy(os.environ))  # as the other commands do; it was looked at
    runs, services = _services(layout)
    return [
        machine.python(python, has_uv=uv is not None),
        machine.git(shutil.which("git")),
        *machine.disk(_places(layout, made=made)),
        machine.memory(machine.free_memory()),
        machine.namespaces(shutil.which("unshare")),
        *installed.environments(ROOT),
        *_registries(uv, python, needed=needed),
        proxy,
        state.folder(layout.state),
        state.lock(layout.run / "lock"),
        state.checkpoint(layout.state / "cloud" / "checkpoints", emulator),
        *ports.ports(layout, runs=runs),
        *services,
        state.endpoints(layout, is_taken, runs=runs),
        state.shell(os.environ, layout, is_taken),
    ]


def _places(layout: Layout, *, made: bool) -> list[Place]:
    environments = Place("the environments", ROOT / ".venvs", machine.ENVIRONMENTS_NEED)
    cache = Path(
        os.environ.get("UV_CACHE_DIR")
        or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv"
    )
    deployed = layout.endpoints_file.exists()
    grows = machine.STATE_GROWS if deployed else machine.STATE_NEEDS
    places = [Place("the state", layout.state, grows)]
    if not made:
        places.append(environments)
        # On one file system the environments are hard links into uv's cache, and cost nothing more.
        if machine.measured(cache).device != machine.measured(environments.path).device:
            places.append(Place("uv's cache", cache, machine.ENVIRONMENTS_NEED))
    return places


def _registries(uv: str | None, python: str, *, needed: bool) -> list[Finding]:
    npm = find("npm", [ROOT / ".venvs" / "app" / "bin"])
    version = installed.pin(ROOT / "requirements-uv.txt", "uv")
    cli = installed.cli_pin(ROOT / "infra_cdk" / "cli" / "package.json")
    return [
        installed.python_registry(uv, python, version, needed=needed),
        installed.npm_registry(npm, cli, needed=needed),
    ]


def _services(layout: Layout) -> tuple[bool, list[Finding]]:
    try:
        from local_cloud.doctor.services import services  # noqa: PLC0415 - needs the app environment
    except ImportError:
        return False, [ok("Services", "at rest: the app environment is not made yet")]
    return services(layout)
