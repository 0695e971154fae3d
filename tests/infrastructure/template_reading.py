"""Reading a CloudFormation template: resources by type, statements by role."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Template = Mapping[str, Any]

MLFLOW = ("sagemaker-mlflow:", "sagemaker:CallMlflowAppApi")
_SHORT = {
    "DataLake": "lake",
    "PredictionsTable": "predictions",
    "PredictionsControl": "control",
    "DeploymentWorkflow": "deploy",
    "TrainingWorkflow": "train",
    "RollbackDeadLetters": "rollback dead letters",
    "RetrainingDeadLetters": "retraining dead letters",
}


def resources(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """Properties by logical id of all resources of a type such as `S3::Bucket`."""
    return {
        logical_id: resource.get("Properties", {})
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == f"AWS::{kind}"
    }


def only(template: Template, kind: str) -> dict[str, Any]:
    """Properties of the one resource of a type."""
    (properties,) = resources(template, kind).values()
    return properties


def lake(template: Template) -> dict[str, Any]:
    """Properties of the bucket that keeps versions: the lake."""
    (bucket,) = (
        bucket
        for bucket in resources(template, "S3::Bucket").values()
        if "VersioningConfiguration" in bucket
    )
    return bucket


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def identity_statements(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every role's policies, with the logical id of the role."""
    for policy in resources(template, "IAM::Policy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            for role in policy["Roles"]:
                yield role["Ref"], statement
    for logical_id, role in resources(template, "IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield logical_id, statement


def actions_of(template: Template, role: str) -> set[str]:
    """Every action that a role's policies allow."""
    return {
        action
        for owner, statement in identity_statements(template)
        if owner == role
        for action in as_list(statement["Action"])
    }


def function_named(template: Template, name: str) -> dict[str, Any]:
    """Properties of the function whose name ends in `name`."""
    (found,) = (
        function
        for function in resources(template, "Lambda::Function").values()
        if function["FunctionName"] == f"AreYouACat-{name}"
    )
    return found


def routes(template: Template) -> dict[str, dict[str, Any]]:
    """Properties of every method, by method and path such as `GET /health`."""
    parents = resources(template, "ApiGateway::Resource")

    def path(reference: Any) -> str:
        if "Ref" not in reference:
            return ""  # the root
        resource = parents[reference["Ref"]]
        return f"{path(resource['ParentId'])}/{resource['PathPart']}"

    return {
        f"{method['HttpMethod']} {path(method['ResourceId'])}": method
        for method in resources(template, "ApiGateway::Method").values()
    }


def statements_of(template: Template, name: str) -> dict[str, set[str]]:
    """What a function may do: the resources of every action, with what CDK names shortened.

    Such as `lake/photos/*`, or an ARN of ours without region and account; a condition stands in
    brackets. Logs and traces, which every function has, are left out, and what MLflow is asked.
    """
    allowed: dict[str, set[str]] = {}
    role = role_of(function_named(template, name))
    for owner, statement in identity_statements(template):
        if owner != role:
            continue
        condition = f" {json.dumps(statement['Condition'])}" if "Condition" in statement else ""
        for action in as_list(statement["Action"]):
            if not action.startswith(("logs:", "xray:", *MLFLOW)):
                allowed.setdefault(action, set()).update(
                    _shortened(resource) + condition for resource in as_list(statement["Resource"])
                )
    return allowed


def _shortened(resource: Any) -> str:
    if isinstance(resource, str):
        return resource
    if "Fn::Join" in resource:
        return "".join(_shortened(part) for part in resource["Fn::Join"][1])
    logical_id: str = resource["Ref"] if "Ref" in resource else resource["Fn::GetAtt"][0]
    if logical_id.startswith("AWS::"):  # partition, region, account
        return "*"
    return next(short for start, short in _SHORT.items() if logical_id.startswith(start))


def role_of(function: Mapping[str, Any]) -> str:
    """Logical id of a function's role."""
    logical_id: str = function["Role"]["Fn::GetAtt"][0]
    return logical_id
