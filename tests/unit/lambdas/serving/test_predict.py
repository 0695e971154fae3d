from __future__ import annotations

import base64
import io
import json
import struct
import uuid
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from PIL import Image

from areyouacat.lake import photo_key, sha256_hex
from areyouacat.serving_pointer import CHALLENGER
from lambdas.serving.dal.photo_store import PhotoStore
from lambdas.serving.handlers import predict
from lambdas.serving.logic.loaded_model import LoadedModel
from lambdas.shared.predictions_table import PredictionsTable
from tests.unit.lambdas.serving.conftest import LAKE, Lake, jpeg, tiny_files

TABLE = "predictions-of-the-test"


@pytest.fixture
def post(
    s3: Any, dynamodb: Any, fresh_process: None, send: Callable[..., Any]
) -> Callable[..., Any]:
    """Posts a body to /predict; what is not said otherwise is image/jpeg."""
    return partial(send, predict.handler, "POST", "/predict", content_type="image/jpeg")


@pytest.fixture
def serving(post: Callable[..., Any], lake: Lake) -> Callable[..., Any]:
    """The same, with a champion in the lake."""
    lake.point(lake.stage("1", tiny_files()))
    return post


@pytest.fixture
def kept(lake: Lake, dynamodb: Any) -> Callable[[], int]:
    """How many photos and items there are."""
    return lambda: len(lake.keys("photos/")) + int(dynamodb.scan(TableName=TABLE)["Count"])


