"""The deployed prediction API against its own document, and against those who mean it ill."""

import io
import json
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import settings
from PIL import Image
from schemathesis.specs.openapi.checks import positive_data_acceptance

from areyouacat.lake import SERVING_POINTER_KEY, photo_key, sha256_hex
from areyouacat.settings import IMAGES, LABELS, SERVING
from tests.hostile_images import SEEDS
from tests.integration.instance import Instance, eventually

OPENAPI = Path("lambdas/api/openapi.json")


@pytest.fixture(scope="module")
def api(trained: Instance) -> Instance:
    """A served model, and no limit to how fast it may be asked."""
    trained.raise_throttles()
    return trained


@pytest.fixture(scope="module")
def session(api: Instance) -> Iterator[requests.Session]:
    """An HTTP client with the key."""
    with requests.Session() as http:
        http.trust_env = False  # the machine may name certificates of its own
        http.verify = api.endpoints["ca_bundle"]
        http.headers["x-api-key"] = api.endpoints["api_key"]
        yield http


schema = schemathesis.openapi.from_path(str(OPENAPI))


def test_the_deployed_document_is_the_committed_one_and_needs_no_key(api: Instance) -> None:
    found = api.call("GET", "openapi.json", with_key=False)

    assert (found.status, found.body) == (200, json.loads(OPENAPI.read_text()))


@schema.parametrize()
@settings(max_examples=25, deadline=None)
def test_every_answer_is_one_that_the_document_promises(
    case: schemathesis.Case[Any], api: Instance
) -> None:
    # No schema can say which bytes are a photo: well-formed ones are refused by their content.
    unknowable: list[Any] = [positive_data_acceptance] if case.path == "/predict" else []

    case.call_and_validate(
        base_url=api.endpoints["api_url"].rstrip("/"),
        headers={"x-api-key": api.endpoints["api_key"]},
        verify=api.endpoints["ca_bundle"],
        excluded_checks=unknowable,
    )


def test_the_answer_to_a_photo_is_one_that_the_document_promises(
    api: Instance, session: requests.Session
) -> None:
    answer = session.post(
        f"{api.endpoints['api_url']}predict",
        data=photo(320, seed=6),
        headers={"content-type": "image/jpeg"},
        timeout=30,
    )

    assert answer.status_code == 200
    schema["/predict"]["POST"].validate_response(answer)


def photo(side: int, seed: int, **options: Any) -> bytes:
    """Noise, which hardly packs."""
    noise = random.Random(seed).randbytes(side * side * 3)  # noqa: S311 - a picture, no secret
    file = io.BytesIO()
    Image.frombytes("RGB", (side, side), noise).save(file, "JPEG", **options)
    return file.getvalue()


def items(cloud: Instance, prediction_id: str) -> int:
    """How many predictions of an id the table holds."""
    found = cloud.client("dynamodb").query(
        TableName=cloud.endpoints["predictions_table"],
        KeyConditionExpression="prediction_id = :id",
        ExpressionAttributeValues={":id": {"S": prediction_id}},
    )
    return int(found["Count"])


def test_one_request_sent_eight_times_at_once_is_one_prediction(api: Instance) -> None:
    sent = photo(320, seed=1)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.predict(sent, idempotency_key="order-66"), range(8)))

    assert {answer.status for answer in answers} == {200}
    assert len({json.dumps(answer.body) for answer in answers}) == 1
    assert items(api, answers[0].body["prediction_id"]) == 1
    other = api.predict(photo(320, seed=2), idempotency_key="order-66")
    assert (other.status, other.body["error"]["code"]) == (409, "idempotency_key_reused")


