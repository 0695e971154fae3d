"""`bench.json`: what is kept, and for how long."""

import json
from pathlib import Path

from benchmarks.figures import Figure, Repeated
from benchmarks.record import Record, run_of

FIRST, SECOND = Figure.told("seconds", 1, "s"), Figure.told("seconds", 2, "s")


def test_new_runs_take_the_place_of_their_benchmarks_old_ones_only(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"

    Record(file, quick=False).keep("training", [run_of([FIRST], 1.0)])
    Record(file, quick=False).keep("quality", [run_of([FIRST], 1.0)])
    Record(file, quick=False).keep("training", [run_of([SECOND], 1.0)])

    assert Record(file, quick=False).figures() == {"training": [SECOND], "quality": [FIRST]}


def test_quick_figures_do_not_replace_real_ones(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"

    Record(file, quick=False).keep("training", [run_of([FIRST], 1.0)])
    Record(file, quick=True).keep("training", [run_of([SECOND], 1.0)])

    assert Record(file, quick=False).figures() == {"training": [FIRST]}
    assert Record(file, quick=True).figures() == {"training": [SECOND]}


def test_every_run_is_kept_with_when_where_and_with_what(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    measured = Figure.at_most("p50", Repeated(3.0, 30, (2.0, 4.0)), "ms", 5)
    runs = [run_of([measured], 1.5), run_of([FIRST], 2.5)]

    Record(file, quick=False).keep("api", runs)

    assert Record(file, quick=False).runs() == {"api": runs}
    entry = json.loads(file.read_text())["measured"]["api"]
    assert [run["seconds"] for run in entry["runs"]] == [1.5, 2.5]
    for run in entry["runs"]:
        assert run["machine"]["cpus"] > 0
        assert run["versions"]["numpy"]
        assert run["date"].startswith("20")
    assert [one["figure"]["spread"] for one in entry["summary"]] == [[2.0, 4.0], None]


def test_figures_of_another_format_are_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    file.write_text('{"training": {"quick": false, "figures": []}}')

    assert Record(file, quick=False).runs() == {}
