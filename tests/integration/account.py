"""The stack of a local cloud, and the credentials of each of its roles.

They are those that `sts:AssumeRole` gives the account's own key. The emulator lets it take a role
that trusts a service alone, which AWS does not; from there on a session is held to the role's
policies, and to nothing else, as those are that it makes for functions and jobs itself.
"""

import re
from functools import cache
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.credentials import Credentials

from tests.integration.deeds import Deed, Places, all_deeds
from tests.integration.instance import Instance

STACK: Final = "AreYouACat"
SESSION: Final = "trying-rights"


class Account:
    """The stack of a local cloud, and whoever of its roles one wants to be."""

    def __init__(self, cloud: Instance) -> None:
        """Finds the roles and everything that they might touch."""
        self._cloud = cloud
        self._sts = cloud.client("sts")
        self._found = self._resources()
        self.roles = self._found["AWS::IAM::Role"]
        values = cloud.sourced()
        session = boto3.Session("nobody", "nobody", "nobody", values["AWS_REGION"])
        credentials = session.get_credentials()
        assert isinstance(credentials, Credentials)
        self._credentials = credentials
        config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})

        @cache
        def client(service: str) -> Any:
            # Its key is asked for with each request, so one client serves all roles.
            make: Any = session.client  # the stubs want each service's name as a literal
            return make(
                service,
                endpoint_url=values["AWS_ENDPOINT_URL"],
                verify=values["AWS_CA_BUNDLE"],
                config=config,
            )

        self.deeds: dict[str, Deed] = all_deeds(client, self._places())

    def become(self, role: str) -> None:
        """Do what follows as a role of the stack."""
        taken = self._sts.assume_role(RoleArn=self._arn(role), RoleSessionName=SESSION)
        given = taken["Credentials"]
        self._credentials.access_key = given["AccessKeyId"]
        self._credentials.secret_key = given["SecretAccessKey"]
        self._credentials.token = given["SessionToken"]

    def _arn(self, role: str) -> str:
        account = self._sts.get_caller_identity()["Account"]
        return f"arn:aws:iam::{account}:role/{self.roles[role]}"

    def _resources(self) -> dict[str, dict[str, str]]:
        """The stack's physical names: by type, then by logical id without CDK's hash."""
        pages = self._cloud.client("cloudformation").get_paginator("list_stack_resources")
        found: dict[str, dict[str, str]] = {}
        for page in pages.paginate(StackName=STACK):
            for resource in page["StackResourceSummaries"]:
                name = re.sub("(Role)?[0-9A-F]{8}$", "", resource["LogicalResourceId"])
                names = found.setdefault(resource["ResourceType"], {})
                assert name not in names
                names[name] = resource["PhysicalResourceId"]
        return found

    def _places(self) -> Places:
        bucket = self._cloud.endpoints["lake_bucket"]
        (key_id,) = self._found["AWS::ApiGateway::ApiKey"].values()
        tables = self._found["AWS::DynamoDB::Table"]
        buckets = self._cloud.client("s3").list_buckets()["Buckets"]
        return Places(
            stack=STACK,
            bucket=bucket,
            other_bucket=next(other["Name"] for other in buckets if other["Name"] != bucket),
            tables={
                "predictions": tables["PredictionsTable"],
                "control": tables["PredictionsControl"],
            },
            topics=self._found["AWS::SNS::Topic"],
            queues=self._found["AWS::SQS::Queue"],
            functions=[
                name.removeprefix(f"{STACK}-")
                for name in self._found["AWS::Lambda::Function"].values()
            ],
            executions={
                name: self._execution(arn)
                for name, arn in self._cloud.endpoints["state_machines"].items()
            },
            role_arn=self._arn("TrainingJob"),
            key_id=key_id,
        )

    def _execution(self, machine: str) -> str:
        """One that has been; one that has not is started: monitor and batch, which do no harm."""
        steps = self._cloud.client("stepfunctions")
        known = steps.list_executions(stateMachineArn=machine)["executions"]
        arn = known[0] if known else steps.start_execution(stateMachineArn=machine)
        return str(arn["executionArn"])
