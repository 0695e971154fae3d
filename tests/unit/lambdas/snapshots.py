"""A stand-in for the registry of hooks that Lambda's own runtime brings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Hook = tuple[Callable[..., None], tuple[Any, ...]]


@dataclass
class FakeRegistry:
    """Takes what is registered, and calls it in the runtime's order."""

    before: list[Hook] = field(default_factory=list)
    after: list[Hook] = field(default_factory=list)

    def register_before_snapshot(self, hook: Callable[..., None], *arguments: Any) -> None:
        """The runtime's own name and order of arguments; so is the next."""
        self.before.append((hook, arguments))

    def register_after_restore(self, hook: Callable[..., None], *arguments: Any) -> None:
        self.after.append((hook, arguments))

    def take(self) -> None:
        """What happens when a version is published."""
        for hook, arguments in reversed(self.before):
            hook(*arguments)

    def restore(self) -> None:
        """What happens when an environment starts from the snapshot."""
        for hook, arguments in self.after:
            hook(*arguments)