def as_file(image: Image.Image, image_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def metrics_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    lines = [line for line in capsys.readouterr().out.splitlines() if "CloudWatchMetrics" in line]
    assert len(lines) == 1
    metrics: dict[str, Any] = json.loads(lines[0])
    return metrics


def test_a_bright_photo_is_answered_in_the_promised_shape(
    serving: Callable[..., Any], bright: bytes
) -> None:
    answer = serving(bright)

    assert answer.status == 200
    assert answer.body.keys() == {
        "prediction_id",
        "label",
        "verdict",
        "probability",
        "model",
        "explanation",
    }
    assert uuid.UUID(answer.body["prediction_id"])
    assert answer.body["label"] == answer.body["verdict"] == "cat"
    assert answer.body["probability"] > 0.9
    assert answer.body["model"] == {"name": "are-you-a-cat", "version": "1", "role": "champion"}
    grid = answer.body["explanation"]["grid"]
    assert [len(row) for row in grid] == [7] * 7
    assert all(value > 0 for row in grid for value in row)


def test_a_dark_photo_is_not_and_a_grey_one_is_hard_to_tell(
    serving: Callable[..., Any], dark: bytes
) -> None:
    assert serving(dark).body["verdict"] == "not_cat"
    assert serving(jpeg(127)).body["verdict"] == "unsure"


def test_threshold_and_bands_are_the_models_own(post: Callable[..., Any], lake: Lake) -> None:
    lake.point(lake.stage("1", tiny_files(threshold=0.2)))

    answer = post(jpeg(115))

    assert 0.2 < answer.body["probability"] < 0.5
    assert answer.body["label"] == "cat"


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("content_type", ["application/octet-stream", "image/png", "text/html"])
def test_every_accepted_format_is_judged_by_its_bytes(
    image_format: str, content_type: str, serving: Callable[..., Any]
) -> None:
    photo = as_file(Image.new("RGB", (64, 64), "white"), image_format)

    answer = serving(photo, content_type=content_type)

    assert (answer.status, answer.body["label"]) == (200, "cat")


def test_json_and_binary_bodies_give_one_answer(serving: Callable[..., Any], bright: bytes) -> None:
    text = json.dumps({"image": base64.b64encode(bright).decode()})

    in_json = serving(text, content_type="application/json")

    assert in_json.status == 200
    assert in_json.body["probability"] == serving(bright).body["probability"]


def test_the_photo_and_the_prediction_are_kept_before_the_answer(
    serving: Callable[..., Any], bright: bytes, s3: Any, dynamodb: Any
) -> None:
    answer = serving(bright)

    kept = s3.get_object(Bucket=LAKE, Key=photo_key(sha256_hex(bright)))
    assert kept["Body"].read() == bright
    assert kept["ContentType"] == "image/jpeg"
    item = PredictionsTable(dynamodb, TABLE).get(answer.body["prediction_id"])
    assert item is not None
    assert item.feedback is None
    assert item.prediction.photo == sha256_hex(bright)
    assert item.prediction.size_bytes == len(bright)
    assert (item.prediction.width, item.prediction.height) == (320, 240)
    assert item.prediction.probability == answer.body["probability"]
    assert item.prediction.model_version == "1"
    assert len(item.prediction.sketch) == 16


def test_the_same_photo_twice_is_two_predictions_and_one_object(
    serving: Callable[..., Any], bright: bytes, lake: Lake
) -> None:
    first, second = serving(bright), serving(bright)

    assert first.body["prediction_id"] != second.body["prediction_id"]
    assert len(lake.keys("photos/")) == 1


def test_without_a_model_the_answer_is_503(post: Callable[..., Any], bright: bytes) -> None:
    answer = post(bright)

    assert (answer.status, answer.body["error"]["code"]) == (503, "no_model_yet")


def pixel_bomb() -> bytes:
    """A PNG header that promises 60,000 x 60,000 pixels, with hardly any data."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + checksum

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


GREY = Image.new("RGB", (400, 400), "grey")
NOISE = Image.effect_noise((400, 400), 80).convert("RGB")


@pytest.mark.parametrize(
    ("body", "content_type", "refusal"),
    [
        (None, "image/jpeg", (400, "empty_body")),
        (b"", "image/jpeg", (400, "empty_body")),
        (b"not an image at all", "image/jpeg", (400, "unreadable_image")),
        (b"<html></html>", "text/html", (400, "unreadable_image")),
        (as_file(NOISE, "JPEG")[:3000], "image/jpeg", (400, "unreadable_image")),
        (as_file(NOISE, "PNG")[:3000], "image/png", (400, "unreadable_image")),
        (b"\xff\xd8\xff", "image/jpeg", (400, "unreadable_image")),
        ("as if it were text", "image/jpeg", (400, "unreadable_image")),
        (pixel_bomb(), "image/png", (413, "too_many_pixels")),
        (b"\xff\xd8" + b"\0" * 4_500_000, "image/jpeg", (413, "payload_too_large")),
        (as_file(GREY, "BMP"), "image/bmp", (415, "unsupported_format")),
        (as_file(GREY, "TIFF"), "image/jpeg", (415, "unsupported_format")),
        ("{", "application/json", (422, "invalid_request")),
        ("[]", "application/json", (422, "invalid_request")),
        ("{}", "application/json", (422, "invalid_request")),
        ('{"image": 1}', "application/json", (422, "invalid_request")),
        ('{"image": "%%%"}', "application/json", (422, "invalid_request")),
        ('{"image": "aGk=", "key": "photos/x"}', "application/json", (422, "invalid_request")),
        ('{"image": "aGVsbG8="}', "application/json", (400, "unreadable_image")),
    ],
)
def test_bad_input_has_its_status_and_code_and_leaves_nothing(
    body: bytes | str | None,
    content_type: str,
    refusal: tuple[int, str],
    serving: Callable[..., Any],
    kept: Callable[[], int],
) -> None:
    answer = serving(body, content_type=content_type)

    assert (answer.status, answer.body["error"]["code"]) == refusal
    assert answer.body.keys() == {"error"}
    assert answer.body["error"].keys() == {"code", "message"}
    assert kept() == 0


def test_a_swapped_pointer_changes_who_answers(
    serving: Callable[..., Any], bright: bytes, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert serving(bright).body["label"] == "cat"
    lake.point(lake.stage("2", tiny_files(inverted=True)))

    monkeypatch.setattr(predict.answering().models, "_max_age_seconds", 0)

    answer = serving(bright)
    assert (answer.body["model"]["version"], answer.body["label"]) == ("2", "not_cat")


def test_a_corrupt_model_is_refused_while_the_old_one_answers(
    serving: Callable[..., Any],
    bright: bytes,
    lake: Lake,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    serving(bright)
    second = lake.stage("2", tiny_files(inverted=True))
    lake.spoil(second)
    lake.point(second)
    monkeypatch.setattr(predict.answering().models, "_max_age_seconds", 0)
    capsys.readouterr()

    answer = serving(bright)

    assert (answer.status, answer.body["model"]["version"]) == (200, "1")
    assert metrics_of(capsys)["VariantFailures"] == 1


def test_a_variant_that_fails_is_answered_for_by_the_champion_and_counted(
    post: Callable[..., Any],
    bright: bytes,
    lake: Lake,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    dynamodb: Any,
) -> None:
    champion = replace(lake.stage("1", tiny_files()), weight=0.0)
    lake.point(champion, lake.stage("2", tiny_files(threshold=0.4), role=CHALLENGER, weight=1.0))
    assert post(bright).body["model"] == {
        "name": "are-you-a-cat",
        "version": "2",
        "role": "challenger",
    }
    metrics = metrics_of(capsys)
    assert (metrics["ChallengerRequests"], metrics["ChallengerFailures"]) == (1, 0)
    assert metrics["ChallengerLatency"] == metrics["Latency"]
    works = LoadedModel.score

    def fails_as_challenger(self: LoadedModel, model_input: Any) -> Any:
        if self.spec.threshold == 0.4:
            raise RuntimeError("the interpreter gave up")
        return works(self, model_input)

    monkeypatch.setattr(LoadedModel, "score", fails_as_challenger)
    answer = post(bright)

    assert (answer.status, answer.body["model"]["version"]) == (200, "1")
    metrics = metrics_of(capsys)
    assert metrics["VariantFailures"] == 1
    assert (metrics["ChallengerRequests"], metrics["ChallengerFailures"]) == (1, 1)
    assert "ChallengerLatency" not in metrics
    item = PredictionsTable(dynamodb, TABLE).get(answer.body["prediction_id"])
    assert item is not None
    assert (item.prediction.model_version, item.prediction.failed_version) == ("1", "2")


def test_a_champion_that_serves_alone_is_no_challenger(
    serving: Callable[..., Any],
    bright: bytes,
    capsys: pytest.CaptureFixture[str],
    dynamodb: Any,
) -> None:
    answer = serving(bright)

    assert not [name for name in metrics_of(capsys) if name.startswith("Challenger")]
    item = PredictionsTable(dynamodb, TABLE).get(answer.body["prediction_id"])
    assert item is not None
    assert item.prediction.failed_version is None


def test_a_session_keeps_its_variant_and_sessions_differ(
    post: Callable[..., Any], bright: bytes, lake: Lake
) -> None:
    champion = replace(lake.stage("1", tiny_files()), weight=0.5)
    lake.point(champion, lake.stage("2", tiny_files(threshold=0.4), role=CHALLENGER, weight=0.5))

    def version(session: str) -> str:
        answer: str = post(bright, session=session).body["model"]["version"]
        return answer

    first = {session: version(session) for session in map(str, range(12))}
    assert set(first.values()) == {"1", "2"}
    assert {session: version(session) for session in first} == first


@pytest.mark.parametrize("failing", [PhotoStore, PredictionsTable])
def test_an_answer_that_could_not_be_kept_is_no_answer(
    failing: type, serving: Callable[..., Any], bright: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **named: Any) -> None:
        raise ConnectionError("a secret of the inside")

    monkeypatch.setattr(failing, "put", fail)

    answer = serving(bright)

    assert (answer.status, answer.body["error"]["code"]) == (500, "internal_error")
    assert "secret" not in answer.body["error"]["message"]


def test_a_missing_variable_is_named_in_the_log_and_not_in_the_answer(
    post: Callable[..., Any],
    bright: bytes,
    monkeypatch: pytest.MonkeyPatch,
    log: io.StringIO,
) -> None:
    monkeypatch.delenv("PREDICTIONS_TABLE")

    answer = post(bright)

    assert answer.status == 500
    assert "PREDICTIONS_TABLE" in log.getvalue()
    assert "PREDICTIONS_TABLE" not in json.dumps(answer.body)


def test_every_request_leaves_one_line_of_metrics(
    serving: Callable[..., Any], bright: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = serving(bright)

    metrics = metrics_of(capsys)
    assert (metrics["Requests"], metrics["Predictions"]) == (1, 1)
    assert (metrics["ClientErrors"], metrics["ServerErrors"]) == (0, 0)
    assert metrics["Latency"] > 0
    assert metrics["Probability"] == answer.body["probability"]
    assert all(metrics[f"{stage}Latency"] > 0 for stage in ("Decode", "Inference", "Write"))
    assert metrics["ModelVersion"] == "1"
    assert metrics["request_id"] == "request-1"
    assert "Code" not in metrics


def test_a_refused_request_counts_with_its_code(
    serving: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    serving(b"not an image")

    metrics = metrics_of(capsys)
    assert (metrics["Requests"], metrics["Predictions"]) == (1, 0)
    assert metrics["ClientErrors"] == 1
    assert (metrics["Errors"], metrics["Code"]) == (1, "unreadable_image")
    assert "Probability" not in metrics


def test_only_the_first_request_of_a_process_is_a_cold_start(
    serving: Callable[..., Any],
    bright: bytes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(predict, "_cold_start", predict.ColdStart())

    serving(bright)
    assert metrics_of(capsys)["ColdStarts"] == 1

    serving(bright)
    assert metrics_of(capsys)["ColdStarts"] == 0


def test_a_refusal_is_logged_without_the_photo(
    serving: Callable[..., Any], log: io.StringIO
) -> None:
    body = base64.b64encode(as_file(NOISE, "JPEG")[:3000]).decode()

    serving(json.dumps({"image": body}), content_type="application/json")

    assert "unreadable_image" in log.getvalue()
    assert body[:60] not in log.getvalue()
