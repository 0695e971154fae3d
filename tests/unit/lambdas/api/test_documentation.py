from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from lambdas.api.handlers.documentation import OPENAPI_FILE


class Page(HTMLParser):
    """The elements of a page and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_script = tag == "script"
        if self._in_script:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data


@pytest.fixture
def docs(request_: Callable[..., Any]) -> Any:
    """The answer of `GET /docs`."""
    return request_("GET", "/docs")


def policy_of(docs: Any) -> dict[str, list[str]]:
    directives = docs.headers["content-security-policy"].split("; ")
    return {name: sources for name, *sources in map(str.split, directives)}


def test_the_committed_document_is_served(request_: Callable[..., Any]) -> None:
    answer = request_("GET", "/openapi.json")

    assert answer.status == 200
    assert answer.body == json.loads(OPENAPI_FILE.read_text())


def test_the_page_is_html(docs: Any) -> None:
    assert docs.status == 200
    assert docs.headers["content-type"] == "text/html; charset=utf-8"
    assert docs.body.startswith("<!doctype html>")


def test_the_page_loads_nothing_by_address(docs: Any) -> None:
    page = Page(docs.body)

    assert {name for name, _ in page.tags} <= {
        *("html", "head", "meta", "title", "style", "body", "div", "script")
    }
    assert not [tag for tag in page.tags if {"src", "href", "srcset", "action"} & tag[1].keys()]
    assert "@import" not in docs.body


def test_the_page_reads_the_document_beside_it_and_asks_no_validator(docs: Any) -> None:
    start = Page(docs.body).scripts[-1]

    assert re.search(r'\burl: "openapi\.json"', start)
    assert "validatorUrl: null" in start
    assert "http" not in start


def test_the_policy_lets_only_the_pages_own_scripts_run(docs: Any) -> None:
    digests = [
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in Page(docs.body).scripts
    ]

    assert len(digests) == 2
    assert policy_of(docs)["script-src"] == digests


def test_the_policy_forbids_every_other_place(docs: Any) -> None:
    policy = policy_of(docs)

    assert policy["default-src"] == ["'none'"]
    assert policy["connect-src"] == ["'self'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert not any("http" in source or "*" in source for s in policy.values() for source in s)


def test_the_page_fits_into_a_lambdas_answer(docs: Any) -> None:
    assert len(json.dumps(docs.body)) < 6_000_000
