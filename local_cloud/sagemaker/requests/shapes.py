"""Checks requests against botocore's own model of the SageMaker API.

The messages have AWS's wording, so that a client that reads them finds what it knows.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from botocore.session import get_session

from local_cloud.sagemaker.errors import SerializationError, ValidationError

# The model's patterns are Java's; Python's `re` has no Unicode classes. Each is replaced by the
# nearest that works inside a character set.
_JAVA_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": r"\s",
    r"\p{Alnum}": "a-zA-Z0-9",
}
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float),
    "structure": (Mapping,),
    "map": (Mapping,),
    "list": (list,),
}


@lru_cache(maxsize=1)
def service_model() -> ServiceModel:
    """botocore's model of SageMaker (loading it takes about half a second)."""
    return get_session().get_service_model("sagemaker")


def validate(operation: str, payload: Any) -> None:
    """Refuse a payload that does not fit the operation's input shape.

    Raises SerializationError for a wrong JSON type, else ValidationError naming every violation.
    Unknown members are ignored, as AWS does.
    """
    shape = service_model().operation_model(operation).input_shape
    if shape is None:
        return
    violations = list(_violations(shape, payload, ""))
    if violations:
        count = f"{len(violations)} validation error{'s' if len(violations) > 1 else ''} detected"
        raise ValidationError(f"{count}: {'; '.join(violations)}")


def _violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    _check_type(shape, value, path)
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            if value.get(name) is None:
                yield _violation(None, _below(path, name), "Member must not be null")
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from _violations(member, value[name], _below(path, name))
    elif isinstance(shape, ListShape):
        yield from _size_violations(shape, value, path)
        for position, item in enumerate(value, start=1):
            yield from _violations(shape.member, item, f"{path}.{position}.member")
    elif isinstance(shape, MapShape):
        yield from _size_violations(shape, value, path)
        for key, item in value.items():
            yield from _violations(shape.key, key, f"{path}.key")
            yield from _violations(shape.value, item, f"{path}.{key}.member")
    elif shape.type_name == "string":
        yield from _size_violations(shape, value, path)
        yield from _text_violations(shape, value, path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _range_violations(shape, value, path)


def _check_type(shape: Shape, value: Any, path: str) -> None:
    allowed = _PYTHON_TYPES.get(shape.type_name, (object,))
    is_number_like_bool = isinstance(value, bool) and bool not in allowed
    if not isinstance(value, allowed) or is_number_like_bool:
        kind = "null" if value is None else type(value).__name__
        raise SerializationError(f"{path or 'The request'} must be a {shape.type_name}, not {kind}")


def _size_violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and len(value) < low:
        rule = f"Member must have length greater than or equal to {low}"
        yield _violation(value, path, rule)
    if high is not None and len(value) > high:
        yield _violation(value, path, f"Member must have length less than or equal to {high}")


def _range_violations(shape: Shape, value: float, path: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        yield _violation(value, path, f"Member must have value greater than or equal to {low}")
    if high is not None and value > high:
        yield _violation(value, path, f"Member must have value less than or equal to {high}")


def _text_violations(shape: Shape, value: str, path: str) -> Iterator[str]:
    pattern = shape.metadata.get("pattern")
    if pattern and not compiled(pattern).fullmatch(value):
        rule = f"Member must satisfy regular expression pattern: {pattern}"
        yield _violation(value, path, rule)
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        rule = f"Member must satisfy enum value set: [{', '.join(enum)}]"
        yield _violation(value, path, rule)


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of the service model, for Python."""
    for java, python in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.compile(pattern)


def _below(path: str, member: str) -> str:
    # AWS reports members in camelCase: TrainingJobName is 'trainingJobName'.
    name = member[0].lower() + member[1:]
    return f"{path}.{name}" if path else name


def _violation(value: Any, path: str, rule: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"
