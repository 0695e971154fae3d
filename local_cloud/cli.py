"""The local cloud's commands: `python -m local_cloud.cli up | down | run -- <command>`."""

import argparse
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from xmlrpc.client import Fault

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.console import CommandError, fail, say, step
from local_cloud.layout import Layout, StateError
from local_cloud.sagemaker import disk
from local_cloud.settings import past_the_proxy
from local_cloud.supervisor import Supervisor, SupervisorError, leftovers
from local_cloud.up import Up


def main() -> int:
    """Run one command; 0 if it did what it says, 1 if not, 130 if interrupted."""
    parser = argparse.ArgumentParser(prog="local_cloud", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start everything, deploy, seed, train, predict")
    up.add_argument(
        "--no-starter",
        action="store_true",
        help="leave the lake empty and train nothing: you bring your own photos",
    )
    commands.add_parser("down", help="stop everything; the state stays")
    run = commands.add_parser("run", help="run a command with the local cloud's environment")
    run.add_argument("arguments", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    layout = Layout.from_environment()
    os.environ.update(past_the_proxy(os.environ))
    try:
        if chosen.command == "run":
            return _run(layout, [part for part in chosen.arguments if part != "--"])
        with _only_one(layout):
            if chosen.command == "up":
                say("Are you a cat?  Bringing the local cloud up.")
                Up(layout, with_starter=not chosen.no_starter).run()
            else:
                _down(layout)
    except (CommandError, SupervisorError, StateError) as error:
        fail(str(error))
        return 1
    except (OSError, Fault, BotoCoreError, ClientError) as error:
        said = disk.words(error) if isinstance(error, OSError) else str(error)
        fail(f"{said}. The services' logs are in {layout.logs}; make doctor looks for the cause.")
        return 1
    except KeyboardInterrupt:
        fail("Interrupted. Run the same command again; it goes on where it stopped.")
        return 130
    return 0


def _down(layout: Layout) -> None:
    supervisor = Supervisor(layout)
    if supervisor.is_running():
        with step("Saving and stopping"):
            supervisor.shut_down()
        say("Stopped. The state stays in .local; make up goes on from there.")
    elif leftovers(layout):
        with step("Ending services that outlived their supervisor"):
            supervisor.shut_down()
        say(
            "Stopped. Nobody saved first: make up goes on from the last state that was saved whole."
        )
    else:
        supervisor.shut_down()
        say("Nothing runs.")


def _run(layout: Layout, arguments: list[str]) -> int:
    if not layout.endpoints_file.exists():
        raise CommandError("Nothing is deployed yet. Run: make up")
    endpoints = layout.endpoints()
    environment = dict(os.environ)
    if endpoints["aws_endpoint_url"]:
        if not Supervisor(layout).is_running():
            raise CommandError("The local cloud does not run. Start it with: make up")
        environment |= layout.client_environment()
    return subprocess.run(arguments, env=environment, check=False).returncode


@contextmanager
def _only_one(layout: Layout) -> Iterator[None]:
    """One `up` or `down` at a time; the lock goes with its process, however that ends."""
    layout.run.mkdir(parents=True, exist_ok=True)
    with (layout.run / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError(
                "Another make up or make down is at work on this state folder. Wait for it."
            ) from None
        yield


if __name__ == "__main__":
    sys.exit(main())
