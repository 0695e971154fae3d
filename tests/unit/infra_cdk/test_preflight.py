"""What would stop a deployment is said before it begins, with the remedy."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from infra_cdk.preflight import DEPLOYER_ACTIONS, Finding, Level, Wanted, check

WANTED = Wanted(
    stack="Cats",
    concurrency=33,
    instances=("ml.m5.xlarge for training job usage",),
    managed_mlflow=True,
)
USER = "arn:aws:iam::123456789012:user/ann"


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


class Account:
    """An AWS account that answers all questions well, unless told otherwise."""

    def __init__(self) -> None:
        self.stack: str | Exception = refusal("ValidationError")
        self.concurrent: int | Exception = 1000
        self.quota: float | Exception | None = 4.0
        self.denied: set[str] | Exception = set()
        self.mlflow: Exception | None = None
        self.asked_about = ""

    def client(self, _: str) -> "Account":
        return self

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - AWS's own
        return {"Stacks": [{"StackName": StackName, "StackStatus": said(self.stack)}]}

    def get_account_settings(self) -> dict[str, Any]:
        return {"AccountLimit": {"ConcurrentExecutions": said(self.concurrent)}}

    def get_paginator(self, operation: str) -> "Account":
        assert operation == "list_service_quotas"
        return self

    def paginate(self, **asked: str) -> Iterator[dict[str, Any]]:
        assert asked == {"ServiceCode": "sagemaker"}
        value = said(self.quota)
        yield {"Quotas": [{"QuotaName": "another", "QuotaCode": "L-1", "Value": 0.0}]}
        if value is not None:
            name = WANTED.instances[0]
            yield {"Quotas": [{"QuotaName": name, "QuotaCode": "L-2", "Value": value}]}

    def get_role(self, RoleName: str) -> dict[str, Any]:  # noqa: N803
        return {"Role": {"Arn": f"arn:aws:iam::123456789012:role/team/{RoleName}"}}

    def simulate_principal_policy(
        self,
        PolicySourceArn: str,  # noqa: N803
        ActionNames: list[str],  # noqa: N803
    ) -> dict[str, Any]:
        self.asked_about = PolicySourceArn
        denied = said(self.denied)
        return {
            "EvaluationResults": [
                {
                    "EvalActionName": action,
                    "EvalDecision": "implicitDeny" if action in denied else "allowed",
                }
                for action in ActionNames
            ]
        }

    def list_mlflow_apps(self, **_: int) -> dict[str, Any]:
        if self.mlflow:
            raise self.mlflow
        return {"Summaries": []}


def said(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer


def findings(account: Account, wanted: Wanted = WANTED, caller: str = USER) -> list[Finding]:
    return list(check(account.client, caller, wanted))


def problems(account: Account, wanted: Wanted = WANTED, caller: str = USER) -> list[Finding]:
    return [f for f in findings(account, wanted, caller) if f.level is Level.PROBLEM]


def test_an_account_that_has_room_passes_every_question() -> None:
    found = findings(Account())

    assert [finding.level for finding in found] == [Level.FINE] * 5


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("UPDATE_IN_PROGRESS", "wait until that has ended"),
        ("ROLLBACK_COMPLETE", "make destroy"),
    ],
)
def test_a_stack_that_cannot_be_updated_stops_the_deployment(status: str, remedy: str) -> None:
    account = Account()
    account.stack = status

    (problem,) = problems(account)

    assert status in problem.words
    assert remedy in problem.remedy


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_that_stands_is_updated(status: str) -> None:
    account = Account()
    account.stack = status

    assert problems(account) == []


@pytest.mark.parametrize(("limit", "stops"), [(10, True), (132, True), (133, False)])
def test_reserved_executions_must_leave_a_hundred_to_the_others(limit: int, stops: bool) -> None:
    account = Account()
    account.concurrent = limit

    found = problems(account)

    assert bool(found) is stops
    for problem in found:
        assert "--quota-code L-B99A9384" in problem.remedy


def test_a_quota_of_no_instance_stops_the_deployment_and_names_its_code() -> None:
    account = Account()
    account.quota = 0.0

    (problem,) = problems(account)

    assert "ml.m5.xlarge for training job usage" in problem.words
    assert "--quota-code L-2" in problem.remedy


def test_an_instance_type_that_the_region_does_not_know_is_told_and_stops_nothing() -> None:
    account = Account()
    account.quota = None

    (told,) = (f for f in findings(account) if f.level is Level.UNKNOWN)

    assert "region has this instance type" in told.remedy


def test_what_the_caller_may_not_do_everywhere_is_told_by_name_and_stops_nothing() -> None:
    account = Account()
    account.denied = {"codebuild:StartBuild"}

    (told,) = (f for f in findings(account) if f.level is Level.UNKNOWN)

    assert told.words == "You may not, or not everywhere: codebuild:StartBuild"
    assert "stack's resources" in told.remedy


def test_a_session_is_asked_about_by_the_role_behind_it() -> None:
    account = Account()

    found = findings(account, caller="arn:aws:sts::123456789012:assumed-role/deployer/ann")

    assert account.asked_about == "arn:aws:iam::123456789012:role/team/deployer"
    assert f"the {len(DEPLOYER_ACTIONS)} things" in found[3].words


def test_root_credentials_are_advised_against() -> None:
    found = findings(Account(), caller="arn:aws:iam::123456789012:root")

    assert found[3].level is Level.UNKNOWN
    assert "user or role of your own" in found[3].remedy


def test_a_region_without_mlflow_apps_stops_a_deployment_that_wants_one() -> None:
    account = Account()
    account.mlflow = refusal("UnknownOperationException")

    (problem,) = problems(account)

    assert "mlflow_tracking_uri=" in problem.remedy


def test_a_server_of_ones_own_needs_no_mlflow_app() -> None:
    account = Account()
    account.mlflow = refusal("UnknownOperationException")
    own_server = Wanted(WANTED.stack, WANTED.concurrency, WANTED.instances, managed_mlflow=False)

    assert problems(account, own_server) == []


def test_a_small_account_that_reserves_nothing_has_enough() -> None:
    account = Account()
    account.concurrent = 10
    nothing_reserved = Wanted(WANTED.stack, 0, WANTED.instances, managed_mlflow=True)

    assert problems(account, nothing_reserved) == []


def test_what_may_not_be_asked_is_told_and_stops_nothing() -> None:
    account = Account()
    denied = refusal("AccessDeniedException")
    account.stack = account.concurrent = account.quota = account.denied = denied
    account.mlflow = EndpointConnectionError(endpoint_url="https://nowhere")

    found = findings(account)

    assert [finding.level for finding in found] == [Level.UNKNOWN] * 5
    assert "AccessDeniedException" in found[0].words
    assert "EndpointConnectionError" in found[4].words
