"""Which labels of callers teach, and which a person has to see first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from areyouacat.columns import LabelColumns
from areyouacat.lake import LabelRecord
from areyouacat.settings import REVIEW, ReviewRules
from lambdas.pipeline.logic.review import (
    WAITS_FOR_APPROVAL,
    KnownLabels,
    Labelled,
    Reviewed,
    review,
)
from tests.unit.lambdas.pipeline.factories import NOON, label_record, labelled_item, photo_hash

RULES = replace(REVIEW, least_cap=100, outliers_from=10)


def reviewed(
    *said: Labelled,
    known: Sequence[LabelRecord] = (),
    approval: bool = False,
    rules: ReviewRules = RULES,
) -> Reviewed:
    by_photo = defaultdict(list)
    for one in said:
        by_photo[one.prediction.photo].append(one)
    return review(
        by_photo, KnownLabels(LabelColumns(known).latest()), approval=approval, rules=rules
    )


def labelled(name: str, said: str = "cat", minutes: int = 0, **changes: Any) -> Labelled:
    at = NOON + timedelta(minutes=minutes)
    item = labelled_item(name, said=said, said_at=at, **changes)
    assert item.feedback is not None
    return Labelled(item.prediction, item.feedback)


def accepted(found: Reviewed) -> list[tuple[str, str]]:
    return [(one.prediction.photo, one.feedback.label) for one in found.accepted]


def reasons(found: Reviewed) -> dict[str, str]:
    return {one.labelled.prediction.photo: one.reason for one in found.held}


def test_one_label_on_an_unknown_photo_teaches() -> None:
    found = reviewed(labelled("a", "not_cat"))

    assert accepted(found) == [(photo_hash("a"), "not_cat")]
    assert found.held == ()


@pytest.mark.parametrize(
    ("votes", "teaches"),
    [
        (("cat", "not_cat"), None),
        (("cat", "cat", "not_cat"), "cat"),
        (("cat", "not_cat", "not_cat"), "not_cat"),
    ],
)
def test_labels_of_one_photo_teach_if_two_thirds_agree(
    votes: tuple[str, ...], teaches: str | None
) -> None:
    found = reviewed(
        *(
            labelled("a", vote, number, prediction_id=str(number))
            for number, vote in enumerate(votes)
        )
    )

    if teaches:
        assert accepted(found) == [(photo_hash("a"), teaches)]
    else:
        assert "people disagree" in reasons(found)[photo_hash("a")]


@pytest.mark.parametrize("source", ["seed", "review"])
def test_a_caller_overrules_no_label_of_the_lakes_own(source: str) -> None:
    known = [replace(label_record("a", "cat"), source=source)]

    found = reviewed(labelled("a", "not_cat"), known=known)

    assert reasons(found) == {photo_hash("a"): f"the lake says cat, by {source}"}


def test_a_caller_may_change_what_a_caller_said() -> None:
    known = [replace(label_record("a", "cat"), source="feedback")]

    assert accepted(reviewed(labelled("a", "not_cat"), known=known)) == [
        (photo_hash("a"), "not_cat")
    ]


@pytest.mark.parametrize("approval", [True, False])
def test_what_the_lake_says_already_is_not_taken_over_again(*, approval: bool) -> None:
    known = [replace(label_record("a", "cat"), source="feedback")]

    assert reviewed(labelled("a", "cat"), known=known, approval=approval) == Reviewed((), ())


def test_with_approval_nothing_teaches_before_a_person_has_seen_it() -> None:
    found = reviewed(labelled("a"), labelled("b"), approval=True)

    assert found.accepted == ()
    assert set(reasons(found).values()) == {WAITS_FOR_APPROVAL}


def test_so_many_new_labels_teach_at_once_the_earliest_first() -> None:
    known = [label_record(f"seed-{number}", "cat") for number in range(20)]
    said = [labelled(f"new-{number}", minutes=number) for number in range(15)]

    found = reviewed(*reversed(said), known=known, rules=replace(RULES, least_cap=3))

    assert {photo for photo, _ in accepted(found)} == {
        photo_hash(f"new-{number}") for number in range(10)
    }
    assert set(reasons(found).values()) == {"more than 10 new labels at once"}


def test_few_known_labels_leave_room_for_the_least_cap() -> None:
    said = [labelled(f"new-{number}", minutes=number) for number in range(5)]

    assert len(reviewed(*said, rules=replace(RULES, least_cap=3)).accepted) == 3


def near(place: float, number: int) -> tuple[float, ...]:
    noise = np.random.default_rng(number).normal(0.0, 0.01, 16)
    return tuple(float(value) for value in place + noise)


def neighbourhood(said: str, count: int = 12) -> list[Labelled]:
    """Photos the model takes for cats, surely, all alike."""
    return [
        labelled(f"n{number}", said, probability=0.999, sketch=near(1.0, number))
        for number in range(count)
    ]


def test_a_label_against_a_sure_answer_and_all_like_photos_is_held() -> None:
    slip = labelled("slip", "not_cat", probability=0.999, sketch=near(1.0, 99))

    found = reviewed(*neighbourhood("cat"), slip)

    assert reasons(found) == {
        photo_hash("slip"): "contradicts a sure answer and the labels of like photos"
    }


def test_labels_against_sure_answers_that_agree_with_each_other_teach() -> None:
    found = reviewed(*neighbourhood("not_cat"))

    assert len(found.accepted) == 12
    assert found.held == ()


def test_an_unsure_answer_may_be_contradicted() -> None:
    unsure = labelled("unsure", "not_cat", probability=0.6, sketch=near(1.0, 99))

    assert reviewed(*neighbourhood("cat"), unsure).held == ()


def test_few_labels_have_no_neighbourhood_to_contradict() -> None:
    slip = labelled("slip", "not_cat", probability=0.999, sketch=near(1.0, 99))

    assert reviewed(*neighbourhood("cat", 5), slip).held == ()


def test_the_order_in_which_labels_come_decides_nothing() -> None:
    said = [*neighbourhood("cat"), labelled("z", "not_cat", probability=0.999)]

    assert reviewed(*said) == reviewed(*reversed(said))
