"""A budget by setting: whom it tells, of what, and when."""

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from infra_cdk.switches import BudgetLimit
from infra_cdk.targets import Target
from tests.infrastructure.conftest import synthesise
from tests.infrastructure.template_reading import Template, only, resources


def limit(**context: Any) -> BudgetLimit | None:
    return BudgetLimit.from_context(App(context=context).node)


def test_nobody_who_did_not_ask_has_a_budget(template: Template) -> None:
    assert resources(template, "Budgets::Budget") == {}


def test_the_owner_is_told_at_four_fifths_at_all_of_it_and_before_it_comes_to_that(
    tmp_path: Path,
) -> None:
    template = synthesise(
        Target.AWS, tmp_path, budget_usd="50", budget_email="ann@example.com"
    ).template

    budget = only(template, "Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 50, "Unit": "USD"}
    assert budget["Budget"]["CostFilters"] == {"TagKeyValue": ["user:Application$AreYouACat"]}
    told = budget["NotificationsWithSubscribers"]
    assert [
        (one["Notification"]["NotificationType"], one["Notification"]["Threshold"]) for one in told
    ] == [("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]
    assert {one["Subscribers"][0]["Address"] for one in told} == {"ann@example.com"}


def test_the_local_cloud_has_none_even_if_asked(tmp_path: Path) -> None:
    template = synthesise(
        Target.LOCAL, tmp_path, budget_usd="50", budget_email="ann@example.com"
    ).template

    assert resources(template, "Budgets::Budget") == {}


@pytest.mark.parametrize(
    "context",
    [
        {"budget_usd": "50"},
        {"budget_email": "ann@example.com"},
        {"budget_usd": "0", "budget_email": "ann@example.com"},
        {"budget_usd": "-5", "budget_email": "ann@example.com"},
        {"budget_usd": "much", "budget_email": "ann@example.com"},
        {"budget_usd": "50", "budget_email": "ann"},
    ],
    ids=str,
)
def test_half_a_budget_is_refused_with_the_remedy(context: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"-c budget_usd=50 -c budget_email="):
        limit(**context)


def test_no_budget_is_asked_for_by_default() -> None:
    assert limit() is None
