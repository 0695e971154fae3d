"""Many models on the same photos: what can be counted by hand, and what must agree."""

import itertools
import time

import numpy as np
import pytest

from areyouacat.comparison import Contender, Pair, compare, holm, p_different, who_is_right
from areyouacat.comparison_record import (
    ComparedModel,
    ComparisonRecord,
    Question,
    worst_mistakes,
)
from areyouacat.comparison_text import figures, to_markdown
from areyouacat.quality import FIGURES, Answers, Confusion
from areyouacat.resampling import estimates, estimates_beside
from areyouacat.settings import LABELS

POSITIVE = np.array([True, True, True, True, False, False, False, False])
OWN_GROUPS = [str(photo) for photo in range(8)]


def contender(version: str, *probabilities: float, threshold: float = 0.5) -> Contender:
    return Contender(version, np.array(probabilities), threshold, latency_ms=10.0)


GOOD = contender("1", 0.9, 0.8, 0.9, 0.3, 0.1, 0.2, 0.1, 0.6)
FLAWLESS = contender("2", 0.9, 0.8, 0.9, 0.7, 0.1, 0.2, 0.1, 0.4)
STRICT = contender("3", 0.9, 0.8, 0.9, 0.7, 0.1, 0.2, 0.1, 0.4, threshold=0.85)


def random_contender(version: str, seed: int, positive: np.ndarray) -> Contender:
    random = np.random.default_rng(seed)
    logits = np.where(positive, 2.0, -2.0) + random.normal(0, 2.0, len(positive))
    return Contender(version, 1 / (1 + np.exp(-logits)), 0.5, latency_ms=10.0)


def record() -> ComparisonRecord:
    question = Question(("1", "2", "3"), "0123456789abcdef", "test")
    models = tuple(
        ComparedModel(version, "0123456789abcdef", f"job-{version}", "trained", "int8", "a" * 64)
        for version in question.versions
    )
    return ComparisonRecord(
        question,
        models,
        1,
        compare([GOOD, FLAWLESS, STRICT], POSITIVE, OWN_GROUPS),
        worst_mistakes([GOOD, FLAWLESS, STRICT], POSITIVE, OWN_GROUPS),
    )


def test_every_model_answers_by_its_own_threshold() -> None:
    found = compare([GOOD, FLAWLESS, STRICT], POSITIVE, OWN_GROUPS)

    assert (found.photos, found.positives) == (8, 4)
    assert [model.confusion for model in found.models] == [
        Confusion(3, 1, 3, 1),
        Confusion(4, 0, 4, 0),
        Confusion(2, 0, 4, 2),
    ]
    assert [model.figures["accuracy"].value for model in found.models] == [0.75, 1.0, 0.75]


def test_each_pair_says_who_is_right_where() -> None:
    pairs = compare([GOOD, FLAWLESS, STRICT], POSITIVE, OWN_GROUPS).pairs

    assert [
        (p.first, p.second, p.both_right, p.only_first_right, p.only_second_right, p.both_wrong)
        for p in pairs
    ] == [("1", "2", 6, 0, 2, 0), ("1", "3", 5, 1, 1, 1), ("2", "3", 6, 2, 0, 0)]
    assert [p.differences["accuracy"].value for p in pairs] == [0.25, 0.0, -0.25]


