"""`python -m benchmarks`: what is chosen, repeated, kept and told, with a benchmark of no work."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as command
from benchmarks import one_run
from benchmarks.figures import BenchmarkError, Context, Figure


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Context]:
    """How the benchmarks were called; each call finds one more millisecond."""
    contexts: list[Context] = []

    def measured(_name: str, context: Context) -> list[Figure]:
        contexts.append(context)
        return [Figure.at_most("p50", len(contexts), "ms", 2)]

    monkeypatch.setattr(command, "measured", measured)
    monkeypatch.setattr(command, "module", lambda _: SimpleNamespace(DESCRIPTION="a small one"))
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    return contexts


def test_several_benchmarks_may_be_named(asked: list[Context], tmp_path: Path) -> None:
    assert command.main(["--only", "api", "drift"]) == 0

    assert len(asked) == 2
    assert [one.name for one in asked[1].earlier["api"]] == ["p50"]
    assert set(json.loads((tmp_path / "bench.json").read_text())["measured"]) == {"api", "drift"}
    assert (tmp_path / "bench.md").exists()
    assert (tmp_path / "bench.png").exists()


def test_all_repeated_runs_are_kept_and_the_middle_one_is_judged(
    asked: list[Context], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = command.main(["--only", "api", "--repeat", "3"])

    entry = json.loads((tmp_path / "bench.json").read_text())["measured"]["api"]
    assert [run["figures"][0]["value"] for run in entry["runs"]] == [1, 2, 3]
    assert code == 0
    told = capsys.readouterr().out
    assert "| 2 ms |" in told
    assert "3 **differ**: 1 to 3" in told
    assert "0 of 1 figures agree over their runs." in told


def test_a_missed_target_and_a_benchmark_that_cannot_run_have_exit_codes(
    asked: list[Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command.main(["--only", "api", "--repeat", "5"]) == 1

    def fail(_name: str, _context: Context) -> list[Figure]:
        raise BenchmarkError("no photos")

    monkeypatch.setattr(command, "measured", fail)
    assert command.main(["--only", "quality"]) == 2


def test_a_quick_run_has_a_report_of_its_own(asked: list[Context], tmp_path: Path) -> None:
    command.main(["--only", "api", "--quick"])

    assert asked[0].quick
    assert (tmp_path / "bench-quick.md").exists()
    assert not (tmp_path / "bench.md").exists()


@pytest.mark.parametrize("wrong", [["--repeat", "0"], ["--only", "nothing"]])
def test_what_makes_no_sense_is_refused(wrong: list[str], asked: list[Context]) -> None:
    with pytest.raises(SystemExit):
        command.main(wrong)

    assert asked == []


def test_a_run_is_a_process_of_its_own_and_may_compare_with_earlier_ones(tmp_path: Path) -> None:
    earlier = {
        "api": [
            Figure.told("a later request, processor", 30, "ms"),
            Figure.told("memory of the function with the largest photo it takes", 600, "MB"),
        ]
    }

    found = one_run.measured("memory_sizes", Context(None, True, tmp_path, print, earlier))

    assert [figure.name for figure in found] == ["885 MB", "1,769 MB", "2,654 MB", "3,538 MB"]


def test_a_run_that_cannot_be_says_why_and_one_that_breaks_is_no_end_of_all(tmp_path: Path) -> None:
    context = Context(None, True, tmp_path, print)

    with pytest.raises(BenchmarkError, match="measure the function first"):
        one_run.measured("memory_sizes", context)
    with pytest.raises(BenchmarkError, match="exit code 1"):
        one_run.measured("of_no_such_name", context)
