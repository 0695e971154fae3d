"""docs/api.md: what it shows works, and what there is it names."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from areyouacat.errors import RequestError
from areyouacat.settings import FEEDBACK, IMAGES, SERVING
from tests.ui.fake_api import API_KEY, FakeApi
from ui.client import DEADLINE_SECONDS, STATUS_DEADLINE_SECONDS
from ui.retries import RETRY_RULES

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "api.md").read_text()
OPENAPI = json.loads((ROOT / "lambdas" / "api" / "openapi.json").read_text())


def examples(language: str) -> str:
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL))


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path, api: FakeApi, photo: bytes) -> Path:
    """Where the reader of the documentation is: beside two photos, after `make up`."""
    (tmp_path / "photo.jpg").write_bytes(photo)
    (tmp_path / "large.jpg").write_bytes(photo + bytes(SERVING.max_body_bytes))
    (tmp_path / ".local").mkdir()
    known = {"API_URL": api.url, "API_KEY": API_KEY, "AWS_CA_BUNDLE": "ca.pem"}
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in known.items()]
    (tmp_path / ".local" / "env").write_text("".join(lines))
    return tmp_path


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are of curl")
def test_every_curl_example_works_and_together_they_show_every_route(
    api: FakeApi, folder: Path
) -> None:
    run(folder, "bash", "-euo", "pipefail", "-c", examples("sh"))

    assert {reply.status for reply in api.replies} <= {200, 204}
    asked = {(call.method, call.path.replace("/p-1", "/{prediction_id}")) for call in api.calls}
    routes = {(method.upper(), path) for path, item in OPENAPI["paths"].items() for method in item}
    assert asked == routes | {("GET", "/openapi.json"), ("GET", "/docs"), ("POST", "/bucket")}


def test_the_python_example_works(api: FakeApi, folder: Path) -> None:
    assert "probability=0.97" in run(folder, sys.executable, "-c", examples("python"))


def test_every_error_code_is_in_the_table() -> None:
    named = set(re.findall(r"^\| \d{3}.*?\| `(\w+)` \|", DOCS, re.MULTILINE))
    answered = {
        code
        for item in OPENAPI["paths"].values()
        for method in item.values()
        for response in method["responses"].values()
        for code in re.findall(r"- `(\w+)`", response["description"])
    }

    assert named == answered | {each.code for each in RequestError.__subclasses__()} | {
        RequestError.code  # of API Gateway, for whatever has no code of its own
    }


@pytest.mark.parametrize(
    "limit",
    [
        f"{SERVING.max_body_bytes:,}",
        f"{IMAGES.max_bytes:,}",
        f"{IMAGES.max_pixels:,}",
        f"{IMAGES.max_decode_seconds:.0f} seconds of one core",
        f"within {SERVING.upload_url_seconds // 60} minutes",
        f"{FEEDBACK.per_api_key_and_hour} labels an hour, one address "
        f"{FEEDBACK.per_address_and_hour}",
        f"a prediction without feedback | {SERVING.prediction_ttl_days} days",
        f"a photo without feedback | {SERVING.photo_ttl_days} days",
        f"if that is within {RETRY_RULES.longest_retry_after:.0f} seconds",
        f"within {DEADLINE_SECONDS:.0f} seconds in all ({STATUS_DEADLINE_SECONDS:.0f} for",
    ],
)
def test_the_limits_are_those_of_the_settings(limit: str) -> None:
    assert limit in DOCS
