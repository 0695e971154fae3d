"""Payload templates and JSONPaths of the Amazon States Language, resolved strictly.

Knows the paths and intrinsic functions that our definitions use, and refuses the rest.
"""

import copy
import json
import re
from typing import Any

Json = Any

_STRING_TO_JSON = re.compile(r"States\.StringToJson\('(?P<text>[^']*)'\)")
_FORMAT = re.compile(r"States\.Format\('(?P<text>[^']*)', (?P<paths>.*)\)")


def build(template: Json, data: Json, context: Json) -> Json:
    """A payload template with its `.$` keys resolved."""
    if isinstance(template, dict):
        return {
            key.removesuffix(".$"): (
                resolve(value, data, context) if key.endswith(".$") else build(value, data, context)
            )
            for key, value in template.items()
        }
    if isinstance(template, list):
        return [build(element, data, context) for element in template]
    return template


def resolve(expression: str, data: Json, context: Json) -> Json:
    """The value of a path or an intrinsic function.

    Raises:
        KeyError: there is nothing at the path; on AWS States.Runtime, the execution dies.
        NotImplementedError: an expression that none of our definitions had so far.
    """
    if found := _STRING_TO_JSON.fullmatch(expression):
        return json.loads(found["text"])
    if found := _FORMAT.fullmatch(expression):
        values = [resolve(path, data, context) for path in found["paths"].split(", ")]
        assert found["text"].count("{}") == len(values), expression
        return found["text"].format(*values)
    root, path = (
        (context, expression[2:]) if expression.startswith("$$") else (data, expression[1:])
    )
    if not re.fullmatch(r"(\.\w+)*", path):
        raise NotImplementedError(expression)
    for part in path.split(".")[1:]:
        root = root[part]
    return copy.deepcopy(root)


def put(data: Json, path: str | None, value: Json) -> Json:
    """The data with a value at a ResultPath."""
    if path is None:
        return data
    if path == "$":
        return value
    assert re.fullmatch(r"\$\.\w+", path), path
    return {**data, path[2:]: value}