def test_a_large_photo_goes_by_an_upload_that_is_good_for_one_prediction(api: Instance) -> None:
    large = photo(2_400, seed=3, quality=95)
    assert SERVING.max_body_bytes < len(large) < IMAGES.max_bytes
    form = api.call("POST", "uploads", {"content_type": "image/jpeg"}).body

    uploaded = upload(api, form, large)
    answer = api.call("POST", "predict", {"upload_key": form["upload_key"]})
    again = api.call("POST", "predict", {"upload_key": form["upload_key"]})

    assert uploaded.status_code == 204, uploaded.text
    assert answer.status == 200, answer.body
    assert (again.status, again.body["error"]["code"]) == (409, "upload_used")
    stored = api.client("s3").get_object(
        Bucket=api.endpoints["lake_bucket"], Key=photo_key(sha256_hex(large))
    )
    assert stored["Body"].read() == large
    versions = api.client("s3").list_object_versions(
        Bucket=api.endpoints["lake_bucket"], Prefix=form["upload_key"]
    )
    assert "Versions" not in versions


@pytest.mark.parametrize(
    ("change", "data"),
    [
        ({"Content-Type": "text/html"}, b"\xff\xd8\xff"),
        ({"key": "models/1/model.tflite"}, b"\xff\xd8\xff"),
        ({"key": "serving/live.json"}, b"\xff\xd8\xff"),
        ({}, b""),
        ({}, b"\xff\xd8" + b"\0" * IMAGES.max_bytes),
    ],
    ids=["another type", "a model's key", "the pointer's key", "nothing", "too much"],
)
def test_s3_refuses_an_upload_other_than_the_one_presigned(
    change: dict[str, str], data: bytes, api: Instance
) -> None:
    form = api.call("POST", "uploads", {"content_type": "image/jpeg"}).body

    refused = upload(api, {**form, "fields": {**form["fields"], **change}}, data)

    assert refused.status_code in {400, 403}, refused.text
    answer = api.call("POST", "predict", {"upload_key": form["upload_key"]})
    assert (answer.status, answer.body["error"]["code"]) == (404, "not_found")


def upload(cloud: Instance, form: dict[str, Any], data: bytes) -> requests.Response:
    return requests.post(
        form["url"],
        data=form["fields"],
        files={"file": data},
        verify=cloud.endpoints["ca_bundle"],
        timeout=60,
    )


def test_an_erased_photo_is_gone_and_never_stored_again(api: Instance) -> None:
    sent = photo(320, seed=4)
    predicted = api.predict(sent).body
    path = f"predictions/{predicted['prediction_id']}"
    told = {"prediction_id": predicted["prediction_id"], "label": LABELS.negative}
    assert api.call("POST", "feedback", told).status == 200
    kept = api.call("GET", path).body
    assert kept["feedback"]["label"] == LABELS.negative
    assert {name: kept[name] for name in predicted} == predicted
    withdrawn = api.call("DELETE", f"{path}/feedback")
    assert (withdrawn.status, withdrawn.body["feedback"]) == (200, None)

    erased = api.call("DELETE", path)

    assert (erased.status, erased.body["photo_erased"]) == (200, True)
    for method in ("GET", "DELETE"):
        assert api.call(method, path).status == 404
    assert api.predict(sent).status == 200
    versions = api.client("s3").list_object_versions(
        Bucket=api.endpoints["lake_bucket"], Prefix=photo_key(sha256_hex(sent))
    )
    assert [version["Size"] for version in versions["Versions"]] == [0]
    assert "DeleteMarkers" not in versions


def test_a_photo_of_the_operators_is_not_erased_by_who_happens_to_send_it(
    api: Instance, starter: Path
) -> None:
    seeded = next((starter / LABELS.negative).iterdir()).read_bytes()
    predicted = api.predict(seeded).body

    erased = api.call("DELETE", f"predictions/{predicted['prediction_id']}")

    assert (erased.status, erased.body["photo_erased"]) == (200, False)
    stored = api.client("s3").get_object(
        Bucket=api.endpoints["lake_bucket"], Key=photo_key(sha256_hex(seeded))
    )
    assert stored["Body"].read() == seeded


def test_the_documentation_needs_no_key_and_no_network(
    api: Instance, session: requests.Session
) -> None:
    page = requests.get(
        f"{api.endpoints['api_url']}docs", verify=api.endpoints["ca_bundle"], timeout=30
    )

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "swagger" in page.text.lower()
    assert 'src="http' not in page.text


