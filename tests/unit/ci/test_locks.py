"""Every lock file pins releases and their bytes, and names no place to get them from."""

import json
import re
from pathlib import Path

import pytest
from ci_tools.locks import (
    ROOT,
    LockError,
    normalised,
    npm_locks,
    npm_packages,
    npm_pins,
    python_locks,
    python_pins,
)

SHA = "0" * 64


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("lock", python_locks(), ids=name)
def test_every_python_package_is_pinned_with_hashes(lock: Path) -> None:
    pins = python_pins(lock.read_text())

    assert pins
    assert [pin.name for pin in pins if not pin.hashed] == []


@pytest.mark.parametrize("lock", npm_locks(), ids=name)
def test_every_npm_package_is_pinned_with_its_integrity(lock: Path) -> None:
    pins = npm_pins(lock.read_text())

    assert pins
    assert [pin.name for pin in pins if not pin.hashed] == []


@pytest.mark.parametrize("lock", python_locks(), ids=name)
def test_a_requirements_file_names_no_index(lock: Path) -> None:
    assert "://" not in lock.read_text()


@pytest.mark.parametrize("lock", npm_locks(), ids=name)
def test_an_npm_lock_names_no_registry(lock: Path) -> None:
    packages = npm_packages(lock.read_text())

    assert [place for place, package in packages.items() if "resolved" in package] == []


@pytest.mark.parametrize("lock", python_locks(), ids=name)
def test_what_is_asked_for_is_what_is_locked(lock: Path) -> None:
    asked = re.findall(
        r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;#]+)",
        lock.with_suffix(".in").read_text(),
        re.MULTILINE,
    )
    locked = {(pin.name, pin.version) for pin in python_pins(lock.read_text())}

    assert {(normalised(package), version) for package, version in asked} <= locked


def test_the_makefile_installs_nothing_without_hashes() -> None:
    installing = [
        line
        for line in (ROOT / "Makefile").read_text().splitlines()
        if re.search(r"\bpip (install|sync)\b", line)
    ]

    assert installing
    assert [line for line in installing if "--require-hashes" not in line] == []
    assert "npm install" not in (ROOT / "Makefile").read_text()


def test_lock_files_are_found_by_their_name_or_the_file_they_come_from(tmp_path: Path) -> None:
    for file in (
        "requirements.txt",
        "part/pip.in",
        "part/pip.txt",
        "part/notes.txt",
        ".ci/requirements-audit.txt",
        ".venvs/app/requirements.txt",
        "node_modules/x/package-lock.json",
        "web/package-lock.json",
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()

    found = [path.relative_to(tmp_path).as_posix() for path in python_locks(tmp_path)]

    assert found == ["requirements.txt", ".ci/requirements-audit.txt", "part/pip.txt"]
    assert npm_locks(tmp_path) == [tmp_path / "web" / "package-lock.json"]


def test_a_pin_may_have_markers_extras_of_none_and_many_hashes() -> None:
    text = (
        "# a comment\n"
        f"Foo_Bar==1.0 ; platform_machine == 'x86-64' \\\n    --hash=sha256:{SHA} \\\n"
        f"    --hash=sha256:{SHA}\n    # via something\n"
        "bare==2.0\n"
    )

    pins = python_pins(text)

    assert [(pin.name, pin.version, pin.hashed) for pin in pins] == [
        ("foo-bar", "1.0", True),
        ("bare", "2.0", False),
    ]


@pytest.mark.parametrize(
    "entry",
    [
        "foo>=1.0",
        "foo",
        "-r other.txt",
        "-i https://index.example",
        "foo @ https://index.example/foo.whl",
        "-e .",
        "foo==1.0 --hash=sha256:short",
    ],
)
def test_what_pins_nothing_is_refused(entry: str) -> None:
    with pytest.raises(LockError, match="make lock"):
        python_pins(f"bar==1.0 --hash=sha256:{SHA}\n{entry}\n")


def test_an_npm_package_without_integrity_is_seen() -> None:
    lock = {"packages": {"": {}, "node_modules/a/node_modules/@b/c": {"version": "1.0.0"}}}

    (pin,) = npm_pins(json.dumps(lock))

    assert (pin.name, pin.version, pin.hashed) == ("@b/c", "1.0.0", False)
