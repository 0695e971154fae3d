"""What the commands say: one voice, with the time each step took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class CommandError(Exception):
    """A command cannot go on; its message is one clear sentence with the remedy."""


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say what begins, then how long it took."""
    print(f"  {title} ...", end="" if sys.stdout.isatty() else "\n", flush=True)
    began = time.monotonic()
    yield
    seconds = time.monotonic() - began
    if sys.stdout.isatty():
        print(f"\r  {title}: {seconds:.1f} s   ", flush=True)
    else:
        print(f"  {title}: {seconds:.1f} s", flush=True)


def say(text: str = "") -> None:
    """One line."""
    print(text, flush=True)


def fail(text: str) -> None:
    """One line to standard error."""
    print(f"Error: {text}", file=sys.stderr, flush=True)
