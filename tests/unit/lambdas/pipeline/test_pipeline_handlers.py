from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from areyouacat.errors import EmptyLakeError
from areyouacat.lake import (
    dump_shard,
    index_shard_key,
    label_shard_key,
    photo_key,
)
from areyouacat.predictions import Feedback, prediction_item
from lambdas.pipeline.dal.control_table import ControlTable
from lambdas.pipeline.handlers import (
    lease,
    record_outcome,
    snapshot_dataset,
)
from lambdas.shared.environment import MissingEnvironmentError
from lambdas.shared.predictions_table import PredictionsTable
from lambdas.shared.training_ledger_store import TrainingLedgerStore
from tests.unit.lambdas.pipeline.factories import (
    index_row,
    label_record,
    labelled_item,
    photo_hash,
)
from tests.unit.lambdas.pipeline.moto_cloud import Cloud


def acquire(arn: str, context: Any, **request: Any) -> dict[str, Any]:
    event = {
        "execution_arn": arn,
        "execution_name": arn.rsplit(":", 1)[1],
        "request": request,
    }
    return lease.acquire(event, context)


def test_the_first_execution_gets_the_lease_and_a_name_for_its_job(
    cloud: Cloud, context: Any
) -> None:
    arn = cloud.start_execution("first")

    answer = acquire(arn, context, reason="accuracy fell", source="alarm", alarm="x")

    job_name = answer.pop("training_job_name")
    assert job_name.startswith("areyouacat-first-")
    assert answer == {
        "acquired": True,
        "outcome": "acquired",
        "why": "nobody else trains",
        "holder": arn,
        "reason": "accuracy fell",
        "source": "alarm",
        "answers": [],
    }


def test_an_empty_input_starts_a_training_by_hand(cloud: Cloud, context: Any) -> None:
    assert acquire(cloud.start_execution("first"), context)["source"] == "manual"


def test_a_second_execution_is_turned_away_while_the_first_runs(cloud: Cloud, context: Any) -> None:
    first, second = cloud.start_execution("first"), cloud.start_execution("second")
    acquire(first, context)

    answer = acquire(second, context)

    assert (answer["acquired"], answer["outcome"]) == (False, "already_running")
    assert answer["holder"] == first
    assert first in answer["why"]


def test_after_a_training_an_alarm_is_told_until_when_to_wait(cloud: Cloud, context: Any) -> None:
    first, second = cloud.start_execution("first"), cloud.start_execution("second")
    acquire(first, context)
    lease.release({"execution_arn": first}, context)

    turned_away = acquire(second, context, source="alarm", alarm="drift", reason="moved")

    assert (turned_away["acquired"], turned_away["outcome"]) == (False, "cooling_down")
    assert "none by itself before 20" in turned_away["why"]
    person = acquire(cloud.start_execution("third"), context, source="manual")
    assert (person["acquired"], person["answers"]) == (True, ["drift"])


def test_a_retried_acquire_still_holds_the_lease(cloud: Cloud, context: Any) -> None:
    arn = cloud.start_execution("first")

    assert acquire(arn, context) == acquire(arn, context)


def test_the_lease_of_a_stopped_execution_is_taken_over(cloud: Cloud, context: Any) -> None:
    first, second = cloud.start_execution("first"), cloud.start_execution("second")
    acquire(first, context)
    cloud.stepfunctions.stop_execution(executionArn=first)

    assert acquire(second, context)["acquired"]


@pytest.mark.parametrize(
    "holder", ["arn:aws:states:eu-west-1:123456789012:execution:train:gone", "no arn at all"]
)
def test_the_lease_of_an_unknown_execution_is_taken_over(
    cloud: Cloud, context: Any, holder: str
) -> None:
    TrainingLedgerStore(cloud.dynamodb, "control").change(
        lambda ledger: (replace(ledger, holder=holder), None)
    )

    assert acquire(cloud.start_execution("first"), context)["acquired"]


def test_a_released_lease_is_free_and_releasing_twice_is_fine(cloud: Cloud, context: Any) -> None:
    first, second = cloud.start_execution("first"), cloud.start_execution("second")
    acquire(first, context)

    assert lease.release({"execution_arn": first}, context) == {"released": True}
    assert lease.release({"execution_arn": first}, context) == {"released": False}

    assert acquire(second, context)["acquired"]


