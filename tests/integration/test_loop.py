"""The whole loop on the local cloud, as its users would go through it, in this order.

seed -> train -> predict -> wrong feedback -> alarm -> retrain -> the new version answers
"""

import hashlib
import io
import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps
from streamlit.testing.v1 import AppTest

from areyouacat.settings import LABELS, MODEL_NAME, MONITORING
from lambdas.shared.training_ledger_store import TrainingLedgerStore
from tests.integration.instance import APP_PYTHON, ROOT, Instance, eventually


def mirrored(photo: Path) -> bytes:
    """A photo that the lake has not seen: the picture turned left to right."""
    buffer = io.BytesIO()
    with Image.open(photo) as image:
        ImageOps.mirror(image.convert("RGB")).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def photos_of(starter: Path, label: str) -> list[Path]:
    return sorted((starter / label).iterdir(), key=lambda path: (path.stat().st_size, path.name))


def executions(cloud: Instance) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.client("stepfunctions").list_executions(
        stateMachineArn=cloud.endpoints["state_machines"]["train"]
    )["executions"]
    return found


CARD = (
    "import mlflow; client = mlflow.MlflowClient(); "
    f"run = client.get_model_version_by_alias('{MODEL_NAME}', 'champion').run_id; "
    "print(open(client.download_artifacts(run, 'model_card.md')).read())"
)
"""Prints the champion's model card, as MLflow's own client gets it."""

ASK = """
import os, ssl, sys, urllib.request
request = urllib.request.Request(
    os.environ["API_URL"] + "predict",
    data=open(sys.argv[1], "rb").read(),
    headers={"x-api-key": os.environ["API_KEY"], "content-type": "image/jpeg"},
)
trusted = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
print(urllib.request.urlopen(request, context=trusted).read().decode())
"""
"""A user's own script, which knows nothing but what the `env` file says."""


def test_before_the_first_model_the_api_says_so(empty_instance: Instance) -> None:
    for answer in (
        empty_instance.predict(b"whatever"),
        empty_instance.call("GET", "model"),
    ):
        assert (answer.status, answer.body["error"]["code"]) == (503, "no_model_yet")
    assert empty_instance.call("GET", "health").body == {
        "status": "no_model",
        "model_version": None,
    }


def test_both_labels_are_answered_right_through_api_gateway(
    trained: Instance, starter: Path
) -> None:
    for label in LABELS.all:
        answer = trained.predict(mirrored(photos_of(starter, label)[0]))

        assert answer.status == 200, answer.body
        assert answer.body["label"] == label
        assert 0.0 <= answer.body["probability"] <= 1.0
        assert answer.body["model"] == {"name": MODEL_NAME, "version": "1", "role": "champion"}
        grid = answer.body["explanation"]["grid"]
        assert [len(row) for row in grid] == [7] * 7


def test_the_first_model_is_in_the_registry_and_behind_the_pointer(trained: Instance) -> None:
    model = trained.call("GET", "model").body

    assert model["model"]["version"] == "1"
    assert model["model"]["mode"] == "bootstrap"
    assert registry(trained) == {"versions": ["1"], "champion": "1"}


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"this is text", "image/jpeg", 400, "unreadable_image"),
        (b"", "image/jpeg", 400, "empty_body"),
        (b"{}", "application/json", 422, "invalid_request"),
    ],
)
def test_bad_input_gets_its_status_and_code_and_nothing_else(
    trained: Instance, body: bytes, content_type: str, status: int, code: str
) -> None:
    answer = trained.call("POST", "predict", body, content_type=content_type)

    assert answer.status == status
    assert set(answer.body) == {"error"}
    assert set(answer.body["error"]) == {"code", "message"}
    assert answer.body["error"]["code"] == code


def test_without_a_key_nothing_is_answered(trained: Instance) -> None:
    for method, path in (
        ("POST", "predict"),
        ("POST", "feedback"),
        ("GET", "model"),
        ("GET", "health"),
    ):
        answer = trained.call(method, path, {}, with_key=False)

        assert (answer.status, answer.body["error"]["code"]) == (403, "forbidden")


def test_feedback_on_an_unknown_prediction_is_not_found(trained: Instance) -> None:
    answer = trained.call("POST", "feedback", {"prediction_id": "0" * 32, "label": LABELS.positive})

    assert (answer.status, answer.body["error"]["code"]) == (404, "not_found")


