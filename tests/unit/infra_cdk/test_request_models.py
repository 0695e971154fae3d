"""What API Gateway checks bodies against: draft 4 of JSON Schema, out of the OpenAPI document."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, Draft202012Validator  # type: ignore[import-untyped]
from pydantic import BaseModel, ValidationError

from infra_cdk.request_models import DRAFT_4, SchemaError, draft_4, request_model
from lambdas.api.handlers.requests import FeedbackRequest, UploadRequest

PET = {
    "title": "Pet",
    "description": "An animal",
    "examples": [{"kind": "cat"}],
    "type": "object",
    "properties": {
        "kind": {"const": "cat", "title": "Kind"},
        "title": {"type": ["string", "null"], "maxLength": 5},
        "weight_kg": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 20},
        "toys": {"type": "array", "items": {"$ref": "#/components/schemas/Toy"}, "maxItems": 2},
        "home": {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/Toy"}]},
        "anything": True,
    },
    "required": ["kind"],
    "additionalProperties": False,
}
TOY = {"description": "To play with", "type": "string", "default": "ball", "pattern": "^[a-z]+$"}
SCHEMAS: Mapping[str, Mapping[str, Any]] = {"Pet": PET, "Toy": TOY}

BODIES: list[Any] = [
    {"kind": "cat"},
    {"kind": "dog"},
    {},
    [],
    None,
    {"kind": "cat", "title": None},
    {"kind": "cat", "title": "Doctor"},
    {"kind": "cat", "weight_kg": 0},
    {"kind": "cat", "weight_kg": 0.1},
    {"kind": "cat", "weight_kg": 20},
    {"kind": "cat", "weight_kg": "5"},
    {"kind": "cat", "toys": []},
    {"kind": "cat", "toys": ["ball", "mouse"]},
    {"kind": "cat", "toys": ["ball", "mouse", "box"]},
    {"kind": "cat", "toys": ["BALL"]},
    {"kind": "cat", "home": None},
    {"kind": "cat", "home": "box"},
    {"kind": "cat", "home": 7},
    {"kind": "cat", "anything": [1, {}]},
    {"kind": "cat", "unknown": 1},
]


@pytest.mark.parametrize("body", BODIES, ids=json.dumps)
def test_both_drafts_say_the_same_of_a_body(body: Any) -> None:
    whole = {**PET, "components": {"schemas": SCHEMAS}}

    assert Draft4Validator(draft_4(PET, SCHEMAS)).is_valid(body) == Draft202012Validator(
        whole
    ).is_valid(body)


def test_a_converted_schema_is_one_of_draft_4() -> None:
    Draft4Validator.check_schema(draft_4(PET, SCHEMAS))


def test_what_is_only_for_people_is_dropped_and_a_field_of_that_name_stays() -> None:
    converted = draft_4(PET, SCHEMAS)

    assert not {"title", "description", "examples"} & converted.keys()
    assert converted["properties"]["title"] == {"type": ["string", "null"], "maxLength": 5}
    assert converted["properties"]["toys"]["items"] == {"type": "string", "pattern": "^[a-z]+$"}


def test_newer_words_become_the_older_ones() -> None:
    assert draft_4({"const": 3}, {}) == {"enum": [3]}
    assert draft_4({"exclusiveMinimum": 3}, {}) == {"minimum": 3, "exclusiveMinimum": True}
    assert draft_4({"not": True}, {}) == {"not": {}}
    assert draft_4({"items": False}, {}) == {"items": {"not": {}}}


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ({"contains": {}}, "contains"),
        ({"properties": {"a": {"dependentRequired": {}}}}, "dependentRequired"),
        ({"$ref": "#/components/schemas/Nobody"}, "Nobody"),
        ({"$ref": "https://example.org/pet.json"}, "example.org"),
        ({"$ref": "#/components/schemas/Loop"}, "Loop contains itself"),
    ],
)
def test_what_draft_4_cannot_say_is_refused_by_name(schema: dict[str, Any], named: str) -> None:
    loop = {"Loop": {"properties": {"next": {"$ref": "#/components/schemas/Loop"}}}}

    with pytest.raises(SchemaError, match=named):
        draft_4(schema, loop)


def test_two_uses_of_one_component_are_no_loop() -> None:
    toy = {"$ref": "#/components/schemas/Toy"}

    assert draft_4({"anyOf": [toy, toy]}, SCHEMAS)["anyOf"] == [draft_4(TOY, {})] * 2


def test_a_missing_document_or_schema_is_named_with_the_remedy(tmp_path: Path) -> None:
    document = tmp_path / "openapi.json"
    with pytest.raises(SchemaError, match=r"openapi\.json does not exist: .*make openapi"):
        request_model("Pet", document)

    document.write_text(json.dumps({"components": {"schemas": SCHEMAS}}))
    with pytest.raises(SchemaError, match=r"no schema Dog: .*make openapi"):
        request_model("Dog", document)

    assert request_model("Toy", document) == {"$schema": DRAFT_4, **draft_4(TOY, {})}


FEEDBACK = {"prediction_id": "0f", "label": "cat"}


@pytest.mark.parametrize(
    ("request_type", "body"),
    [
        (FeedbackRequest, FEEDBACK),
        (FeedbackRequest, FEEDBACK | {"label": "not_cat"}),
        (FeedbackRequest, FEEDBACK | {"label": "dog"}),
        (FeedbackRequest, FEEDBACK | {"label": None}),
        (FeedbackRequest, FEEDBACK | {"prediction_id": ""}),
        (FeedbackRequest, FEEDBACK | {"prediction_id": 1}),
        (FeedbackRequest, FEEDBACK | {"who": "me"}),
        (FeedbackRequest, {"label": "cat"}),
        (FeedbackRequest, {}),
        (FeedbackRequest, [FEEDBACK]),
        (UploadRequest, {"content_type": "image/jpeg"}),
        (UploadRequest, {"content_type": "image/tiff"}),
        (UploadRequest, {"content_type": ["image/jpeg"]}),
        (UploadRequest, {"content_type": "image/jpeg", "key": "models/3/model.tflite"}),
        (UploadRequest, {}),
        (UploadRequest, "image/jpeg"),
    ],
)
def test_the_gateway_and_the_function_agree_on_a_body(
    request_type: type[BaseModel], body: Any
) -> None:
    try:
        request_type.model_validate(body)
    except ValidationError:
        taken = False
    else:
        taken = True

    model = request_model(request_type.__name__)

    Draft4Validator.check_schema(model)
    assert Draft4Validator(model).is_valid(body) == taken
