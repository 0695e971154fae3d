from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from areyouacat import errors
from areyouacat.errors import RequestError
from areyouacat.predictions import Feedback
from areyouacat.settings import IMAGES
from lambdas.api.handlers.documentation import OPENAPI_FILE
from lambdas.openapi import GATEWAY, openapi_text
from lambdas.serving.handlers import predict
from lambdas.shared.predictions_table import PredictionsTable
from tests.unit.lambdas.api.conftest import NOW, promote, store_photo

DOCUMENT: dict[str, Any] = json.loads(OPENAPI_FILE.read_text())
OPERATIONS = {
    operation["operationId"]: operation
    for path in DOCUMENT["paths"].values()
    for operation in path.values()
}
ERROR = {"$ref": "#/components/schemas/ErrorAnswer"}
ONE_PHOTO = [
    {"image": "/9j/4AAQSkZJRg=="},
    {"upload_key": "uploads/6f1c6a52-5b1b-4a86-9b60-0d7d3f9d3a11"},
]


def check(answer: Any, schema: dict[str, Any]) -> None:
    whole = schema | {"components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(
        whole, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(answer)


def json_schema(content: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = content["content"]["application/json"]["schema"]
    return schema


def test_the_committed_document_is_what_the_handlers_say() -> None:
    assert OPENAPI_FILE.read_text() == openapi_text(), "run `make openapi` and commit the file"


def test_every_route_is_an_operation_with_a_readable_name() -> None:
    assert OPERATIONS.keys() == {
        "predict",
        "createUpload",
        "giveFeedback",
        "getPrediction",
        "withdrawFeedback",
        "erasePrediction",
        "getModel",
        "getHealth",
    }


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_says_what_it_does_and_wants_the_key(name: str) -> None:
    operation = OPERATIONS[name]

    assert operation["summary"]
    assert operation["tags"]
    assert operation["security"] == [{"ApiKey": []}]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_error_has_our_shape_and_names_its_codes(name: str) -> None:
    responses = OPERATIONS[name]["responses"]

    assert {str(int(status)) for status in GATEWAY} <= responses.keys()
    for status, response in responses.items():
        if status != "200":
            assert json_schema(response) == ERROR
            assert re.match(r"- `[a-z_]+`: [A-Z]", response["description"])


def test_a_status_of_two_origins_names_both() -> None:
    said = OPERATIONS["giveFeedback"]["responses"]["429"]

    assert "`too_much_feedback`" in said["description"]
    assert "`too_many_requests`" in said["description"]
    assert "Retry-After" in said["headers"]


def test_every_domain_error_is_documented_somewhere() -> None:
    codes = {
        kind.code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, RequestError) and kind is not RequestError
    }
    said = json.dumps([operation["responses"] for operation in OPERATIONS.values()])

    assert {code for code in codes if f"`{code}`" not in said} == set()


def schemas_named(value: Any) -> Iterator[str]:
    yield from re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(value))


def test_every_schema_is_there_and_needed() -> None:
    assert set(schemas_named(DOCUMENT)) == set(DOCUMENT["components"]["schemas"])


def test_the_document_works_wherever_it_is_served() -> None:
    assert [server["url"] for server in DOCUMENT["servers"]] == ["./"]


def test_a_photo_may_be_the_whole_body_of_every_accepted_type() -> None:
    content = OPERATIONS["predict"]["requestBody"]["content"]

    assert content.keys() == {*IMAGES.media_types, "application/octet-stream", "application/json"}
    assert content["image/jpeg"]["schema"] == {"type": "string", "format": "binary"}


@pytest.mark.parametrize("body", ONE_PHOTO)
def test_a_photo_in_json_is_allowed_alone(body: dict[str, str]) -> None:
    schema = json_schema(OPERATIONS["predict"]["requestBody"])

    check(body, schema)
    with pytest.raises(jsonschema.ValidationError):
        check(body | {"more": "x"}, schema)


def test_no_photo_and_two_photos_are_not_allowed() -> None:
    schema = json_schema(OPERATIONS["predict"]["requestBody"])

    for body in ({}, ONE_PHOTO[0] | ONE_PHOTO[1], {"image": "???"}, {"upload_key": "models/1"}):
        with pytest.raises(jsonschema.ValidationError):
            check(body, schema)


def test_predicts_headers_are_documented() -> None:
    names = {parameter["name"] for parameter in OPERATIONS["predict"]["parameters"]}

    assert names == {predict.IDEMPOTENCY_HEADER, predict.SESSION_HEADER}


@pytest.mark.parametrize(
    ("operation", "method", "path", "body"),
    [
        ("createUpload", "POST", "/uploads", {"content_type": "image/jpeg"}),
        ("giveFeedback", "POST", "/feedback", {"prediction_id": "p-1", "label": "cat"}),
        ("getPrediction", "GET", "/predictions/p-1", None),
        ("withdrawFeedback", "DELETE", "/predictions/p-1/feedback", None),
        ("erasePrediction", "DELETE", "/predictions/p-1", None),
        ("getModel", "GET", "/model", None),
        ("getHealth", "GET", "/health", None),
    ],
)
def test_what_is_answered_is_what_is_documented(
    operation: str,
    method: str,
    path: str,
    body: Any,
    request_: Callable[..., Any],
    s3: Any,
    table: PredictionsTable,
) -> None:
    promote(s3, "3")
    store_photo(s3, "origin=request")
    if operation == "getPrediction":
        table.record_feedback("p-1", Feedback("cat", NOW))
    if body is not None:
        check(body, json_schema(OPERATIONS[operation]["requestBody"]))

    answer = request_(method, path, json.dumps(body) if body else None)

    assert answer.status == 200
    check(answer.body, json_schema(OPERATIONS[operation]["responses"]["200"]))


def test_refusals_have_the_documented_shape(request_: Callable[..., Any]) -> None:
    for path, body in (("/feedback", "{"), ("/feedback", None), ("/uploads", "[]")):
        check(request_("POST", path, body).body, ERROR)
