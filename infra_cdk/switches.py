"""What one deployment switches on: `cdk deploy -c name=value`, or DEPLOY_NAME=value."""

import os
import re
from dataclasses import asdict, dataclass, fields

from constructs import Node


def switch(node: Node, name: str, default: bool = False) -> bool:
    """A setting that is true or false.

    Raises:
        ValueError: it is neither.
    """
    value = node.try_get_context(name)
    if value is None:
        value = os.environ.get(f"DEPLOY_{name.upper()}", default)
    if str(value).lower() not in {"true", "false"}:
        raise ValueError(f"{name} is {value!r}: use -c {name}=true or -c {name}=false")
    return str(value).lower() == "true"


def bucket_names(node: Node, name: str) -> tuple[str, ...]:
    """A setting that names buckets, separated by commas.

    Raises:
        ValueError: one of them is no bucket's name.
    """
    value = node.try_get_context(name) or os.environ.get(f"DEPLOY_{name.upper()}") or ""
    names = tuple(part.strip() for part in str(value).split(",") if part.strip())
    for one in names:
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", one):
            raise ValueError(f"{one!r} is no bucket: use -c {name}=bucket-one,bucket-two")
    return names


@dataclass(frozen=True, slots=True)
class SecuritySettings:
    """What a deployment to AWS switches on for itself; all of it is off unless asked for.

    `-c <switch>=true`, or `DEPLOY_<SWITCH>=true` in the environment. Prices: docs/security.md.
    """

    production: bool = False  # nobody deletes the stack before termination protection is off
    waf: bool = False  # costs money: a web ACL, its rules, every request
    # Costs money: one key of your own, and its use. Not to be switched off again: what it has
    # encrypted stays so, and the roles lose it with the switch.
    kms: bool = False
    small_account: bool = False  # a Lambda quota below 134: nothing is reserved, less is admitted

    @classmethod
    def from_context(cls, node: Node, *, is_local: bool) -> "SecuritySettings":
        """Read the switches.

        Raises:
            ValueError: a switch is neither true nor false, or is on for the local cloud.
        """
        switches = cls(**{item.name: switch(node, item.name) for item in fields(cls)})
        if is_local and switches != cls():
            on = ", ".join(name for name, is_on in asdict(switches).items() if is_on)
            raise ValueError(
                f"the local cloud has no use for {on}: leave it out, or use target=aws"
            )
        return switches


@dataclass(frozen=True, slots=True)
class BudgetLimit:
    """US dollars a month, and whom to tell."""

    usd: float
    email: str

    @classmethod
    def from_context(cls, node: Node) -> "BudgetLimit | None":
        """Read `-c budget_usd=` and `-c budget_email=`; None if neither is given.

        Raises:
            ValueError: one without the other, or no amount, or no address.
        """
        usd, email = node.try_get_context("budget_usd"), node.try_get_context("budget_email")
        if not usd and not email:
            return None
        try:
            limit = cls(float(usd), str(email or ""))
        except (TypeError, ValueError):
            limit = cls(0.0, "")
        if limit.usd <= 0 or not re.fullmatch(r"[^@\s]+@[^@\s]+", limit.email):
            raise ValueError(
                "a budget needs an amount above 0 and an address: "
                "-c budget_usd=50 -c budget_email=you@example.com"
            )
        return limit
