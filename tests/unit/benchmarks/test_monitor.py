"""The monitor benchmark: the predictions it makes, and what it makes of the figures."""

from dataclasses import replace

import pytest

from areyouacat.predictions import FEEDBACK_AT
from benchmarks import generated_predictions as made
from benchmarks import monitor
from benchmarks.monitor import Measured, Size
from lambdas.monitoring.logic.collection import Collected, collect
from lambdas.shared.predictions_table import PredictionsTable

ROWS = 2_500


def look(predictions: PredictionsTable | made.GeneratedRecords) -> Collected:
    return collect(predictions, made.pointer(), made.baseline(made.kinds()), made.HOURS, made.NOW)


def measured(
    rows: int, processor_seconds: float, memory_mb: float = 90, queries: int = 0
) -> Measured:
    return Measured(processor_seconds, processor_seconds, memory_mb, rows, queries)


def test_dynamodbs_answers_and_finished_records_are_the_same_number_of_predictions() -> None:
    kinds = made.kinds()
    table = made.GeneratedTable(ROWS, kinds)

    answered = look(PredictionsTable(table.client(), "any"))
    finished = look(made.GeneratedRecords(ROWS, kinds))

    for found in (answered, finished):
        assert (found.served.predictions, found.judged.labels) == (ROWS, ROWS // 100)
    assert finished.drift.score == 0.0
    assert table.queries > 2_884  # partitions of thirty days, for the new feedback
    assert table.seconds > 0


def test_a_partition_longer_than_a_page_is_read_page_by_page() -> None:
    table = made.GeneratedTable(500_000, made.kinds())
    reader = PredictionsTable(table.client(), "any")

    photos = {item.prediction.photo for item in reader.predicted_between(made.NOW, made.NOW)}

    assert len(photos) == 500_000 // 25
    assert table.queries > 4


def test_a_generated_answer_reads_as_the_prediction_it_was_made_of() -> None:
    kinds = made.kinds()
    reader = PredictionsTable(made.GeneratedTable(100, kinds).client(), "any")

    first = next(iter(reader.predicted_between(made.NOW, made.NOW))).prediction

    assert first == replace(kinds[0], photo=first.photo)
    assert first.photo[8:] == kinds[0].photo[8:]


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"ab": {"S": "four"}}, 6),
        ({"n": {"N": "0.123456"}}, 1 + 4),
        ({"n": {"N": "-12"}}, 1 + 3),
        ({"l": {"L": [{"N": "1"}, {"N": "2"}]}}, 1 + 3 + 2 * 3),
        ({FEEDBACK_AT: {"B": b"12345"}}, len(FEEDBACK_AT) + 5),
    ],
)
def test_an_items_size_is_counted_as_dynamodb_does(
    item: dict[str, dict[str, str]], size: int
) -> None:
    assert made.item_bytes(item) == size


def test_a_part_of_a_vcpu_takes_longer_and_queries_wait_on_top() -> None:
    look = measured(rows=1_000, processor_seconds=10, queries=100)

    assert Size(1769, 840).seconds(look) == pytest.approx(10 + 2)
    assert Size(512, 300).seconds(look) == pytest.approx(10 * 1769 / 512 + 2)
    assert Size(3538, 840).share == 1.0


def test_the_figures_judge_the_largest_look_by_the_functions_size() -> None:
    records = [measured(n, n / 1e5) for n in (1_000, 10_000)]
    table = [measured(10_000, 100, memory_mb=600, queries=3_000)]

    found = {figure.name: figure for figure in monitor.figures(records, table, Size(512, 300))}

    assert found["statistics: growth of their time"].value == pytest.approx(1)
    assert found["collect-window: 10,000 predictions"].met is False
    assert found["collect-window: memory at 10,000"].met is False


def test_a_look_that_lost_predictions_is_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "labelled", lambda rows: rows // 50)
    monkeypatch.setattr(made.GeneratedRecords, "labelled_between", lambda *_: iter(()))

    with pytest.raises(RuntimeError, match="2500"):
        monitor.main(monitor.RECORDS, str(ROWS))
