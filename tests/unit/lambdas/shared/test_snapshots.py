from __future__ import annotations

import io
import subprocess
import sys

import pytest

from lambdas.shared import aws, snapshots
from tests.unit.lambdas.snapshots import FakeRegistry

# A process with the runtime's registry, forked twice when its hooks before the snapshot have run:
# each child is a restored environment, which says what it would draw and which id it would give.
FORK = """
import os, random, sys
from tests.unit.lambdas.snapshots import FakeRegistry
registry = sys.modules["snapshot_restore_py"] = FakeRegistry()
from lambdas.serving.logic.request_identity import request_identity
from lambdas.shared import snapshots
snapshots.hooks(prime=random.random, refresh=lambda: None)
registry.take()
state = random.getstate()
for _ in range(2):
    if not os.fork():
        random.setstate(state)  # a fork has it seeded anew, a snapshot has not
        registry.restore()
        print(random.random(), request_identity("key", None, None).prediction_id, flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, in order; the process keeps its connections."""
    done: list[str] = []
    monkeypatch.setattr(aws, "close_connections", lambda: done.append("closed"))
    return done


def test_a_snapshot_is_primed_and_holds_no_open_connection(
    registry: FakeRegistry, steps: list[str]
) -> None:
    snapshots.hooks(prime=lambda: steps.append("primed"), refresh=lambda: steps.append("refreshed"))

    registry.take()
    assert steps == ["primed", "closed"]

    registry.restore()
    assert steps[2:] == ["refreshed"]


def test_priming_that_fails_is_logged_and_the_version_is_published_all_the_same(
    registry: FakeRegistry, steps: list[str], log: io.StringIO
) -> None:
    def prime() -> None:
        raise ConnectionError("S3 is out of order")

    snapshots.hooks(prime=prime, refresh=lambda: None)

    registry.take()

    assert steps == ["closed"]
    assert "the snapshot is taken without it" in log.getvalue()
    assert "S3 is out of order" in log.getvalue()


def test_where_nothing_is_restored_nothing_is_registered(steps: list[str]) -> None:
    snapshots.hooks(prime=lambda: steps.append("primed"), refresh=lambda: steps.append("refreshed"))

    assert steps == []


def test_two_restored_environments_draw_other_numbers_and_give_other_ids() -> None:
    said = subprocess.run(
        [sys.executable, "-c", FORK], capture_output=True, text=True, check=True
    ).stdout

    one, other = (line.split() for line in said.splitlines())
    assert one[0] != other[0]
    assert one[1] != other[1]
