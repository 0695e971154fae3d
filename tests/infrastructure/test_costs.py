"""What the page of costs says is what the code computes, of what is deployed."""

import re
from datetime import date

import pytest

from areyouacat.prices import PRICES, PriceList
from infra_cdk.costs import model
from infra_cdk.costs.__main__ import PAGE
from infra_cdk.costs.page import renewed, tables
from infra_cdk.costs.usage import SIZES, STANDING
from infra_cdk.settings import REPORT, TRAINING
from infra_cdk.targets import TARGETS, Target
from tests.infrastructure.template_reading import Template, resources

SMALL, MEDIUM, LARGE = SIZES


def test_the_page_is_as_new_as_the_code() -> None:
    page = PAGE.read_text()

    assert renewed(page) == page, "the page is old: make costs"


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="costs:start"):
        renewed("# Costs\n")


def test_every_price_has_a_date_and_a_page_of_awss_own() -> None:
    assert PRICES.dated <= date.today()  # noqa: DTZ011 - a day, not a moment
    for name, price in PRICES.prices.items():
        assert price.usd > 0, name
        assert price.page.startswith("https://aws.amazon.com/"), name


def test_every_price_is_used() -> None:
    asked: set[str] = set()

    class Asked(PriceList):
        def usd(self, name: str) -> float:
            asked.add(name)
            return 1.0

    prices = Asked(PRICES.dated, PRICES.region, PRICES.remark, PRICES.prices)
    model.million_predictions(prices)
    model.options(prices)
    for size in SIZES:
        model.training(size, prices)
        model.month_at_rest(size, prices)
        model.month(size, prices)

    assert asked == set(PRICES.prices)


def test_the_alarms_that_are_billed_are_those_of_the_stack(aws_template: Template) -> None:
    assert len(resources(aws_template, "CloudWatch::Alarm")) == STANDING.alarms


def test_a_batch_costs_by_its_photos_and_more_functions_make_it_shorter_not_dearer() -> None:
    million, hundred = (sum(model.batch(photos).values()) for photos in (10**6, 10**8))

    assert hundred == pytest.approx(100 * million, rel=0.001)
    hours = [model.batch_hours(10**8, functions) for functions in (100, 500, 3_000)]
    assert hours == sorted(hours, reverse=True)
    # What more functions cannot shorten: S3 lists keys one page after another.
    assert hours[-1] > model.listing_seconds(10**8) / 3600
    assert model.batch_hours(10**8, 3_000, manifest=True) < hours[-1]


def test_each_million_predictions_costs_the_same_whatever_the_size() -> None:
    million = sum(model.million_predictions().values())

    for size in SIZES:
        predictions = model.month(size)["predictions"]
        assert predictions == pytest.approx(million * size.predictions_a_month / 1e6)


def test_a_job_is_billed_by_the_second_of_its_instance() -> None:
    hour = PRICES.usd("ml_m5_xlarge_hour")

    job = model.training(LARGE)[f"job on {TRAINING.instance_type}"]

    assert job == pytest.approx((LARGE.execution_seconds + 60) / 3600 * hour)


def test_more_labelled_photos_cost_more_at_rest_and_nothing_else_does() -> None:
    small, large = model.month_at_rest(SMALL), model.month_at_rest(LARGE)

    assert {what for what in small if small[what] != large[what]} == {
        "labelled photos and their features"
    }


def test_a_longer_bake_has_more_looks_and_so_more_transitions() -> None:
    on = TARGETS[Target.AWS]
    looks = on.canary_bake_seconds / on.canary_check_seconds

    transitions = model.training(SMALL)["workflows' transitions"] / PRICES.usd("state_transition")

    assert transitions == pytest.approx(20 + 3 * looks)


def test_the_instances_that_are_deployed_have_a_price() -> None:
    for instance in (TRAINING.instance_type, REPORT.instance_type):
        assert instance.replace(".", "_") + "_hour" in PRICES.prices


def test_the_tables_name_the_day_of_the_prices() -> None:
    assert re.search(rf"as of {PRICES.dated}", tables())
