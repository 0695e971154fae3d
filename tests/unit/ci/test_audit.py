"""`make audit` against services of the test's own: what it says, and how it ends."""

import gzip
import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ci_tools.audit import CLEAN, NOT_AUDITED, TO_ANSWER, audit
from ci_tools.findings import Finding
from ci_tools.locks import ROOT
from ci_tools.services import SilentServiceError

AUDIT_PYTHON = os.environ.get("AUDIT_PYTHON") or str(ROOT / ".venvs" / "audit" / "bin" / "python")
SHA = "0" * 64
HOLED = {"urllib3": "PYSEC-2019-133", "lodash": "GHSA-jf85-cpcp-j695", "holey": "PYSEC-2026-1"}


class Services(ThreadingHTTPServer):
    """An OSV service and npm's advisories in one. `known`: the packages whose holes they know."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.known = set(HOLED)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def hole(self, package: str) -> dict[str, Any] | None:
        if package not in self.known:
            return None
        return {
            "id": HOLED[package],
            "modified": "2026-01-01T00:00:00Z",
            "published": "2026-01-01T00:00:00Z",
            "affected": [{
                "package": {"name": package, "ecosystem": "PyPI"},
                "ranges": [
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.0"}]}
                ],
            }],
        }  # fmt: skip


class Answering(BaseHTTPRequestHandler):
    """One request."""

    server: Services

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        asked = json.loads(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body)
        if self.path.startswith("/v1/query"):
            hole = self.server.hole(asked["package"]["name"])
            self.answer({"vulns": [hole]} if hole else {})
        else:
            self.answer({
                name: [{
                    "id": 1, "url": f"https://advisories.example/{HOLED[name]}", "title": "A hole",
                    "severity": "high", "vulnerable_versions": "<9.0.0",
                }]
                for name in asked if name in self.server.known
            })  # fmt: skip

    def answer(self, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def services() -> Iterator[Services]:
    with Services() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two lock files: one package each."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "audit-answers.toml").touch()
    (tmp_path / "requirements.txt").write_text(f"holey==1.0 --hash=sha256:{SHA}\n")
    lock: dict[str, Any] = {"name": "web", "version": "1.0.0", "lockfileVersion": 3}
    lock["packages"] = {
        "": {"name": "web", "version": "1.0.0", "dependencies": {"lodash": "4.17.11"}},
        "node_modules/lodash": {"version": "4.17.11"},
    }
    (tmp_path / "package-lock.json").write_text(json.dumps(lock))
    (tmp_path / "package.json").write_text(json.dumps(lock["packages"][""]))
    return tmp_path


def make_audit(tree: Path, services: Services) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [AUDIT_PYTHON, "-m", "ci_tools.audit", "--root", str(tree),
         "--osv-url", f"{services.address}v1/query"],
        env={**os.environ, "PYTHONPATH": str(ROOT / ".ci"), "npm_config_registry": services.address,
             "npm_config_cache": str(tree / ".npm"), "npm_config_fetch_retries": "0"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip


def test_findings_of_both_kinds_are_told_and_fail_until_each_is_answered(
    tree: Path, services: Services
) -> None:
    found = make_audit(tree, services)

    assert found.returncode == TO_ANSWER, found.stderr
    assert "not answered: holey 1.0: PYSEC-2026-1; fixed in 9.0; pinned in requirements.txt" in (
        found.stderr
    )
    assert "not answered: lodash 4.17.11: GHSA-jf85-cpcp-j695" in found.stderr


def test_services_that_know_no_hole_at_all_are_not_believed(tree: Path, services: Services) -> None:
    services.known = set()

    unheard = make_audit(tree, services)

    assert unheard.returncode == NOT_AUDITED
    assert "osv knows of no hole in urllib3==1.24.1" in unheard.stderr
    assert "npm knows of no hole in lodash 4.17.11" in unheard.stderr
    assert "No verdict" in unheard.stderr


class Fake:
    """A service in the test's own process."""

    name = "fake"

    def __init__(self, *findings: Finding, silent: bool = False) -> None:
        self._findings = list(findings)
        self._silent = silent

    def check(self) -> None:
        if self._silent:
            raise SilentServiceError("fake is away")

    def audit(self, locks: Mapping[str, Path]) -> list[Finding]:
        return self._findings if locks else []


HOLEY = Finding("holey", "1.0", ("PYSEC-2026-1",), "not fixed yet", ("requirements.txt",))


def test_nothing_known_is_clean(tree: Path) -> None:
    assert audit(tree, [Fake()], [Fake()]) == CLEAN


def test_the_next_service_is_asked_where_one_is_silent(tree: Path) -> None:
    assert audit(tree, [Fake(silent=True), Fake(HOLEY)], [Fake()]) == TO_ANSWER


def test_one_silent_kind_is_no_verdict(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(tree, [Fake()], [Fake(silent=True)]) == NOT_AUDITED
    assert "Not audited, 1 lock files: fake is away" in capsys.readouterr().err


def test_what_was_found_counts_though_another_service_is_silent(tree: Path) -> None:
    assert audit(tree, [Fake(HOLEY)], [Fake(silent=True)]) == TO_ANSWER


def test_a_list_of_answers_that_cannot_be_read_is_no_success(tree: Path) -> None:
    (tree / ".ci" / "audit-answers.toml").write_text("[[answer]]\nid = 'CVE-1'\n")

    assert audit(tree, [Fake()], [Fake()]) == TO_ANSWER
