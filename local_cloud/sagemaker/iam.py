"""What IAM must know of SageMaker requests: resources, the role handed over, who may take it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

SAGEMAKER_PRINCIPAL = "sagemaker.amazonaws.com"
_RESOURCES = {"TrainingJobName": "training-job", "ProcessingJobName": "processing-job"}


def resource_arn(action: str, payload: Mapping[str, Any] | None, account: str, region: str) -> str:
    """The resource a request is checked on; "*" for those that name none, as lists do.

    Source: the service authorization reference of Amazon SageMaker.
    """
    request = payload or {}
    if isinstance(request.get("ResourceArn"), str):
        return str(request["ResourceArn"])
    if action.startswith("List"):
        return "*"
    for member, kind in _RESOURCES.items():
        if isinstance(request.get(member), str):
            return f"arn:aws:sagemaker:{region}:{account}:{kind}/{request[member]}"
    return "*"


@dataclass(frozen=True)
class Permission:
    """An IAM action on a resource; `context`: condition keys and their values."""

    action: str
    resource: str
    context: Mapping[str, str]


def also_needed(
    action: str, payload: Mapping[str, Any], account: str, region: str
) -> list[Permission]:
    """What a request needs beside the permission of its own name.

    To hand over a role, and to give a new job tags. Source: "Amazon SageMaker API Permissions".
    """
    needed = []
    role = payload.get("RoleArn")
    if isinstance(role, str):
        context = {"iam:PassedToService": SAGEMAKER_PRINCIPAL}
        needed.append(Permission("iam:PassRole", role, context))
    if action.startswith("Create") and payload.get("Tags"):
        job = resource_arn(action, payload, account, region)
        needed.append(Permission("sagemaker:AddTags", job, {}))
    return needed


def trusts_service(document: str | Mapping[str, Any], principal: str) -> bool:
    """Whether a role's trust policy lets a service (`x.amazonaws.com`) assume it.

    Conditions are not looked at: they name sources that do not exist here.
    """
    statements = _statements(document)
    matching = [
        statement
        for statement in statements
        if _assumes(statement) and principal in _services(statement)
    ]
    effects = {statement.get("Effect") for statement in matching}
    return "Allow" in effects and "Deny" not in effects


def _statements(document: str | Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if isinstance(document, str):
        try:
            document = json.loads(unquote(document))
        except ValueError:
            return []
    if not isinstance(document, Mapping):
        return []
    return [one for one in _listed(document.get("Statement")) if isinstance(one, Mapping)]


def _assumes(statement: Mapping[str, Any]) -> bool:
    return (
        any(action in ("sts:AssumeRole", "sts:*", "*") for action in _listed(statement["Action"]))
        if "Action" in statement
        else False
    )


def _services(statement: Mapping[str, Any]) -> list[Any]:
    principal = statement.get("Principal")
    return _listed(principal.get("Service")) if isinstance(principal, Mapping) else []


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
