"""Task parameters held against AWS's own API descriptions (botocore's service models)."""

import json
import re
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator

_OPERATIONS = {
    "arn:aws:states:::lambda:invoke": ("lambda", "Invoke"),
    "arn:aws:states:::sns:publish": ("sns", "Publish"),
    "arn:aws:states:::sagemaker:createTrainingJob.sync": ("sagemaker", "CreateTrainingJob"),
    "arn:aws:states:::sagemaker:createProcessingJob.sync": ("sagemaker", "CreateProcessingJob"),
    "arn:aws:states:::states:startExecution.sync:2": ("stepfunctions", "StartExecution"),
}


@cache
def operation(resource: str) -> OperationModel:
    """The API operation behind a task's resource."""
    service, name = _OPERATIONS[resource]
    return botocore.session.get_session().get_service_model(service).operation_model(name)


def problems(resource: str, parameters: dict[str, Any]) -> list[str]:
    """What the service would refuse; empty if nothing."""
    shape = operation(resource).input_shape
    assert isinstance(shape, StructureShape)
    arguments = _as_the_api_takes_them(resource, parameters)
    report = ParamValidator().validate(arguments, shape).generate_report()
    return [*([report] if report else []), *_outside(shape, arguments, shape.name)]


def _as_the_api_takes_them(resource: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Step Functions writes JSON where the API takes text, and capitals where it takes none."""
    if resource.endswith("lambda:invoke"):
        return {**parameters, "Payload": json.dumps(parameters["Payload"])}
    if "states:startExecution" in resource:
        lowered = {name[0].lower() + name[1:]: value for name, value in parameters.items()}
        return {**lowered, "input": json.dumps(lowered["input"])}
    return parameters


def _outside(shape: Shape, value: Any, where: str) -> list[str]:
    """Enumerations, patterns and greatest lengths, which botocore leaves to the service."""
    if isinstance(shape, StructureShape):
        return [
            problem
            for name, member in shape.members.items()
            if name in value
            for problem in _outside(member, value[name], f"{where}.{name}")
        ]
    if isinstance(shape, ListShape):
        return [p for element in value for p in _outside(shape.member, element, f"{where}[]")]
    if isinstance(shape, MapShape):
        return [
            problem
            for key, element in value.items()
            for problem in (
                *_outside(shape.key, key, f"{where} key"),
                *_outside(shape.value, element, f"{where}[{key}]"),
            )
        ]
    if shape.type_name != "string":
        return []
    found = []
    allowed, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if allowed and value not in allowed:
        found.append(f"{where}: {value!r} is none of {allowed}")
    if pattern and not re.fullmatch(pattern, value):
        found.append(f"{where}: {value!r} does not match {pattern}")
    if len(value) > shape.metadata.get("max", len(value)):
        found.append(f"{where}: longer than {shape.metadata['max']}")
    return found
