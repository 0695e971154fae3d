"""JSON Schema models for API Gateway, out of the OpenAPI document that the handlers gave.

OpenAPI 3.1 speaks JSON Schema 2020-12, API Gateway draft 4. What is only for people is dropped,
what has another name is renamed, and what draft 4 cannot say is refused: API Gateway would take it
and check nothing.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from infra_cdk.settings import OPENAPI_FILE

Schema = Mapping[str, Any]

DRAFT_4: Final = "http://json-schema.org/draft-04/schema#"
_COMPONENTS: Final = "#/components/schemas/"
_FOR_PEOPLE: Final = frozenset({"title", "description", "examples", "default", "deprecated"})
_AS_IT_IS: Final = frozenset(
    {
        "type", "enum", "format", "pattern", "minLength", "maxLength", "minimum", "maximum",
        "multipleOf", "minItems", "maxItems", "uniqueItems", "required", "minProperties",
        "maxProperties",
    }
)  # fmt: skip
_NAMED_SCHEMAS: Final = frozenset({"properties", "patternProperties"})
_LISTED_SCHEMAS: Final = frozenset({"allOf", "anyOf", "oneOf"})
_ONE_SCHEMA: Final = frozenset({"items", "additionalProperties", "not"})
_EXCLUSIVE: Final = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}


class SchemaError(ValueError):
    """The OpenAPI document holds no such schema, or one that draft 4 cannot say."""


def request_model(name: str, document: Path = OPENAPI_FILE) -> dict[str, Any]:
    """The component schema `name` of the committed OpenAPI document, as API Gateway takes it.

    Raises:
        SchemaError: no document, no such schema in it, or no way to say it in draft 4.
    """
    if not document.is_file():
        raise SchemaError(f"{document} does not exist: write it with `make openapi`")
    schemas = json.loads(document.read_text("utf-8"))["components"]["schemas"]
    if name not in schemas:
        raise SchemaError(f"{document} holds no schema {name}: write it anew with `make openapi`")
    return {"$schema": DRAFT_4, **draft_4(schemas[name], schemas)}


def draft_4(schema: Schema | bool, schemas: Mapping[str, Schema]) -> dict[str, Any]:
    """A 2020-12 schema in the words of draft 4, with the components it refers to put in place.

    `schemas`: the document's components by name.

    Raises:
        SchemaError: a keyword that draft 4 has no word for, or a schema that contains itself.
    """
    return _convert(schema, schemas, inside=())


def _convert(
    schema: Schema | bool, schemas: Mapping[str, Schema], inside: tuple[str, ...]
) -> dict[str, Any]:
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}

    def convert(part: Schema | bool) -> dict[str, Any]:
        return _convert(part, schemas, inside)

    converted: dict[str, Any] = {}
    for keyword, value in schema.items():
        match keyword:
            case "$ref":
                converted |= _component(value, schemas, inside)
            case "const":
                converted["enum"] = [value]
            case "exclusiveMinimum" | "exclusiveMaximum":
                converted |= {_EXCLUSIVE[keyword]: value, keyword: True}
            case _ if keyword not in _FOR_PEOPLE:
                converted[keyword] = _value(keyword, value, convert)
    return converted


def _value(keyword: str, value: Any, convert: Callable[[Schema | bool], dict[str, Any]]) -> Any:
    if keyword in _AS_IT_IS:
        return value
    if keyword in _NAMED_SCHEMAS:
        return {name: convert(part) for name, part in value.items()}
    if keyword in _LISTED_SCHEMAS:
        return [convert(part) for part in value]
    if keyword == "additionalProperties" and isinstance(value, bool):
        return value
    if keyword in _ONE_SCHEMA:
        return convert(value)
    raise SchemaError(f"draft 4 of JSON Schema, which API Gateway reads, has no {keyword!r}")


def _component(
    reference: str, schemas: Mapping[str, Schema], inside: tuple[str, ...]
) -> dict[str, Any]:
    name = reference.removeprefix(_COMPONENTS)
    if name in inside:
        raise SchemaError(f"the schema {name} contains itself")
    if name not in schemas:
        raise SchemaError(f"no component is called {reference}")
    return _convert(schemas[name], schemas, (*inside, name))