def test_figures_and_differences_are_those_of_fewer_models_side_by_side() -> None:
    positive = np.arange(200) % 2 == 0
    groups = [str(photo // 3) for photo in range(200)]
    contenders = [random_contender(str(seed), seed, positive) for seed in range(1, 5)]
    answers = [Answers(each.probabilities, positive, 0.5) for each in contenders]

    found = compare(contenders, positive, groups)

    assert found.models[2].figures == estimates(answers[2], groups)
    (pair,) = (p for p in found.pairs if (p.first, p.second) == ("2", "4"))
    beside = estimates_beside(answers[3], answers[1], groups)
    assert pair.differences["roc_auc"] == beside["roc_auc"].difference
    assert pair.differences["accuracy"].value == pytest.approx(beside["accuracy"].difference.value)


def test_a_model_beside_its_copy_does_not_differ() -> None:
    (pair,) = compare([GOOD, contender("2", *GOOD.probabilities)], POSITIVE, OWN_GROUPS).pairs

    assert (pair.only_first_right, pair.only_second_right, pair.p_value) == (0, 0, 1.0)
    assert all(difference.value == 0 for difference in pair.differences.values())


def swapped(pair: Pair) -> tuple[int, int]:
    return pair.only_second_right, pair.only_first_right


def test_the_order_of_two_models_turns_their_pair_around() -> None:
    positive = np.arange(300) % 2 == 0
    groups = [str(photo) for photo in range(300)]
    one, other = (random_contender(str(seed), seed, positive) for seed in (1, 2))

    (there,) = compare([one, other], positive, groups).pairs
    (back,) = compare([other, one], positive, groups).pairs

    assert (there.only_first_right, there.only_second_right) == swapped(back)
    assert there.p_value == back.p_value
    assert there.differences["f1"].low == pytest.approx(-back.differences["f1"].high)
    assert there.differences["accuracy"].low == pytest.approx(-back.differences["accuracy"].high)


def test_the_p_value_is_mcnemars_exact_one_of_both_sides() -> None:
    positive = np.ones(20, dtype=bool)
    better = Contender("1", np.full(20, 0.9), 0.5, 1.0)
    worse = Contender("2", np.array([0.1] * 6 + [0.9] * 14), 0.5, 1.0)

    (pair,) = compare([better, worse], positive, [str(n) for n in range(20)]).pairs

    assert pair.p_value == pytest.approx(2 / 2**6)


def test_the_more_pairs_there_are_the_less_one_of_them_proves() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_of_equal_models_hardly_ever_is_any_pair_called_different() -> None:
    alarms = 0
    random = np.random.default_rng(7)
    positive = np.ones(200, dtype=bool)
    for _ in range(100):
        models = [
            Answers((random.random(200) < 0.9).astype(np.float64), positive, 0.5) for _ in range(4)
        ]
        tests = [p_different(who_is_right(*pair)) for pair in itertools.combinations(models, 2)]
        alarms += min(holm(tests)) < 0.05

    assert alarms <= 8


def test_with_one_label_alone_there_is_no_roc_curve() -> None:
    (model,) = compare([GOOD], np.ones(8, dtype=bool), OWN_GROUPS).models

    assert model.roc is None
    assert "roc_auc" not in model.figures


def test_one_model_alone_has_figures_and_no_pair() -> None:
    found = compare([GOOD], POSITIVE, OWN_GROUPS)

    assert list(found.models[0].figures) == list(FIGURES)
    assert found.pairs == ()


def test_ten_models_on_as_many_photos_as_there_may_be_take_seconds() -> None:
    positive = np.arange(1_500) % 2 == 0
    contenders = [random_contender(str(seed), seed, positive) for seed in range(10)]

    started = time.process_time()
    compare(contenders, positive, [str(photo) for photo in range(1_500)])

    assert time.process_time() - started < 30


def test_a_record_is_read_as_it_was_written() -> None:
    assert ComparisonRecord.from_json(record().to_json().encode()) == record()


def test_the_worst_mistakes_are_the_surest_wrong_answers_and_say_who_else_was_wrong() -> None:
    photos = [f"photo-{number:02}" for number in range(10)]
    positive = np.ones(10, dtype=bool)
    one = contender("1", 0.4, 0.1, 0.3, 0.2, 0.45, 0.05, 0.15, 0.9, 0.9, 0.9)
    other = contender("2", 0.9, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9)

    found = worst_mistakes([one, other], positive, photos)

    assert [each.probability for each in found["1"]] == [0.05, 0.1, 0.15, 0.2, 0.3, 0.4]
    assert [each.photo for each in found["1"]][:2] == ["photo-05", "photo-01"]
    assert [each.others_right for each in found["1"]][:2] == [True, False]
    assert {each.label for each in found["1"]} == {LABELS.positive}
    assert [each.photo for each in found["2"]] == ["photo-01"]


def test_a_model_alone_has_nobody_else_who_was_wrong() -> None:
    (mistake,) = worst_mistakes([contender("1", 0.9)], np.zeros(1, dtype=bool), ["a"])["1"]

    assert (mistake.label, mistake.others_right) == (LABELS.negative, True)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"schema": 2}', b'{"schema": 9}'])
def test_what_is_no_record_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"comparison|schema"):
        ComparisonRecord.from_json(data)


def test_another_question_has_another_folder() -> None:
    asked = Question(("1", "2"), "0123456789abcdef", "test")
    others = [
        Question(("1", "3"), "0123456789abcdef", "test"),
        Question(("12",), "0123456789abcdef", "test"),
        Question(("1", "2"), "fedcba9876543210", "test"),
        Question(("1", "2"), "0123456789abcdef", "all"),
    ]

    assert asked.prefix == Question(("1", "2"), "0123456789abcdef", "test").prefix
    assert len({each.prefix for each in [asked, *others]}) == 5


def test_the_table_has_a_column_for_each_model() -> None:
    table = figures(record().comparison)

    assert table.heading == ["", "version 1", "version 2", "version 3"]
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["accuracy"][0].startswith("0.7500 (")
    assert rows["threshold"] == ["0.500", "0.500", "0.850"]
    assert rows["cat recognised"] == ["3 of 4", "4 of 4", "2 of 4"]
    assert rows["not_cat recognised"] == ["3 of 4", "4 of 4", "4 of 4"]


def test_a_figure_with_nothing_to_divide_by_is_a_dash() -> None:
    table = figures(compare([GOOD], np.ones(8, dtype=bool), OWN_GROUPS))

    assert ["ROC area", "-"] in [list(row) for row in table.rows]


def test_the_markdown_says_what_was_compared_on_what() -> None:
    text = to_markdown(record())

    assert text.startswith("# Model versions 1, 2, 3 on data set 0123456789abcdef\n")
    assert "8 photos (test), 4 of them cat. 1 more are erased or unreadable." in text
    assert "| 1 and 2 | 6 | 0 | 2 | 0 |" in text
    assert "job-3" in text
