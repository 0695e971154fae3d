"""What is said of us beside a peer: both sides of each comparison, from the same measurements."""

import pytest

from benchmarks import api_peer, keras_fit, sagemaker
from benchmarks.figures import Figure
from benchmarks.http_load import Load, Reply
from benchmarks.training import ACCURACY, FIRST, MEMORY, RETRAIN


def by_name(figures: list[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures}


def served(seconds: float, starts: list[float], megabytes: float) -> api_peer.Served:
    alone = Load([Reply(200, b"", seconds)] * 20, 20 * seconds)
    crowded = Load([Reply(200, b"", 2 * seconds)] * 40, 40 * seconds)
    return api_peer.Served(starts, alone, crowded, megabytes, 2 * megabytes)


def test_the_peer_of_the_api_is_compared_in_start_latency_throughput_and_memory() -> None:
    ours, peer = served(0.03, [2.0, 2.2, 2.1], 130), served(0.6, [20.0, 25.0, 21.0], 900)

    found = by_name(api_peer.figures(ours, peer, [50.0] * 20, [10.0] * 50))

    assert found["start: mlflow / ours"].value == pytest.approx(10)
    assert found["start, ours"].repetitions == 3
    assert found["p50: mlflow / ours"].value == pytest.approx(20)
    assert found["p50: mlflow / ours"].repetitions == 20
    assert found["at 8 clients: ours / mlflow"].value == pytest.approx(20)
    memory = found["memory of a serving process: ours / mlflow"]
    assert memory.value == pytest.approx(130 / 900)
    assert memory.met
    assert found["in process: Keras predict / handler"].value == pytest.approx(5)


def test_a_fit_is_told_alone_and_beside_our_training() -> None:
    fitted = keras_fit.Fitted(photos=410, whole=8_200, seconds=30, memory_mb=900, accuracy=98.5)
    ours = {FIRST: 200.0, RETRAIN: 75.0, MEMORY: 600.0, ACCURACY: 98.9}

    alone, beside = by_name(keras_fit.alone(fitted)), by_name(keras_fit.beside(fitted, ours))

    assert alone["Keras fit"].value == pytest.approx(600)
    assert "scaled" in alone["Keras fit"].note
    assert alone["Keras fit: photos a second"].value == pytest.approx(410 / 30)
    assert beside["Keras fit / our retrain"].value == pytest.approx(8)
    assert beside["Keras fit: memory / our job's"].value == pytest.approx(1.5)
    assert beside["our retrain: photos a second"].value == pytest.approx(8_200 / 75)
    assert beside["our accuracy beside it"].met


def test_what_a_job_adds_is_what_the_bare_process_does_not_take() -> None:
    measured = sagemaker.Measured(
        jobs=[1.0] * 15,
        bare=[0.25] * 15,
        executions=[1.5] * 9,
        created=[0.05] * 15,
        described=[0.02] * 300,
        identified=[0.01] * 300,
        at_once=20,
        at_once_seconds=8.0,
        refused=1,
    )

    found = by_name(sagemaker.figures(measured))

    assert found["what a job adds"].value == pytest.approx(0.75)
    assert found["DescribeTrainingJob, p50"].value == pytest.approx(20)
    assert found["DescribeTrainingJob / GetCallerIdentity"].value == pytest.approx(2)
    assert found["jobs at once: not Completed"].met is False
