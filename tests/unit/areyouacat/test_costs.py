"""What a prediction costs."""

import pytest

from areyouacat.costs import Prices, prediction_costs

FREE = Prices(0.0, 0.0, 0.0, 0.0, 0.0)


def test_nothing_predicted_costs_nothing_that_can_be_shared_out() -> None:
    assert prediction_costs(0, 10, 100.0, 1769) is None


def test_time_is_paid_by_the_gigabyte_second() -> None:
    prices = Prices(1.0, 0.0, 0.0, 0.0, 0.0)

    # 500 requests of 100 ms at half a gigabyte, for 500 predictions.
    assert prediction_costs(500, 500, 50_000.0, 512, prices) == pytest.approx(1000 * 25 / 500)


def test_failed_requests_are_shared_out_among_the_predictions() -> None:
    prices = Prices(0.0, 0.25, 0.75, 0.0, 0.0)

    assert prediction_costs(10, 30, 0.0, 512, prices) == pytest.approx(3000.0)


def test_each_prediction_is_written_with_its_index_and_its_photo() -> None:
    prices = Prices(0.0, 0.0, 0.0, 1.0, 10.0)

    assert prediction_costs(7, 7, 0.0, 512, prices) == pytest.approx(1000 * 14.0)


def test_a_thousand_predictions_at_list_prices_cost_about_a_cent() -> None:
    costs = prediction_costs(1000, 1000, 60_000.0, 1769)

    assert costs == pytest.approx(0.0126, abs=0.0005)
    assert prediction_costs(1000, 1000, 60_000.0, 1769, FREE) == 0.0
