"""Who may act through the pages."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ui import permission
from ui.permission import Policy, Way
from ui.views import sign_in

SECRET = "correct horse battery"
OIDC = {"UI_ACTING": "oidc", "UI_ACTORS": " Ann@example.org, bob@example.org "}


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o600)
    return file


def by_secret(file: Path) -> dict[str, str]:
    return {"UI_ACTING": "secret", "UI_SECRET_FILE": str(file)}


def test_on_a_laptop_everybody_acts_and_against_aws_nobody_does() -> None:
    assert Policy.load(local=True, environment={}).way is Way.OPEN

    policy = Policy.load(local=False, environment={})

    assert policy.way is Way.OFF
    assert policy.refusal == permission.OFF_ON_AWS


def test_acting_can_be_switched_off_on_a_laptop() -> None:
    assert Policy.load(local=True, environment={"UI_ACTING": "off"}).way is Way.OFF


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"UI_ACTING": "open"}, "`secret` or `oidc`"),
        ({"UI_ACTING": "yes"}, "'yes'"),
        ({"UI_ACTING": "secret"}, "UI_SECRET_FILE"),
        ({"UI_ACTING": "secret", "UI_SECRET_FILE": "/nowhere/secret"}, "/nowhere/secret"),
        ({"UI_ACTING": "oidc"}, "UI_ACTORS"),
        ({"UI_ACTING": "oidc", "UI_ACTORS": " , "}, "UI_ACTORS"),
    ],
)
def test_settings_that_make_no_sense_let_nobody_act_and_say_why(
    environment: dict[str, str], named: str
) -> None:
    policy = Policy.load(local=False, environment=environment)

    assert policy.way is Way.OFF
    assert policy.refusal is not None
    assert named in policy.refusal


def test_a_secret_that_others_can_read_is_none(secret_file: Path) -> None:
    secret_file.chmod(0o640)

    policy = Policy.load(local=False, environment=by_secret(secret_file))

    assert policy.way is Way.OFF
    assert "chmod 600" in (policy.refusal or "")


def test_a_short_secret_is_none(secret_file: Path) -> None:
    secret_file.write_text("x" * (permission.MIN_SECRET - 1))

    assert Policy.load(local=False, environment=by_secret(secret_file)).way is Way.OFF


def test_a_secret_is_known_by_its_every_character(secret_file: Path) -> None:
    policy = Policy.load(local=False, environment=by_secret(secret_file))

    assert policy.knows_secret(SECRET)
    assert not policy.knows_secret(SECRET[:-1])
    assert not policy.knows_secret("")
    assert not Policy(Way.OFF).knows_secret("")


@pytest.mark.parametrize(
    ("claims", "who"),
    [
        ({"email": "ANN@example.org", "email_verified": True}, "ann@example.org"),
        ({"email": "bob@example.org"}, "bob@example.org"),
        ({"email": "ann@example.org", "email_verified": False}, None),
        ({"email": "eve@example.org"}, None),
        ({"name": "ann@example.org"}, None),
        ({"email": None}, None),
    ],
)
def test_a_login_acts_if_its_verified_address_is_named(
    claims: dict[str, object], who: str | None
) -> None:
    assert Policy.load(local=False, environment=OIDC).names(claims) == who


def script(local: bool) -> None:
    # Streamlit runs this text, and nothing that stands above it.
    import streamlit as st  # noqa: PLC0415

    from ui.configuration import Configuration  # noqa: PLC0415
    from ui.views import sign_in  # noqa: PLC0415

    endpoint = "https://localhost:4566" if local else None
    configuration = Configuration("https://api/", "key", None, aws_endpoint_url=endpoint)
    sign_in.offer(configuration)
    st.write(f"acts: {sign_in.who(configuration)}")


def drawn(*, local: bool = False) -> AppTest:
    return AppTest.from_function(script, kwargs={"local": local}, default_timeout=20).run()


def told(page: AppTest) -> str:
    return "\n".join(each.value for each in (*page.markdown, *page.caption, *page.error))


def test_a_page_against_aws_says_how_acting_is_switched_on() -> None:
    page = drawn()

    assert permission.OFF_ON_AWS in told(page)
    assert "acts: None" in told(page)


def test_a_page_of_the_local_cloud_asks_nobody_to_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ann")

    page = drawn(local=True)

    assert told(page) == "acts: ann"
    assert not page.button


@pytest.fixture
def page_with_secret(secret_file: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    for name, value in by_secret(secret_file).items():
        monkeypatch.setenv(name, value)
    st.cache_resource.clear()
    return drawn()


def offer_secret(page: AppTest, secret: str) -> str:
    page.text_input[0].set_value(secret)
    page.button[0].click().run()
    return told(page)


def test_who_knows_the_secret_acts(page_with_secret: AppTest) -> None:
    assert "not the secret" in offer_secret(page_with_secret, "wrong")
    assert "acts: None" in told(page_with_secret)

    assert "acts: somebody who knows" in offer_secret(page_with_secret, SECRET)
    assert not page_with_secret.text_input


def test_wrong_secrets_are_tried_a_few_times_a_minute(
    page_with_secret: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr(sign_in, "time", SimpleNamespace(monotonic=lambda: now))
    for _ in range(sign_in.TRIES):
        offer_secret(page_with_secret, "wrong")

    assert "Wait a minute" in offer_secret(page_with_secret, SECRET)

    now += sign_in.TRIES_SECONDS
    assert "acts: somebody who knows" in offer_secret(page_with_secret, SECRET)
