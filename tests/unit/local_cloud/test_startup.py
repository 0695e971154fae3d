"""What a start makes of the state that it finds."""

from pathlib import Path
from typing import Any, Final

import pytest

from local_cloud import startup
from local_cloud.cloud import Cloud
from local_cloud.layout import STACK, Layout
from local_cloud.startup import BOOTSTRAP_STACK, Startup
from local_cloud.supervisor import Supervisor

COMPLETE: Final = "CREATE_COMPLETE"
REVIEW: Final = "REVIEW_IN_PROGRESS"


class NoProcesses(Supervisor):
    """A supervisor that remembers how often everything was shut down."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self.shut_downs = 0

    def ensure(self) -> None:
        return

    def start(self, _: str) -> None:
        return

    def stop(self, _: str) -> None:
        return

    def state(self, _: str) -> str:
        return "RUNNING"

    def shut_down(self) -> None:
        self.shut_downs += 1


def started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statuses: dict[str, str]
) -> tuple[int, bool]:
    """Start from a cloud with these stacks: shut-downs, and whether its state is still there."""
    layout = Layout(tmp_path)
    for file in (layout.credentials_file, layout.ca_bundle, layout.state / "cloud" / "saved"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    if STACK in statuses:
        layout.known_stack.parent.mkdir(parents=True, exist_ok=True)
        layout.known_stack.write_text("the stack's ARN")

    class FoundCloud(Cloud):
        def __init__(self, _: Layout) -> None:
            return

        def health(self) -> dict[str, Any]:
            return {"status": "ok"}

        def _stack(self, name: str) -> dict[str, Any] | None:
            status = statuses.get(name)
            return {"StackStatus": status, "StackId": "the stack's ARN"} if status else None

    monkeypatch.setattr(startup, "Cloud", FoundCloud)
    supervisor = NoProcesses(layout)

    Startup(layout, supervisor).start()

    return supervisor.shut_downs, (layout.state / "cloud" / "saved").exists()


@pytest.mark.parametrize(
    "statuses",
    [{}, {BOOTSTRAP_STACK: COMPLETE}, {BOOTSTRAP_STACK: COMPLETE, STACK: "UPDATE_COMPLETE"}],
)
def test_whole_stacks_are_kept(
    statuses: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert started(tmp_path, monkeypatch, statuses) == (0, True)


@pytest.mark.parametrize(
    "statuses",
    [
        {BOOTSTRAP_STACK: REVIEW},
        {BOOTSTRAP_STACK: "ROLLBACK_COMPLETE"},
        {BOOTSTRAP_STACK: COMPLETE, STACK: REVIEW},
        {BOOTSTRAP_STACK: COMPLETE, STACK: "UPDATE_ROLLBACK_FAILED"},
    ],
)
def test_a_stack_that_was_cut_off_in_whatever_state_makes_it_start_anew(
    statuses: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert started(tmp_path, monkeypatch, statuses) == (1, False)
