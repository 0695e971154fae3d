"""Tasks' parameters and answers held against AWS's own API descriptions (botocore's models)."""

import json
import re
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator

_ASKED = {
    "arn:aws:states:::lambda:invoke": ("lambda", "Invoke"),
    "arn:aws:states:::sns:publish": ("sns", "Publish"),
    "arn:aws:states:::s3:getObject": ("s3", "GetObject"),
    "arn:aws:states:::sagemaker:createTrainingJob.sync": ("sagemaker", "CreateTrainingJob"),
    "arn:aws:states:::sagemaker:createProcessingJob.sync": ("sagemaker", "CreateProcessingJob"),
    "arn:aws:states:::states:startExecution.sync:2": ("stepfunctions", "StartExecution"),
}
_ANSWERED = {
    **_ASKED,
    # A task that waits for a job gives what describes the job in the end.
    "arn:aws:states:::sagemaker:createTrainingJob.sync": ("sagemaker", "DescribeTrainingJob"),
    "arn:aws:states:::sagemaker:createProcessingJob.sync": ("sagemaker", "DescribeProcessingJob"),
    "arn:aws:states:::states:startExecution.sync:2": ("stepfunctions", "DescribeExecution"),
}
_OF_OURS = ("Payload", "Output")
"""Answers in which the service hands on what a function or a workflow of ours has made."""


@cache
def _operation(service: str, name: str) -> OperationModel:
    return botocore.session.get_session().get_service_model(service).operation_model(name)


def problems(resource: str, parameters: dict[str, Any]) -> list[str]:
    """What the service would refuse; empty if nothing."""
    shape = _operation(*_ASKED[resource]).input_shape
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


def foreign(resource: str, answer: dict[str, Any]) -> list[str]:
    """What the service would never answer; empty if nothing."""
    return _foreign(_operation(*_ANSWERED[resource]).output_shape, answer, resource)


def answers(resource: str, path: str) -> bool:
    """Whether the service's answer has something at a path such as `$.ModelArtifacts`."""
    shape: Shape | None = _operation(*_ANSWERED[resource]).output_shape
    for name in path.split(".")[1:]:
        if not isinstance(shape, StructureShape):
            return False
        if name in _OF_OURS:
            return _member(shape, name) is not None
        shape = _member(shape, name)
    return shape is not None


def _member(shape: StructureShape, name: str) -> Shape | None:
    """A field by the name that Step Functions gives it: always with a capital."""
    if not name[0].isupper():
        return None
    return shape.members.get(name) or shape.members.get(name[0].lower() + name[1:])


def _foreign(shape: Shape | None, value: Any, where: str) -> list[str]:
    if not isinstance(shape, StructureShape):
        return []
    found = []
    for name, element in value.items():
        member = _member(shape, name)
        if member is None:
            found.append(f"{where}: {name}")
        elif name not in _OF_OURS:
            found += _foreign(member, element, f"{where}.{name}")
    return found


def _outside(shape: Shape, value: Any, where: str) -> list[str]:
    """Enumerations, patterns and greatest sizes, which botocore leaves to the service."""
    return [*_outside_itself(shape, value, where), *_outside_within(shape, value, where)]


def _outside_within(shape: Shape, value: Any, where: str) -> list[str]:
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
    return []


def _outside_itself(shape: Shape, value: Any, where: str) -> list[str]:
    found = []
    allowed, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if allowed and value not in allowed:
        found.append(f"{where}: {value!r} is none of {allowed}")
    if pattern and not re.fullmatch(pattern, value):
        found.append(f"{where}: {value!r} does not match {pattern}")
    if shape.type_name in {"structure", "boolean"}:
        return found
    size = value if isinstance(value, int | float) else len(value)
    most = shape.metadata.get("max", size)
    if size > most:
        found.append(f"{where}: {size} is more than {most}")
    return found
