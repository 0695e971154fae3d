"""`make sbom`: a CycloneDX bill of materials for each lock file, held against CycloneDX's schema.

One bill for each environment, since one lock file is what one thing is made of: a bundle of
functions, an image, the command line.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, Final

import cyclonedx.schema
import jsonschema_rs

from ci_tools.locks import ROOT, npm_locks, python_locks

_SCHEMAS: Final = Path(cyclonedx.schema.__file__).parent / "_res"
_BASE: Final = "http://cyclonedx.org/schema/"
_REFERRED: Final = ("spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json")


class BillError(Exception):
    """A bill cannot be made or is not valid; the message says which and why."""


def bill_of(lock: Path, root: Path) -> dict[str, Any]:
    """A lock file's bill, valid CycloneDX.

    Raises:
        BillError: the tool that makes it fails, or CycloneDX's schema does not take it.
    """
    bill = _of_npm(lock) if lock.suffix == ".json" else _of_python(lock)
    name = lock.relative_to(root).as_posix()
    component = bill.setdefault("metadata", {}).setdefault("component", {})
    component |= {"type": "application", "name": f"are-you-a-cat: {name}"}
    component.setdefault("bom-ref", name)
    for error in _validator(bill["specVersion"]).iter_errors(bill):
        raise BillError(f"the bill of {name} is not valid: {error.message[:300]}")
    return bill


def _of_python(lock: Path) -> dict[str, Any]:
    # Its own validation takes a minute for the longest file.
    return _made_by(
        [sys.executable, "-m", "cyclonedx_py", "requirements", "--no-validate",
         "--output-reproducible", "--output-format", "JSON", str(lock)],
        lock.parent,
    )  # fmt: skip


def _of_npm(lock: Path) -> dict[str, Any]:
    """npm asks for the project's version; ours are never published and have none."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(lock, folder)
        project = json.loads(lock.with_name("package.json").read_text())
        (Path(folder) / "package.json").write_text(json.dumps({"version": "0.0.0", **project}))
        return _made_by(
            ["npm", "sbom", "--package-lock-only", "--sbom-format", "cyclonedx"], Path(folder)
        )


def _made_by(command: Sequence[str], folder: Path) -> dict[str, Any]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BillError(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")
    bill: dict[str, Any] = json.loads(done.stdout)
    return bill


@cache
def _validator(version: str) -> jsonschema_rs.Validator:
    def schema(name: str) -> dict[str, Any]:
        read: dict[str, Any] = json.loads((_SCHEMAS / name).read_text())
        return read

    # The files refer to each other by names that their own ids do not have.
    registry = jsonschema_rs.Registry(
        [(_BASE + name, schema(name) | {"$id": _BASE + name}) for name in _REFERRED]
    )
    return jsonschema_rs.validator_for(
        schema(f"bom-{version}.SNAPSHOT.schema.json"), registry=registry
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the bills; 0 if each is valid."""
    parser = argparse.ArgumentParser(description="CycloneDX bills of materials")
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    root: Path = chosen.root
    out: Path = chosen.out
    locks = [*python_locks(root), *npm_locks(root)]
    out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            bills = list(pool.map(lambda lock: bill_of(lock, root), locks))
        except BillError as error:
            print(error, file=sys.stderr)
            return 1
    for lock, bill in zip(locks, bills, strict=True):
        name = lock.relative_to(root).with_suffix("").as_posix().replace("/", "-").lstrip(".")
        file = out / f"{name}.cdx.json"
        file.write_text(json.dumps(bill, indent=1) + "\n")
        print(f"{file}: {len(bill['components'])} components, CycloneDX {bill['specVersion']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