def test_damaged_photos_are_refused_by_name_and_break_nothing(
    api: Instance, session: requests.Session
) -> None:
    chance = random.Random(4)  # noqa: S311 - the same damage every time
    for number in range(60):
        damaged = bytearray(chance.choice(SEEDS))
        for _ in range(chance.randrange(1, 20)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        sent = bytes(damaged[: chance.randrange(1, len(damaged))] if number % 2 else damaged)

        answer = session.post(
            f"{api.endpoints['api_url']}predict",
            data=sent,
            headers={"content-type": chance.choice(["image/png", "application/octet-stream"])},
            timeout=30,
        )

        assert answer.status_code < 500, (number, answer.text)
        if answer.status_code != 200:
            assert answer.json()["error"].keys() == {"code", "message"}
    assert api.predict(photo(320, seed=5)).status == 200


def test_a_request_that_fits_no_schema_is_refused_before_any_function(api: Instance) -> None:
    refused = api.call("POST", "feedback", {"prediction_id": "x"})

    assert (refused.status, refused.body["error"]["code"]) == (422, "invalid_request")


class Askers:
    """Callers who ask without a pause, each with a connection of its own, until told to stop."""

    def __init__(self, cloud: Instance, callers: int) -> None:
        self.answers: list[tuple[int, str]] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(cloud, seed)) for seed in range(callers)
        ]

    def __enter__(self) -> "Askers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, cloud: Instance, seed: int) -> None:
        found, sent = cloud.endpoints, photo(320, seed=100 + seed)
        with requests.Session() as http:
            http.trust_env = False
            http.verify = found["ca_bundle"]
            http.headers.update({"x-api-key": found["api_key"], "content-type": "image/jpeg"})
            while not self._stop.is_set():
                answer = http.post(f"{found['api_url']}predict", data=sent, timeout=60)
                body = answer.json()
                self.answers.append(
                    (answer.status_code, body.get("model", {}).get("version") or answer.text)
                )


def test_no_request_fails_while_models_are_swapped_and_a_corrupt_one_is_refused(
    api: Instance,
) -> None:
    s3, lake = api.client("s3"), api.endpoints["lake_bucket"]

    def refusals() -> int:
        logged = api.client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{api.endpoints['predict_function']}",
            filterPattern='"model refused"',
        )
        return len(logged["events"])

    with Askers(api, callers=3) as askers:
        eventually("answers of version 2", lambda: (200, "2") in askers.answers)
        workflows = api.client("stepfunctions")
        execution = workflows.start_execution(
            stateMachineArn=api.endpoints["state_machines"]["deploy"],
            # At once: a canary might give these callers, who are one, to the challenger or not.
            input=json.dumps({"version": "1", "strategy": "all_at_once", "reason": "test"}),
        )["executionArn"]

        def ended() -> Any:
            found = workflows.describe_execution(executionArn=execution)
            return None if found["status"] == "RUNNING" else found

        done = eventually("the deployment's end", ended)
        assert done["status"] == "SUCCEEDED", done
        eventually("answers of version 1", lambda: askers.answers[-1] == (200, "1"))
        sound = s3.get_object(Bucket=lake, Key=SERVING_POINTER_KEY)["Body"].read()
        pointer = json.loads(sound)
        pointer["variants"][0] |= {"version": "3", "sha256": "0" * 64}
        s3.put_object(Bucket=lake, Key=SERVING_POINTER_KEY, Body=json.dumps(pointer).encode())
        eventually("a model to be refused", lambda: refusals() > 0)
        asked = len(askers.answers)
        eventually("more answers", lambda: len(askers.answers) > asked + 10)
        s3.put_object(Bucket=lake, Key=SERVING_POINTER_KEY, Body=sound)

    assert {status for status, _ in askers.answers} == {200}, set(askers.answers)
    assert {version for _, version in askers.answers} == {"1", "2"}