def test_the_env_file_serves_the_stock_clients(
    trained: Instance, starter: Path, tmp_path: Path
) -> None:
    def shown(command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", f"source '{trained.state}/env'; {command}"],
            env=trained.bare_environment(),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert MODEL_NAME in shown("mlflow experiments search")
    assert "data set" in shown(f'python -c "{CARD}"').lower()
    assert "AreYouACat-train" in shown("aws stepfunctions list-state-machines")
    assert "AreYouACat" in shown("cdk list")

    script = tmp_path / "ask.py"
    script.write_text(ASK)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(mirrored(photos_of(starter, LABELS.positive)[0]))
    answer = json.loads(shown(f"python {script} {photo}"))
    assert answer["label"] == LABELS.positive


def test_the_client_asks_the_real_api_and_takes_the_answer_back(
    trained: Instance, starter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_STATE_DIR", str(trained.state))
    photo = mirrored(photos_of(starter, LABELS.positive)[1])

    page = AppTest.from_file(str(ROOT / "ui" / "app.py"), default_timeout=60).run()
    page.file_uploader[0].set_value([("photo.jpg", photo, "image/jpeg")]).run()

    assert not page.exception
    assert page.header[0].value == f"This is {LABELS.positive_words}."

    next(button for button in page.button if "Right" in button.label).click().run()

    assert not page.exception
    assert "Thank you" in page.success[0].value


@pytest.mark.parametrize("path", ["ui_url", "mlflow_url"])
def test_the_pages_that_were_printed_answer(trained: Instance, path: str) -> None:
    with urllib.request.urlopen(trained.endpoints[path], timeout=30) as answer:
        assert answer.status == 200


def test_wrong_answers_are_noticed_and_retrained_once(trained: Instance, starter: Path) -> None:
    before = len(executions(trained))
    told = {}
    for photo in photos_of(starter, LABELS.negative)[: MONITORING.min_feedback_labels + 2]:
        shown = mirrored(photo)
        answer = trained.predict(shown).body
        wrong = LABELS.other(answer["label"])
        told[hashlib.sha256(shown).hexdigest()] = wrong
        for _ in range(2):  # the same feedback twice is one record
            said = trained.call(
                "POST", "feedback", {"prediction_id": answer["prediction_id"], "label": wrong}
            )
            assert said.status == 200, said.body

    monitor(trained)
    eventually("the alarm", lambda: alarm_state(trained) == "ALARM")
    eventually("an execution", lambda: len(executions(trained)) > before)
    # So soon after the first training this one may have been told to wait: then it comes back.
    eventually("a retraining", lambda: monitor(trained) and retrainings(trained), seconds=180)
    (retraining,) = retrainings(trained)
    done = eventually(
        "the end of the retraining", lambda: finished(trained, retraining), seconds=600
    )
    assert done["status"] == "SUCCEEDED", done
    assert json.loads(done["input"])["source"] == "alarm"
    assert retrainings(trained) == [retraining]

    assert registry(trained) == {"versions": ["1", "2"], "champion": "2"}
    assert trained.call("GET", "model").body["model"]["version"] == "2"
    new_photo = mirrored(photos_of(starter, LABELS.positive)[0])
    eventually(
        "the new version to answer",
        lambda: trained.predict(new_photo).body["model"]["version"] == "2",
        seconds=60,
    )
    assert told.items() <= feedback_labels(trained, json.loads(done["output"])).items()


def test_every_state_of_a_training_is_in_its_history(trained: Instance) -> None:
    arn = executions(trained)[-1]["executionArn"]
    events = trained.client("stepfunctions").get_execution_history(
        executionArn=arn, maxResults=1000
    )["events"]

    entered = [
        e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e
    ]

    assert entered[:6] == [
        "AcquireLease", "LeaseAcquired?", "SnapshotDataset", "ChooseCapacity", "TrainModel",
        "EvaluateCandidate",
    ]  # fmt: skip
    assert {"RegisterModel", "DeployModel", "ReleaseLease", "Succeeded"} <= set(entered)


def monitor(cloud: Instance) -> dict[str, Any]:
    """One run of the monitor workflow, to its end: what it gave."""
    machine = cloud.endpoints["state_machines"]["monitor"]
    started = cloud.client("stepfunctions").start_execution(stateMachineArn=machine, input="{}")
    seen = eventually("the monitor run", lambda: finished(cloud, started["executionArn"]))
    assert seen["status"] == "SUCCEEDED", seen["cause"]
    output: dict[str, Any] = json.loads(seen["output"])
    return output


def retrainings(cloud: Instance) -> list[str]:
    """The executions that an alarm has started and that train, or have trained."""
    ledger, _ = TrainingLedgerStore(
        cloud.client("dynamodb"), cloud.endpoints["control_table"]
    ).read()
    found = []
    for execution in executions(cloud):
        arn = execution["executionArn"]
        one = cloud.client("stepfunctions").describe_execution(executionArn=arn)
        lease = json.loads(one.get("output") or "{}").get("lease", {})
        by_alarm = json.loads(one["input"]).get("source") == "alarm"
        if by_alarm and (lease.get("acquired") or ledger.holder == arn):
            found.append(arn)
    return found


def finished(cloud: Instance, arn: str) -> dict[str, Any] | None:
    found: dict[str, Any] = cloud.client("stepfunctions").describe_execution(executionArn=arn)
    return None if found["status"] == "RUNNING" else found


def alarm_state(cloud: Instance) -> str:
    alarms = cloud.client("cloudwatch").describe_alarms(
        AlarmNames=[cloud.endpoints["feedback_accuracy_alarm"]]
    )["MetricAlarms"]
    return str(alarms[0]["StateValue"])


def registry(cloud: Instance) -> dict[str, Any]:
    """MLflow's versions and the one behind the alias, asked as a user's own script would."""
    script = (
        "import json, mlflow\n"
        "client = mlflow.MlflowClient()\n"
        f"found = client.search_model_versions(\"name='{MODEL_NAME}'\")\n"
        f"champion = client.get_model_version_by_alias('{MODEL_NAME}', 'champion').version\n"
        "print(json.dumps({'versions': sorted(str(v.version) for v in found),"
        " 'champion': str(champion)}))\n"
    )
    shown = subprocess.run(
        [APP_PYTHON, "-c", script], env=cloud.sourced(), capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(shown.stdout.splitlines()[-1])
    return found


def feedback_labels(cloud: Instance, output: dict[str, Any]) -> dict[str, str]:
    """Photo -> label, of the photos in the run's data set that were labelled by feedback."""
    bucket = cloud.endpoints["lake_bucket"]
    key = f"datasets/{output['dataset']['version']}/manifest.jsonl"
    body = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    entries = [json.loads(line) for line in body.splitlines()]
    return {e["photo"]: e["label"] for e in entries if e["labelled_by"] == "feedback"}
