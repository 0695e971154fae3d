"""Each role of the stack, tried on the running local cloud: its work, and what is none of it.

The credentials are those that `sts:AssumeRole` gives the account's own key. The emulator lets it
take a role that trusts a service alone, which AWS does not; from there on a session is held to the
role's policies, and to nothing else, as those are that it makes for functions and jobs itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import boto3
import pytest
from botocore.config import Config
from botocore.credentials import Credentials

from local_cloud.rights import Grant, ask, granted, used
from tests.integration.deeds import Deed, Places, all_deeds
from tests.integration.instance import Instance

STACK: Final = "AreYouACat"
SESSION: Final = "trying-rights"


@dataclass(frozen=True)
class Rights:
    """What a role may do, all of it, and what of the rest must never come to it."""

    may: frozenset[str]
    never: frozenset[str]


def rights(may: str, never: str) -> Rights:
    """From lists of deeds, separated by commas."""
    return Rights(frozenset(may.split(", ")), frozenset(never.split(", ")))


NOBODY_MAY: Final = frozenset(
    {
        "change code",
        "change train",
        "delete models",
        "delete photos",
        "drop predictions",
        "give rights",
        "open the lake",
        "read another bucket",
        "scan predictions",
        "take another role",
    }
)
IMPLIED: Final = {
    "list the lake": (
        "list photos, list datasets, list features, list training, list references, list windows"
    ),
    "read models": "read references, read model specs",
    "read training": "read evaluations",
    "write models": "write references, write model specs",
    "write training": "write evaluations",
    "write reports": "write windows",
}
"""What somebody may who may do a wider thing: one part of the lake lies within another."""

_POINTER: Final = "read pointer, list the lake"
_MOVES_POINTER: Final = f"{_POINTER}, write pointer"
_QUERIES: Final = "query by_predicted_hour, query by_feedback_hour"
_STARTS: Final = "start train, start deploy, start monitor"

ROLES: Final[Mapping[str, Rights]] = {
    "ServingPredict": rights(
        f"{_POINTER}, read models, read uploads, erase uploads, write photos, tag photos, "
        "get predictions, put predictions",
        "read photos, erase photos, read datasets, read index, write pointer, write models, "
        f"update predictions, delete predictions, {_QUERIES}, get control, {_STARTS}, invoke api",
    ),
    "ServingApi": rights(
        f"{_POINTER}, read model specs, read photos, write photos, tag photos, "
        "read tags of photos, erase photos, list versions of photos, write uploads, "
        "write tombstones, "
        "get predictions, update predictions, delete predictions, update control",
        "read models, write models, write pointer, read datasets, write labels, read uploads, "
        "list versions, "
        f"put predictions, {_QUERIES}, get control, put control, {_STARTS}, invoke predict",
    ),
    "ServingHttpApiLogging": rights(
        "write another's log, write training log, write processing log",
        "delete a log, read photos, get predictions, invoke predict, publish to OpsTopic",
    ),
    "DeploymentStageVariant": rights(
        f"{_POINTER}, read models",
        "write pointer, write models, read photos, get predictions, describe deploy",
    ),
    "DeploymentScoreGoldenPhotos": rights(
        f"{_POINTER}, read models, read datasets, read photos",
        "write pointer, write photos, write datasets, get predictions, invoke predict",
    ),
    "DeploymentShiftTraffic": rights(
        f"{_MOVES_POINTER}, describe deploy",
        f"read models, read photos, stop deploy, describe train, {_STARTS}, get predictions",
    ),
    "DeploymentCheckCanary": rights(
        f"{_POINTER}, {_QUERIES}",
        "write pointer, get predictions, query predictions, read photos, stop deploy",
    ),
    "DeploymentPromote": rights(
        f"{_MOVES_POINTER}, describe deploy",
        f"read models, write models, stop deploy, {_STARTS}, get predictions",
    ),
    "DeploymentRollBack": rights(
        f"{_MOVES_POINTER}, read models",
        f"write models, read photos, stop deploy, {_STARTS}, get predictions",
    ),
    "DeploymentMoveAlias": rights(
        _POINTER, f"write pointer, read models, write models, {_STARTS}, get predictions"
    ),
    "DeploymentVerifyRegistry": rights(
        f"{_MOVES_POINTER}, describe deploy", f"read models, stop deploy, {_STARTS}, get control"
    ),
    "DeploymentWorkflow": rights(
        "invoke stage-variant, invoke score-golden-photos, invoke shift-traffic, "
        "invoke check-canary, invoke promote, invoke roll-back, invoke move-alias, "
        "publish to OpsTopic",
        f"invoke predict, invoke register-model, {_STARTS}, publish to RetrainingTopic, "
        "read pointer, write pointer, create a training job",
    ),
    "RollbackOnAlarm": rights(
        "start deploy, send to RollbackDeadLetters",
        "start train, stop deploy, read pointer, write pointer, receive from RollbackDeadLetters, "
        "send to RetrainingDeadLetters",
    ),
    "RollbackOnEnded": rights(
        f"{_POINTER}, start deploy, send to RollbackDeadLetters",
        "start train, stop deploy, write pointer, receive from RollbackDeadLetters, "
        "send to RetrainingDeadLetters",
    ),
    "TrainingAcquireLease": rights(
        "get control, put control, describe train",
        "get predictions, delete control, describe deploy, stop train, start train, read index",
    ),
    "TrainingReleaseLease": rights(
        "get control, put control",
        "get predictions, delete control, describe train, start train, read index",
    ),
    "TrainingSnapshotDataset": rights(
        "read index, read labels, read features, read photos, list the lake, "
        "write index, write labels, write held labels, write datasets, abort datasets, "
        "query by_feedback_hour, get control, put control",
        "query by_predicted_hour, write photos, tag photos, erase photos, write pointer, "
        "read models, read datasets, abort labels, write features, read tombstones, "
        "get predictions, put predictions, start train, create a training job",
    ),
    "TrainingEvaluateCandidate": rights(
        f"{_POINTER}, read training, read datasets, read photos, read models, write evaluations",
        "write training, write models, write pointer, write photos, get predictions, start deploy",
    ),
    "TrainingRegisterModel": rights(
        "read training, write models, list the lake",
        "read models, write training, read pointer, write pointer, read photos, get predictions, "
        "start deploy",
    ),
    "TrainingRecordOutcome": rights(
        "read evaluations, list the lake",
        "read training, read models, write evaluations, write pointer, get control, start deploy",
    ),
    "TrainingJob": rights(
        "read photos, read datasets, read features, write features, write training, "
        "abort features, abort training, list photos, list datasets, list features, "
        "list training, write training log",
        "write photos, tag photos, erase photos, write datasets, write pointer, read pointer, "
        "write models, read labels, list the lake, get predictions, write processing log, "
        f"create a training job, {_STARTS}",
    ),
    "TrainingWorkflow": rights(
        "invoke acquire-lease, invoke release-lease, invoke snapshot-dataset, "
        "invoke evaluate-candidate, invoke register-model, invoke record-outcome, "
        "start deploy, describe deploy, stop deploy, publish to OpsTopic, "
        "create a training job, describe a training job, stop a training job",
        "invoke predict, invoke promote, start train, stop train, publish to RetrainingTopic, "
        "create another's training job, stop another's training job, create a processing job, "
        "read photos, write pointer, get control",
    ),
    "TrainingWorkflowEvents": rights(
        "start train", "start deploy, start monitor, stop train, invoke acquire-lease"
    ),
    "ComparisonCompareModels": rights(
        "read models, read datasets, read photos, write comparisons, list the lake",
        "write models, write datasets, write photos, read pointer, write reports, get predictions",
    ),
    "RetrainingTrigger": rights(
        "get control, put control, start train, send to RetrainingDeadLetters",
        "start deploy, stop train, describe train, get predictions, read photos, "
        "receive from RetrainingDeadLetters, send to RollbackDeadLetters",
    ),
    "RetrainingStartPending": rights(
        "get control, describe train, start train, send to RetrainingDeadLetters",
        "put control, start deploy, stop train, get predictions, read photos, "
        "receive from RetrainingDeadLetters, send to RollbackDeadLetters",
    ),
    "MonitoringCollectWindow": rights(
        f"{_POINTER}, read model specs, read references, write windows, {_QUERIES}, read metrics",
        "read models, write reports, read photos, write pointer, publish metrics, "
        f"get predictions, {_STARTS}, silence an alarm",
    ),
    "MonitoringPublishMetrics": rights(
        "publish metrics",
        f"read metrics, silence an alarm, read pointer, {_QUERIES}, {_STARTS}",
    ),
    "MonitoringReport": rights(
        "read references, read windows, write reports, abort reports, "
        "list references, list windows, write processing log",
        "read photos, read models, read reports, write models, write training, read pointer, "
        f"write training log, list the lake, get predictions, {_QUERIES}, {_STARTS}",
    ),
    "MonitoringWorkflow": rights(
        "invoke collect-window, invoke publish-metrics, invoke start-pending, "
        "publish to OpsTopic, create a processing job, describe a processing job, "
        "stop a processing job",
        f"invoke predict, invoke trigger-retraining, {_STARTS}, publish to RetrainingTopic, "
        "create another's processing job, create a training job, "
        "read pointer, publish metrics",
    ),
    "MonitoringWorkflowEvents": rights(
        "start monitor", "start train, start deploy, stop monitor, invoke collect-window"
    ),
}


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
        (bucket,) = self._found["AWS::S3::Bucket"].values()
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
        """One that has been; the monitor, which does no harm, is started if it has not run yet."""
        steps = self._cloud.client("stepfunctions")
        known = steps.list_executions(stateMachineArn=machine)["executions"]
        arn = known[0] if known else steps.start_execution(stateMachineArn=machine)
        return str(arn["executionArn"])


@pytest.fixture(scope="module")
def account(trained: Instance) -> Account:
    return Account(trained)


def outcomes(account: Account, role: str, deeds: frozenset[str]) -> dict[str, str]:
    account.become(role)
    return {deed: account.deeds[deed].outcome() for deed in sorted(deeds)}


def test_every_role_of_the_stack_is_tried(account: Account) -> None:
    assert set(account.roles) == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_its_work(account: Account, role: str) -> None:
    work = ROLES[role].may

    assert outcomes(account, role, work) == dict.fromkeys(work, "allowed")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_refused_what_must_never_come_to_it(account: Account, role: str) -> None:
    never = ROLES[role].never | NOBODY_MAY

    assert outcomes(account, role, never) == dict.fromkeys(never, "refused")


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_refused_whatever_else_one_could_try(account: Account, role: str) -> None:
    work = ROLES[role].may
    implied = {deed for wider in work & set(IMPLIED) for deed in IMPLIED[wider].split(", ")}
    others = frozenset(account.deeds) - work - implied

    assert outcomes(account, role, others) == dict.fromkeys(others, "refused")


def test_the_table_is_about_deeds_that_there_are(account: Account) -> None:
    spoken_of = {deed for row in ROLES.values() for deed in row.may | row.never} | NOBODY_MAY

    assert spoken_of <= set(account.deeds)
    assert not [role for role, row in ROLES.items() if row.may & (row.never | NOBODY_MAY)]


UNCHECKED: Final = {
    "DeploymentWorkflow",
    "MonitoringWorkflow",
    "MonitoringWorkflowEvents",
    "ServingHttpApiLogging",
    "TrainingWorkflow",
    "TrainingWorkflowEvents",
}
"""Roles of services that the emulator does not play with a role: templates alone tell of these."""

UNSEEN: Final[Mapping[tuple[str, str], str]] = {}
"""Rights of a role (`*`: of any) that these tests do not make it use, and who needs them."""

EXERCISED_BY: Final = ("loop", "monitor", "prediction_api", "versions")


def test_every_right_is_used(account: Account, trained: Instance, request: Any) -> None:
    ran = {item.path.stem.removeprefix("test_") for item in request.session.items}
    if missing := set(EXERCISED_BY) - ran:
        pytest.skip(f"rights are used by the tests of {', '.join(sorted(missing))}, not run now")
    iam, found = trained.client("iam"), trained.endpoints
    were_used = used(ask(found["aws_endpoint_url"], found["ca_bundle"]), but=SESSION)

    unused: set[tuple[str, str, str]] = set()
    for name in set(account.roles) - UNCHECKED:
        may: set[Grant] = set(granted(iam, account.roles[name]))
        unused |= {(name, grant.action, grant.resource) for grant in may - were_used}

    assert not {
        (role, action, resource)
        for role, action, resource in unused
        if not {(role, action), ("*", action)} & set(UNSEEN)
    }
