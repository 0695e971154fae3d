"""The values of MetricDefinitions in a job's log."""

import pytest

from local_cloud.sagemaker.cloudwatch.metrics import MetricScanner
from local_cloud.sagemaker.records.jobs import FinalMetric

PATTERNS = {"loss": r"loss=([^ ;]+)", "accuracy": r"accuracy=([^ ;]+)"}


def test_every_value_of_a_line_is_found() -> None:
    scanner = MetricScanner(PATTERNS)

    found = scanner.scan("accuracy=0.5 loss=2 loss=1e-1", 7.0)

    assert found == [
        FinalMetric("loss", 2.0, 7.0),
        FinalMetric("loss", 0.1, 7.0),
        FinalMetric("accuracy", 0.5, 7.0),
    ]


def test_the_last_value_of_each_metric_is_final_in_the_order_of_the_definitions() -> None:
    scanner = MetricScanner(PATTERNS)

    for at, line in enumerate(("accuracy=0.1", "loss=3 loss=2", "accuracy=0.9", "done")):
        scanner.scan(line, float(at))

    assert scanner.final == (FinalMetric("loss", 2.0, 1.0), FinalMetric("accuracy", 0.9, 2.0))


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", "n/a", "1,5", "0x10"])
def test_what_is_no_finite_number_is_no_value(text: str) -> None:
    scanner = MetricScanner(PATTERNS)

    assert scanner.scan(f"loss={text}", 1.0) == []
    assert scanner.final == ()


def test_a_group_that_takes_no_part_in_a_match_is_no_value() -> None:
    assert MetricScanner({"loss": "loss(=1)?"}).scan("loss", 1.0) == []
