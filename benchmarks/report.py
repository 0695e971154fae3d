"""What has been measured, for people: all targets, all figures, which runs agree (Markdown)."""

from collections.abc import Iterator, Mapping, Sequence

from benchmarks import targets
from benchmarks.figures import Figure, interval, number
from benchmarks.runs import Run, Summary, agreement, summaries
from benchmarks.targets import TARGETS, TESTED, Target

NOT_MEASURED = "not measured"


def report(
    measured: Mapping[str, Sequence[Run]], drills: Sequence[Figure], chart: str, *, quick: bool
) -> str:
    """The whole of it. `drills`: the last drill's figures; `chart`: the picture's file name."""
    found = {name: summaries(runs) for name, runs in measured.items()}
    figures = {name: [one.figure for one in each] for name, each in found.items()}
    known = {**figures, targets.DRILL: list(drills)}
    return "\n".join(
        [
            "# Benchmarks",
            "",
            *([QUICK, ""] if quick else []),
            totals(known),
            agreement([one for each in found.values() for one in each]),
            "",
            "## Targets",
            "",
            *_targets(known),
            "",
            f"![Each figure as a multiple of its target; the table has it in numbers]({chart})",
            "",
            "What must be zero, or is, has no ratio: it is in the table alone.",
            "",
            "## Figures",
            "",
            "The spread is where 19 of 20 further runs would find a figure, by the luck of its "
            "repetitions; docs/benchmarks.md defines it, and when runs agree.",
            *(line for name, runs in measured.items() for line in _benchmark(name, runs)),
            "",
        ]
    )


QUICK = "**With `--quick`: these figures show that the benchmarks work, nothing more.**"


def totals(known: Mapping[str, Sequence[Figure]]) -> str:
    """One sentence on the targets."""
    verdicts = [_verdict(targets.of(target, known)) for target in TARGETS]
    met, missing = verdicts.count("met"), verdicts.count(NOT_MEASURED)
    judged = len(verdicts) - missing
    return (
        f"{met} of {judged} targets that were measured are met, {judged - met} missed; "
        f"{missing} were not measured."
    )


def table(found: Mapping[str, Sequence[Summary]]) -> str:
    """All figures as one Markdown table."""
    lines = [
        "| benchmark | figure | value | spread | of | runs | target | | note |",
        "|---|---|---:|---|---:|---|---|---|---|",
    ]
    lines += [_row((name, *_cells(summary))) for name, each in found.items() for summary in each]
    return "\n".join(lines)


def _targets(known: Mapping[str, Sequence[Figure]]) -> Iterator[str]:
    yield "| of | target | wanted | measured | | by | command |"
    yield "|---|---|---|---|---|---|---|"
    for target in TARGETS:
        found = targets.of(target, known)
        worst = found[0] if found else None
        yield _row(
            (
                target.capability,
                target.says,
                _with_unit(worst.target if worst and worst.target else target.wanted, target.unit),
                _measured(target, worst),
                _verdict(found),
                number(worst.by) if worst and worst.by is not None else "",
                f"`{target.command}`",
            )
        )
    for tested in TESTED:
        command = f"`pytest {tested.file}`"
        yield _row((tested.capability, tested.says, tested.wanted, "", "its test", "", command))
    for name, figure in targets.unlisted(known):
        told = (name, figure.name, figure.target or "", number(figure.value), figure.verdict())
        yield _row((*told, "", f"`make bench ONLY={name}`"))


def _measured(target: Target, worst: Figure | None) -> str:
    if worst is None:
        return ""
    which = f" ({worst.name})" if "*" in target.figure else ""
    return _with_unit(number(worst.value), worst.unit) + which


def _verdict(found: Sequence[Figure]) -> str:
    if not found:
        return NOT_MEASURED
    return "met" if all(figure.met for figure in found) else "**missed**"


def _benchmark(name: str, runs: Sequence[Run]) -> Iterator[str]:
    last = runs[-1]
    machine = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in last.machine.items())
    versions = ", ".join(f"{package} {version}" for package, version in last.versions.items())
    times = ", ".join(f"{run.date} ({run.seconds:,.0f} s)" for run in runs)
    yield from ("", f"### {name}", "", f"{times}. {machine}. {versions}.")
    found = summaries(runs)
    if sentence := agreement(found):
        yield f"{sentence} Of {len(runs)} runs the one in the middle is told."
    yield from ("", "| figure | value | spread | of | runs | target | | note |")
    yield "|---|---:|---|---:|---|---|---|---|"
    yield from (_row(_cells(summary)) for summary in found)


def _cells(summary: Summary) -> tuple[str, ...]:
    figure = summary.figure
    return (
        figure.name,
        _with_unit(number(figure.value), figure.unit),
        interval(figure.spread),
        f"{figure.repetitions:,}",
        _runs(summary),
        figure.target or "",
        figure.verdict(),
        figure.note,
    )


def _runs(summary: Summary) -> str:
    if summary.agrees is None:
        return ""
    word = "agree" if summary.agrees else "**differ**"
    return f"{summary.runs} {word}: {interval(summary.limits)}"


def _with_unit(value: str, unit: str) -> str:
    return f"{value} {unit}".strip()


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """What would end a cell or a row is not let through: notes quote what servers say."""
    return text.replace("|", "/").replace("\n", " ")
