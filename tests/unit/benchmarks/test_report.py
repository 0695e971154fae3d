"""The report and its picture: every target has a line, and nothing that is bad is left out."""

from pathlib import Path

from PIL import Image

from benchmarks import chart
from benchmarks.figures import Figure, Repeated
from benchmarks.report import report, table, totals
from benchmarks.runs import Run, summaries
from benchmarks.targets import TARGETS, TESTED

WARM = Figure.at_most("500x375: handler / bare", Repeated(1.3, 300, (1.2, 1.4)), "times", 1.15)
LOST = Figure.at_most("predictions lost", 0, "", 0)
STRANGER = Figure.at_most("of no list", 3, "s", 4)


def run(*figures: Figure) -> Run:
    machine, versions = {"system": "Linux", "cpus": 2}, {"python": "3.11", "numpy": "2.3"}
    return Run("2026-11-30T10:00:00+00:00", 42.0, machine, versions, figures)


def lines(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(start)]


def test_every_target_has_a_line_met_missed_or_not_measured() -> None:
    text = report({"api": [run(WARM)], "api_load": [run(LOST)]}, [], "bench.png", quick=False)

    table_of_targets = text.split("## Targets")[1].split("## Figures")[0]
    assert len(lines(table_of_targets, "| ")) == 1 + len(TARGETS) + len(TESTED)
    (warm,) = [line for line in lines(text, "| the predict function") if "500x375" in line]
    assert "≤ 1.15 times | 1.3 times | **missed** | 0.15 | `make bench ONLY=api`" in warm
    (lost,) = lines(text, "| the API | of their predictions, lost")
    assert "| ≤ 0 | 0 | met |" in lost
    assert text.count("not measured |") == len(TARGETS) - 2
    assert f"1 of 2 targets that were measured are met, 1 missed; {len(TARGETS) - 2} were" in text


def test_the_drills_figures_count_among_the_targets() -> None:
    drills = [Figure.at_most("night: failed requests", 0, "", 0)]

    assert totals({"drill": drills}).startswith("1 of 1 targets that were measured are met")


def test_a_judged_figure_of_no_list_is_told_all_the_same() -> None:
    text = report({"api": [run(STRANGER)]}, [], "bench.png", quick=False)

    assert lines(text, "| api | of no list | ≤ 4 | 3 | met by 1 |")


def test_runs_that_differ_are_told_with_their_range() -> None:
    other = Figure.at_most("500x375: handler / bare", Repeated(2.0, 300, (1.9, 2.1)), "times", 1.15)

    text = report({"api": [run(WARM, LOST), run(other, LOST)]}, [], "bench.png", quick=False)

    assert "1 of 2 figures agree over their runs." in text
    assert "2 **differ**: 1.3 to 2" in text
    assert "2 agree: 0 to 0" in text
    assert "Linux" in text
    assert "numpy 2.3" in text
    assert "2026-11-30T10:00:00+00:00 (42 s)" in text


def test_the_table_has_a_line_for_each_figure_whatever_its_note_quotes() -> None:
    figure = Figure.at_most("lost", Repeated(1.1, 9, (1.0, 1.15)), "times", 1.2, "a | b\nc")

    found = table({"api": summaries([run(figure)])}).splitlines()

    assert found[2:] == [
        "| api | lost | 1.1 times | 1 to 1.15 | 9 |  | ≤ 1.2 | met by 0.1 | a / b c |"
    ]


def test_the_picture_says_in_words_what_was_missed() -> None:
    (dot,) = chart.judged({"api": [WARM, LOST]})

    assert dot.told == "1.3 times (≤ 1.15), MISSED"
    assert dot.ratio < 1
    low, high = dot.limits
    assert low < dot.ratio < high


def test_what_has_a_peer_and_no_target_is_shown_beside_it() -> None:
    peer = Figure.told("Keras fit / our retrain", 6.0, "times")

    (dot,) = chart.compared({"keras_fit": [peer, Figure.told("Keras fit", 600, "s")]})

    assert (dot.name, dot.ratio, dot.met) == ("keras_fit: Keras fit / our retrain", 6.0, None)


def test_a_picture_is_drawn_of_much_and_of_nothing(tmp_path: Path) -> None:
    peer = Figure.told("Keras fit / our retrain", 6.0, "times")
    for name, measured in {"some": {"api": [WARM], "keras_fit": [peer]}, "none": {}}.items():
        chart.draw(measured, tmp_path / f"{name}.png")

        with Image.open(tmp_path / f"{name}.png") as picture:
            assert picture.width > 600
