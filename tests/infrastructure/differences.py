"""The whole difference between the templates of two targets, as lines that a page can explain."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tests.infrastructure.template_reading import Template, as_list, identity_statements, resources

_POLICY, _FUNCTION, _MACHINE = "IAM::Policy", "Lambda::Function", "StepFunctions::StateMachine"


def differences(aws: Template, local: Template) -> set[str]:
    """One line a difference, whichever side has it.

    A kind of resource, `Lambda::Function Runtime` for a property of one, `environment NAME` of a
    function, `substitution NAME` of a workflow, `action name` of a role, `output NAME`.
    """
    return {
        *_kinds(aws, local),
        *_properties(aws, local),
        *(f"environment {name}" for name in _unlike(_environment(aws), _environment(local))),
        *(f"substitution {name}" for name in _unlike(_substitutions(aws), _substitutions(local))),
        *(f"action {action}" for action in _actions(aws) ^ _actions(local)),
        *(f"output {name}" for name in aws["Outputs"].keys() ^ local["Outputs"].keys()),
    }


def _kinds(aws: Template, local: Template) -> set[str]:
    def counted(template: Template) -> Counter[str]:
        return Counter(resource["Type"] for resource in template["Resources"].values())

    one, other = counted(aws), counted(local)
    return {
        kind.removeprefix("AWS::")
        for kind in one.keys() | other.keys()
        if one != other and one[kind] != other[kind]
    }


def _properties(aws: Template, local: Template) -> Iterator[str]:
    """Of resources that both have; what the other lines say in detail is left to them."""
    said_elsewhere = {
        f"{_FUNCTION} Environment",
        f"{_MACHINE} DefinitionSubstitutions",
        f"{_POLICY} PolicyDocument",
    }
    one, other = aws["Resources"], local["Resources"]
    for logical_id in one.keys() & other.keys():
        kind = one[logical_id]["Type"].removeprefix("AWS::")
        for these, those in (
            (one[logical_id], other[logical_id]),
            (one[logical_id].get("Properties", {}), other[logical_id].get("Properties", {})),
        ):
            for name in these.keys() | those.keys():
                line = f"{kind} {name}"
                if name == "Properties" or line in said_elsewhere:
                    continue
                if these.get(name) != those.get(name):
                    yield line


def _environment(template: Template) -> dict[str, Any]:
    return {
        f"{function['FunctionName']} {name}": value
        for function in resources(template, _FUNCTION).values()
        for name, value in function["Environment"]["Variables"].items()
    }


def _substitutions(template: Template) -> dict[str, Any]:
    return {
        f"{machine['StateMachineName']} {name}": value
        for machine in resources(template, _MACHINE).values()
        for name, value in machine["DefinitionSubstitutions"].items()
    }


def _unlike(aws: Mapping[str, Any], local: Mapping[str, Any]) -> set[str]:
    """The last words of names whose values differ."""
    return {
        name.split()[-1] for name in aws.keys() | local.keys() if aws.get(name) != local.get(name)
    }


def _actions(template: Template) -> set[str]:
    return {
        action
        for _, statement in identity_statements(template)
        for action in as_list(statement["Action"])
    }
