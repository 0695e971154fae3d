"""State machines as pictures have them."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from tests.ui.fake_workflows import MACHINES, ROOT, START
from ui import graph_picture
from ui.state_graph import Graph, graph
from ui.steps import State, Step, Story


def of(machine: str) -> Graph:
    return graph(json.loads((ROOT / "statemachine" / f"{machine}.asl.json").read_text()))


def column(drawn: Graph, number: int) -> list[str]:
    return [node.name for node in drawn.nodes if node.column == number]


def test_the_way_of_a_good_training_goes_straight_down() -> None:
    assert column(of("train"), 0) == [
        "AcquireLease", "LeaseAcquired?", "SnapshotDataset", "ChooseCapacity", "TrainModel",
        "EvaluateCandidate", "PassesQualityGate?", "RegisterModel", "DeployModel",
        "ReleaseLease", "Promoted?", "Succeeded",
    ]  # fmt: skip


def test_a_good_deployment_promotes_and_a_monitor_run_may_report() -> None:
    assert "Promote" in column(of("deploy"), 0)
    assert column(of("monitor"), 0)[-2:] == ["DriftReport", "Succeeded"]


@pytest.mark.parametrize("machine", MACHINES)
def test_every_state_has_a_place_of_its_own(machine: str) -> None:
    states = json.loads((ROOT / "statemachine" / f"{machine}.asl.json").read_text())["States"]

    drawn = of(machine)

    assert {node.name for node in drawn.nodes} == set(states)
    assert len({(node.row, node.column) for node in drawn.nodes}) == len(states)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_main_way_has_no_gap(machine: str) -> None:
    main = [node for node in of(machine).nodes if node.column == 0]

    assert [node.row for node in main] == list(range(len(main)))
    edges = {(edge.source, edge.target) for edge in of(machine).edges}
    assert all((one.name, other.name) in edges for one, other in pairwise(main))


def test_what_only_a_failure_leads_to_stands_apart() -> None:
    drawn = of("train")
    apart = {node.name for node in drawn.nodes if node.for_failures}

    assert {"RecordFailure", "NotifyOperators", "Failed"} <= apart
    assert "RecordRejection" not in apart
    columns = {node.column for node in drawn.nodes if not node.for_failures}
    assert all(node.column > max(columns) for node in drawn.nodes if node.for_failures)


def test_a_loop_is_drawn_once() -> None:
    definition = {
        "StartAt": "Look",
        "States": {
            "Look": {"Type": "Task", "Next": "Enough?"},
            "Enough?": {
                "Type": "Choice",
                "Choices": [{"Next": "Wait"}],
                "Default": "Done",
            },
            "Wait": {"Type": "Wait", "Next": "Look"},
            "Done": {"Type": "Succeed"},
        },
    }

    drawn = graph(definition)

    assert column(drawn, 0) == ["Look", "Enough?", "Done"]
    assert column(drawn, 1) == ["Wait"]


def test_a_definition_that_names_a_state_it_lacks_is_refused() -> None:
    with pytest.raises(KeyError, match="Gone"):
        graph({"StartAt": "Look", "States": {"Look": {"Type": "Task", "Next": "Gone"}}})


def test_the_picture_marks_each_step_by_more_than_its_colour() -> None:
    story = Story(
        (
            Step("AcquireLease", State.DONE, START),
            Step("TrainModel", State.RUNNING, START, since=START, visits=2),
            Step("RecordFailure", State.FAILED, START),
        ),
        None,
    )

    drawn = graph_picture.svg(of("train"), story, graph_picture.LIGHT)

    assert "✓ AcquireLease" in drawn
    assert "▶ TrainModel ×2" in drawn  # noqa: RUF001 - a multiplication sign is meant
    assert "✕ RecordFailure" in drawn


def test_the_picture_is_told_in_words_to_those_who_do_not_see_it() -> None:
    story = Story((Step("AcquireLease", State.DONE, START),), None)

    assert graph_picture.words(of("train"), story).endswith(": AcquireLease done.")
    assert graph_picture.words(of("train"), Story((), None)).endswith("none of them begun.")


def test_the_picture_says_its_size_and_its_words() -> None:
    story = Story((Step("AcquireLease", State.DONE, START),), None)

    drawn = graph_picture.image(of("monitor"), story, graph_picture.LIGHT)

    assert 'width="436" height="464"' in drawn
    assert graph_picture.room(of("monitor")) >= 464
    assert 'alt="A workflow of 9 steps' in drawn


def test_a_name_cannot_break_out_of_the_picture() -> None:
    definition = {"StartAt": "<script>", "States": {"<script>": {"Type": "Succeed"}}}

    drawn = graph_picture.svg(graph(definition), Story((), None), graph_picture.DARK)

    assert "<script>" not in drawn


@pytest.mark.parametrize("palette", [graph_picture.LIGHT, graph_picture.DARK])
@pytest.mark.parametrize("state", State)
def test_every_step_can_be_read_on_its_box(palette: graph_picture.Palette, state: State) -> None:
    look = palette.steps[state]

    bright, dim = sorted((_luminance(look.text), _luminance(look.fill)), reverse=True)

    assert (bright + 0.05) / (dim + 0.05) >= 4.5  # WCAG 2.2, 1.4.3


def _luminance(colour: str) -> float:
    """WCAG's relative luminance of `#rrggbb`, [0, 1]."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