def test_nobody_releases_the_lease_of_another(cloud: Cloud, context: Any) -> None:
    first, second = cloud.start_execution("first"), cloud.start_execution("second")
    acquire(first, context)

    assert lease.release({"execution_arn": second}, context) == {"released": False}
    assert not acquire(second, context)["acquired"]


def test_a_missing_variable_is_named(
    cloud: Cloud, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONTROL_TABLE")

    with pytest.raises(MissingEnvironmentError, match="CONTROL_TABLE"):
        lease.release({"execution_arn": "arn"}, context)


def put_labelled(
    cloud: Cloud, name: str, label: str, at: datetime, photo: bytes | None = b"sent to the API"
) -> None:
    """A prediction with its feedback, and its photo unless that is gone."""
    if photo is not None:
        cloud.s3.put_object(Bucket="lake", Key=photo_key(photo_hash(name)), Body=photo)
    ControlTable(cloud.dynamodb, "control").move_feedback_watermark(at)
    table = PredictionsTable(cloud.dynamodb, "predictions")
    prediction = labelled_item(name).prediction
    table.put(prediction_item(prediction, ttl_days=30))
    table.record_feedback(prediction.prediction_id, Feedback(label, at))


def seed(cloud: Cloud) -> None:
    index = dump_shard([index_row("tom"), index_row("rock")])
    labels = dump_shard([label_record("tom", "cat"), label_record("rock", "not_cat")])
    for key, shard in (
        (index_shard_key("2026-11-20", index), index),
        (label_shard_key("2026-11-20", labels), labels),
    ):
        cloud.s3.put_object(Bucket="lake", Key=key, Body=shard)


def test_a_snapshot_takes_feedback_from_the_table_into_the_lake(cloud: Cloud, context: Any) -> None:
    seed(cloud)
    put_labelled(cloud, "new", "not_cat", datetime.now(UTC))

    answer = snapshot_dataset.handler({"execution_arn": "arn", "reason": "why"}, context)

    assert set(answer) == {
        "version",
        "mode",
        "manifest_sha256",
        "dataset_s3_uri",
        "channel_manifest_s3_uri",
        "summary_key",
        "counts",
        "missing_features",
        "feedback_labels",
    }
    assert answer["feedback_labels"] == 1
    assert answer["missing_features"] == 3
    manifest = cloud.s3.get_object(
        Bucket="lake", Key=f"datasets/{answer['version']}/manifest.jsonl"
    )
    assert photo_hash("new").encode() in manifest["Body"].read()


@pytest.mark.parametrize("photo", [None, b""], ids=["expired", "erased"])
def test_a_snapshot_leaves_out_feedback_whose_photo_is_gone_and_logs_how_much(
    cloud: Cloud, context: Any, caplog: pytest.LogCaptureFixture, photo: bytes | None
) -> None:
    seed(cloud)
    put_labelled(cloud, "new", "not_cat", datetime.now(UTC), photo)

    answer = snapshot_dataset.handler({}, context)

    assert (answer["feedback_labels"], answer["missing_features"]) == (0, 2)
    (warned,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert warned.getMessage() == "feedback on photos that expired or were erased"
    assert vars(warned)["photos"] == 1


def test_a_second_snapshot_of_the_same_lake_is_the_same_version(cloud: Cloud, context: Any) -> None:
    seed(cloud)
    put_labelled(cloud, "new", "not_cat", datetime.now(UTC))

    first = snapshot_dataset.handler({}, context)

    assert snapshot_dataset.handler({}, context) == first


def test_an_empty_lake_fails_under_the_name_that_the_workflow_tells(
    cloud: Cloud, context: Any
) -> None:
    # Lambda reports the exception's class, and the workflow ends with that as its error.
    with pytest.raises(EmptyLakeError):
        snapshot_dataset.handler({}, context)


@pytest.mark.usefixtures("cloud")
def test_an_execution_without_a_run_has_nothing_to_mark(
    context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "none")

    answer = record_outcome.handler(
        {"mlflow_run_id": None, "outcome": "failed", "reason": "no photos"}, context
    )

    assert answer == {"recorded": False}
