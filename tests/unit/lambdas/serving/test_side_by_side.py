"""The comparison that people read, and its two files."""

import json
from dataclasses import replace

import pytest

from areyouacat.gates import decide
from areyouacat.model_spec import ModelSpec
from lambdas.serving.logic.evaluation import evaluate_for_gate
from lambdas.serving.logic.evaluation_report import Report, to_json, to_markdown
from lambdas.serving.logic.scoring import ScoredPhoto
from lambdas.serving.logic.side_by_side import compare
from tests.unit.lambdas.serving.conftest import tiny_spec
from tests.unit.lambdas.serving.scored_photos import scored

CANDIDATE = tiny_spec(b"candidate")
CHAMPION = tiny_spec(b"champion", training_job_name="train-0")


def photos(number: int = 60) -> list[ScoredPhoto]:
    """Every tenth photo is dark; the candidate has all right, the champion none of the dark."""
    found = []
    for place in range(number):
        cat, dark = place % 2 == 0, place % 10 < 2
        ours = 0.9 if cat else 0.1
        photo = scored(
            f"{place:064x}", "cat" if cat else "not_cat", ours, 1 - ours if dark else ours
        )
        entry = replace(photo.entry, slices=("dark",) if dark else (), source="seed|er")
        found.append(replace(photo, entry=entry))
    return found


def report(scored: list[ScoredPhoto], champion: ModelSpec | None = CHAMPION) -> Report:
    evaluation = evaluate_for_gate(scored, {scored[0].entry.photo: 0.9}, 5.0, CANDIDATE, champion)
    return Report(
        candidate=CANDIDATE,
        champion=champion,
        champion_version="7" if champion else None,
        decision=decide(evaluation.gate_input),
        metrics=evaluation.metrics,
        comparisons=compare(scored, CANDIDATE, champion),
    )


def test_differences_carry_intervals_and_slices_show_where_they_come_from() -> None:
    (test,) = compare(photos(), CANDIDATE, CHAMPION)

    accuracy = test.whole.rows["accuracy"]
    assert accuracy.champion is not None
    assert accuracy.difference is not None
    assert (accuracy.candidate.value, accuracy.champion.value) == pytest.approx((1.0, 0.8))
    assert 0.05 < accuracy.difference.low < accuracy.difference.value < accuracy.difference.high
    slices = {part.name: part for part in test.slices}
    assert (slices["dark"].photos, slices["dark"].positives) == (12, 6)
    difference = slices["dark"].rows["accuracy"].difference
    assert difference is not None
    assert difference.value == pytest.approx(1.0)


def test_the_difference_in_accuracy_has_the_gates_own_limits() -> None:
    everything = report(photos())

    difference = everything.comparisons[0].whole.rows["accuracy"].difference
    assert difference is not None
    assert 100 * difference.low == pytest.approx(everything.metrics["test_difference_points_low"])
    assert f"{100 * difference.high:+.2f}" in everything.decision.rules[-2].detail


def test_disagreements_are_counted_and_the_first_are_named() -> None:
    (test,) = compare(photos(200), CANDIDATE, CHAMPION)

    assert test.only_candidate_right is not None
    assert test.only_champion_right is not None
    assert test.only_candidate_right.number == 40
    assert len(test.only_candidate_right.photos) == 20
    assert list(test.only_candidate_right.photos) == sorted(test.only_candidate_right.photos)
    assert test.only_champion_right.number == 0


def test_a_slice_of_few_photos_is_listed_without_figures() -> None:
    (test,) = compare(photos(40), CANDIDATE, CHAMPION)

    dark = next(part for part in test.slices if part.name == "dark")
    assert (dark.photos, dark.rows) == (8, {})


def test_a_split_without_positives_has_no_recall_to_compare() -> None:
    negatives = [photo for photo in photos() if photo.entry.label == "not_cat"]

    (test,) = compare(negatives, CANDIDATE, CHAMPION)

    assert "accuracy" in test.whole.rows
    assert "recall" not in test.whole.rows


def test_a_bootstrap_model_is_compared_on_all_splits_at_once() -> None:
    everywhere = [
        replace(photo, entry=replace(photo.entry, split="train" if place % 3 else "test"))
        for place, photo in enumerate(photos())
    ]

    (found,) = compare(everywhere, replace(CANDIDATE, mode="bootstrap"), CHAMPION)

    assert (found.whole.name, found.whole.photos) == ("All splits, train too", 60)


def test_the_json_holds_rules_metrics_and_comparison() -> None:
    found = json.loads(to_json(report(photos())))

    assert found["schema"] == 1
    assert found["champion"]["version"] == "7"
    assert {rule["name"] for rule in found["gate"]["rules"]} > {"accuracy", "parity"}
    assert found["metrics"]["test_accuracy"] == 1.0
    rows = found["comparisons"][0]["whole"]["rows"]
    assert rows["accuracy"]["difference"].keys() == {"value", "low", "high"}


def test_the_markdown_shows_both_models_their_difference_and_the_photos() -> None:
    text = to_markdown(report(photos()))

    assert "# train-1: passed" in text
    assert "Champion: version 7" in text
    assert "| accuracy | 1.0000 (0.9398 to 1.0000) | 0.8000 (" in text
    assert f"- Only the candidate is right on 12 photos: `{0:064x}`" in text
    assert "- Only the champion is right on 0 photos\n" in text


def test_the_markdowns_tables_have_as_many_cells_in_every_row() -> None:
    for champion in (CHAMPION, None):
        widths: set[int] = set()
        for line in [*to_markdown(report(photos(40), champion)).splitlines(), ""]:
            if line.startswith("|"):
                widths.add(line.replace("\\|", "").count("|"))
            else:
                assert len(widths) <= 1, line
                widths = set()


def test_without_a_champion_the_markdown_says_so() -> None:
    text = to_markdown(report(photos(), None))

    assert "Champion: none served" in text
    assert "| | candidate |" in text.replace("|  |", "| |")
    assert "disagree" not in text


def test_a_refused_candidate_is_told_with_what_it_misses() -> None:
    wrong = [replace(photo, candidate=1 - photo.candidate) for photo in photos()]

    text = to_markdown(report(wrong))

    assert "# train-1: refused" in text
    assert "| accuracy | **refused** | 0.0000 | 0.9000 | 0.9000 |" in text
