"""`make sbom`: a valid bill for each lock file."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from ci_tools.locks import ROOT

AUDIT_PYTHON = os.environ.get("AUDIT_PYTHON") or str(ROOT / ".venvs" / "audit" / "bin" / "python")


def sbom(root: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [AUDIT_PYTHON, "-m", "ci_tools.sbom", "--root", str(root), "--out", str(out)],
        env={**os.environ, "PYTHONPATH": str(ROOT / ".ci")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_bill_lists_what_its_lock_file_pins(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    shutil.copy(ROOT / "lambdas" / "api" / "requirements.txt", tmp_path / "part")
    for file in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "infra_cdk" / "cli" / file, tmp_path)

    made = sbom(tmp_path, tmp_path / "bills")

    assert made.returncode == 0, made.stderr
    python = json.loads((tmp_path / "bills" / "part-requirements.cdx.json").read_text())
    npm = json.loads((tmp_path / "bills" / "package-lock.cdx.json").read_text())
    assert "pkg:pypi/aws-lambda-powertools@3.37.0" in {c["purl"] for c in python["components"]}
    assert [c["purl"] for c in npm["components"]] == ["pkg:npm/aws-cdk@2.1148.1"]
    assert python["metadata"]["component"]["name"] == "are-you-a-cat: part/requirements.txt"
    assert {python["bomFormat"], npm["bomFormat"]} == {"CycloneDX"}


def test_a_bill_that_cyclonedx_does_not_take_is_not_written(tmp_path: Path) -> None:
    lock = {"name": "web", "lockfileVersion": 3, "packages": {
        "": {"name": "web", "version": "1.0.0", "dependencies": {"a": "1.0.0"}},
        "node_modules/a": {"version": "1.0.0", "integrity": "sha512-!"},
    }}  # fmt: skip
    (tmp_path / "package-lock.json").write_text(json.dumps(lock))
    (tmp_path / "package.json").write_text(json.dumps(lock["packages"][""]))  # type: ignore[index]

    refused = sbom(tmp_path, tmp_path / "bills")

    assert refused.returncode == 1
    assert not list((tmp_path / "bills").glob("*"))
