"""Who may act through the pages: train, deploy, roll back, approve labels.

On the local cloud whoever uses the laptop. Against AWS nobody, until `UI_ACTING` says how people
sign in: `secret` (one that is in the file `UI_SECRET_FILE`) or `oidc` (Streamlit's own login; those
whose e-mail address `UI_ACTORS` names, separated by commas).
"""

from __future__ import annotations

import hmac
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

MIN_SECRET: Final = 16
"""Characters: what a person can paste and nobody can try out."""
OFF_ON_AWS: Final = (
    "Against AWS these pages only show. Whoever starts them can let people act: set UI_ACTING to "
    "`secret` or `oidc`."
)
SWITCHED_OFF: Final = "Acting is switched off here: UI_ACTING is `off`."


class Way(StrEnum):
    """How somebody comes to act."""

    OFF = "off"
    OPEN = "open"
    SECRET = "secret"  # noqa: S105 - the way's name
    OIDC = "oidc"


@dataclass(frozen=True)
class Policy:
    """`refusal`: why nobody may act, where `way` is off. `actors`: e-mail addresses, lower case."""

    way: Way
    refusal: str | None = None
    secret_file: Path | None = None
    actors: frozenset[str] = frozenset()

    @classmethod
    def load(cls, *, local: bool, environment: Mapping[str, str] = os.environ) -> Policy:
        """What the environment asks for; anything that makes no sense is off, and says why."""
        asked = environment.get("UI_ACTING") or (Way.OPEN if local else Way.OFF)
        if asked not in set(Way):
            return cls(Way.OFF, f"UI_ACTING is {asked!r}; it may be off, secret or oidc.")
        way = Way(asked)
        if way is Way.SECRET:
            return cls._with_secret(environment.get("UI_SECRET_FILE"))
        if way is Way.OIDC:
            return cls._with_actors(environment.get("UI_ACTORS", ""))
        if way is Way.OPEN and local:
            return cls(way)
        return cls(Way.OFF, SWITCHED_OFF if local else OFF_ON_AWS)

    @classmethod
    def _with_secret(cls, name: str | None) -> Policy:
        if not name:
            return cls(Way.OFF, "UI_SECRET_FILE has to name the file with the secret.")
        file = Path(name)
        try:
            mode, secret = file.stat().st_mode, _secret(file)
        except (OSError, ValueError):
            return cls(Way.OFF, f"The file {file} with the secret cannot be read.")
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            return cls(Way.OFF, f"Others can read {file}: `chmod 600 {file}`.")
        if len(secret) < MIN_SECRET:
            return cls(Way.OFF, f"The secret in {file} is shorter than {MIN_SECRET} characters.")
        return cls(Way.SECRET, secret_file=file)

    @classmethod
    def _with_actors(cls, named: str) -> Policy:
        actors = frozenset(each.strip().lower() for each in named.split(",") if each.strip())
        if not actors:
            return cls(Way.OFF, "UI_ACTORS names nobody: it is a list of e-mail addresses.")
        return cls(Way.OIDC, actors=actors)

    def knows_secret(self, offered: str) -> bool:
        """Whether it is the secret; compared in a time that says nothing of it."""
        if self.secret_file is None:
            return False
        return hmac.compare_digest(offered.strip().encode(), _secret(self.secret_file).encode())

    def names(self, claims: Mapping[str, Any]) -> str | None:
        """The address of somebody who signed in by OIDC, if it may act.

        `claims`: of the identity token. An address that the provider calls unverified is nobody's.
        """
        address = str(claims.get("email") or "").lower()
        verified = str(claims.get("email_verified", True)).lower() == "true"
        return address if verified and address in self.actors else None


def _secret(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip()
