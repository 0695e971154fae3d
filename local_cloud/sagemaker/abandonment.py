"""Tasks that nobody waits for any more: what they are part of has been given up.

A context variable holds what is done here and now is part of. Threads see it only if they run in a
copy of the context, as those that MiniStack starts do.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context

_LOOK_SECONDS = 0.5

# Each says whether one of them has been given up.
_whole: ContextVar[tuple[Callable[[], bool], ...]] = ContextVar("whole", default=())


class Abandoned(BaseException):
    """Unwinds a task that nobody waits for.

    Not an Exception: neither the state's Retry and Catch nor the execution may take it for one.
    """


def is_given_up() -> bool:
    """Whether anything that this is part of has been given up."""
    return any(check() for check in _whole.get())


@contextmanager
def part_of(given_up: Callable[[], bool], *, only: bool = False) -> Iterator[None]:
    """What is done inside is part of one thing more, or of it alone; `given_up` asks about it."""
    token = _whole.set((given_up,) if only else (*_whole.get(), given_up))
    try:
        yield
    finally:
        _whole.reset(token)


def surroundings() -> Context | None:
    """The context, for `ending_with`; None if this is part of nothing."""
    return copy_context() if _whole.get() else None


@contextmanager
def ending_with(outer: Context | None, stop: Callable[[], object]) -> Iterator[None]:
    """Call `stop`, in that context, once what is done there is given up.

    `is_given_up` is asked about twice a second, while the block runs.
    """
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_SECONDS):
            if is_given_up():
                stop()
                return

    if outer is not None:
        threading.Thread(target=outer.run, args=(watch,), daemon=True).start()
    try:
        yield
    finally:
        over.set()
