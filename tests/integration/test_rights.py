"""Each role of the stack, tried on the running local cloud: its work, and what is none of it."""

from dataclasses import replace
from typing import Any, Final

import pytest

from local_cloud.rights import Grant, ask, granted, used
from tests.integration.account import SESSION, Account
from tests.integration.instance import EXHAUSTIVE, Instance
from tests.integration.roles import IMPLIED, NOBODY_MAY, ROLES, UNCHECKED, UNSEEN

EXERCISED_BY: Final = ("loop", "many_photos", "monitor", "prediction_api", "versions")


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
@pytest.mark.parametrize("role", ROLES if EXHAUSTIVE else [*ROLES][::3])
def test_a_role_is_refused_whatever_else_one_could_try(account: Account, role: str) -> None:
    work = ROLES[role].may
    implied = {deed for wider in work & set(IMPLIED) for deed in IMPLIED[wider].split(", ")}
    others = frozenset(account.deeds) - work - implied

    assert outcomes(account, role, others) == dict.fromkeys(others, "refused")


def test_the_table_is_about_deeds_that_there_are(account: Account) -> None:
    spoken_of = {deed for row in ROLES.values() for deed in row.may | row.never} | NOBODY_MAY

    assert spoken_of <= set(account.deeds)
    assert not [role for role, row in ROLES.items() if row.may & (row.never | NOBODY_MAY)]


def test_every_right_is_used(account: Account, trained: Instance, request: Any) -> None:
    ran = {item.path.stem.removeprefix("test_") for item in request.session.items}
    if missing := set(EXERCISED_BY) - ran:
        pytest.skip(f"rights are used by the tests of {', '.join(sorted(missing))}, not run now")
    iam, found = trained.client("iam"), trained.endpoints
    were_used = used(ask(found["aws_endpoint_url"], found["ca_bundle"]), but=SESSION)

    unused = {
        replace(grant, role=name)
        for name in set(account.roles) - UNCHECKED
        for grant in granted(iam, account.roles[name])
        if grant not in were_used
    }

    assert not {
        (grant.role, grant.action, grant.resource)
        for grant in unused
        if not any(excuses(*right, grant) for right in UNSEEN)
    }


def excuses(role: str, right: str, grant: Grant) -> bool:
    action, _, end = right.partition(" ")
    return (
        role in {"*", grant.role} and action in {"*", grant.action} and grant.resource.endswith(end)
    )
