"""A function's environment variables as a typed record, checked at cold start."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Environment = TypeVar("Environment", bound="DataclassInstance")


class MissingEnvironmentError(RuntimeError):
    """The function was deployed without variables that it needs; the message names them."""


def load_environment(
    model: type[Environment], variables: Mapping[str, str] | None = None
) -> Environment:
    """Fills `model`, a dataclass of strings, from the variables named like its fields.

    A field `lake_bucket` reads `LAKE_BUCKET`; a field with a default may be absent. An empty value
    counts as absent.

    Raises:
        MissingEnvironmentError: naming every missing variable at once.
    """
    variables = os.environ if variables is None else variables
    found: dict[str, str] = {}
    missing: list[str] = []
    for field in dataclasses.fields(model):
        value = variables.get(field.name.upper(), "")
        if value:
            found[field.name] = value
        elif field.default is dataclasses.MISSING:
            missing.append(field.name.upper())
    if missing:
        raise MissingEnvironmentError(
            f"environment variables missing: {', '.join(missing)}; "
            f"set them on the function (needed by {model.__name__})"
        )
    return model(**found)
