"""Lambda SnapStart: what is done before a version's snapshot is taken, and after each restore.

Every environment of a published version is a copy of one snapshot: what was seeded, connected or
dated before it is the same in all of them, and as old as the snapshot. `uuid4` asks the system,
which AWS seeds anew.
Source: "Handling uniqueness with Lambda SnapStart" and "Lambda SnapStart runtime hooks for Python",
Lambda developer guide.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from importlib import import_module
from typing import Final

from lambdas.shared import aws
from lambdas.shared.observability import logger

_REGISTRY: Final = "snapshot_restore_py"  # Lambda's own runtimes bring it, nobody else does


def hooks(*, prime: Callable[[], None], refresh: Callable[[], None] = lambda: None) -> None:
    """Has `prime` called before a snapshot and `refresh` after each restore; nowhere but on Lambda.

    `prime` does ahead what a first request would wait for. Whatever it raises is logged, and the
    version is published all the same: the requests do it then. `refresh` forgets what may have
    changed since; it must ask nobody anything, since a restore that fails serves nobody.
    """
    try:
        registry = import_module(_REGISTRY)
    except ModuleNotFoundError:
        return
    registry.register_before_snapshot(_before_snapshot, prime)
    registry.register_after_restore(_after_restore, refresh)


def _before_snapshot(prime: Callable[[], None]) -> None:
    try:
        prime()
    except Exception:
        logger.exception("priming failed; the snapshot is taken without it")
    finally:
        # The other end will have hung up long before a restore, and would not say so.
        aws.close_connections()


def _after_restore(refresh: Callable[[], None]) -> None:
    random.seed()  # pauses between attempts: copies that draw the same ones would meet again
    refresh()
