"""What the roles of a stack may do and have never done: `python -m local_cloud.rights`.

Counts from the local cloud's last start, in grants: one action on one resource of a policy. What
the emulator does itself is not among the used: it asks no policy before it writes a function's log,
sends to a dead-letter queue, or runs a state machine's task.
"""

from __future__ import annotations

import argparse
import json
import ssl
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from local_cloud.console import say
from local_cloud.layout import Layout


@dataclass(frozen=True, order=True)
class Grant:
    """One action on one resource, as a policy has it; `role` is the role's name."""

    role: str
    action: str
    resource: str


def granted(iam: Any, role: str) -> Iterator[Grant]:
    """What a role's own policies allow. `iam`: a boto3 client."""
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        for statement in document["Statement"]:
            for action in _listed(statement["Action"]):
                for resource in _listed(statement["Resource"]):
                    yield Grant(role, action, resource)


def used(listed: list[dict[str, str]], but: str = "") -> set[Grant]:
    """The grants of `GET /_local/rights`, without those of sessions named `but`."""
    sessions = ((row, row["principal"].split("/")) for row in listed)
    return {
        Grant(names[1], row["action"], row["resource"])
        for row, names in sessions
        if ":assumed-role" in names[0] and names[2] != but
    }


def ask(endpoint_url: str, ca_bundle: str) -> list[dict[str, str]]:
    """The rights that were used, of a running local cloud."""
    trusted = ssl.create_default_context(cafile=ca_bundle)
    url = f"{endpoint_url}/_local/rights"
    with urllib.request.urlopen(url, context=trusted, timeout=60) as answer:  # noqa: S310
        found: list[dict[str, str]] = json.load(answer)["used"]
    return found


def roles_of(cloudformation: Any, stack: str) -> dict[str, str]:
    """The names of a stack's roles, by logical id. `cloudformation`: a boto3 client."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::IAM::Role"
    }


def main() -> int:
    """Print each role's grants that nothing has used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stack", default="AreYouACat")
    stack = parser.parse_args().stack
    layout = Layout.from_environment()
    endpoints: Mapping[str, Any] = json.loads(layout.endpoints_file.read_text())
    were_used = used(ask(endpoints["aws_endpoint_url"], endpoints["ca_bundle"]))
    iam = boto3.client("iam")
    for logical_id, name in sorted(roles_of(boto3.client("cloudformation"), stack).items()):
        may = set(granted(iam, name))
        say(f"{logical_id}: {len(may & were_used)} of {len(may)} used")
        for grant in sorted(may - were_used):
            say(f"    never: {grant.action} on {grant.resource}")
    return 0


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    sys.exit(main())
