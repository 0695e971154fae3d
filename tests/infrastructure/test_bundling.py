"""Bundles are built once per content, whole or not at all; a stand-in plays uv."""

import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from infra_cdk import bundling
from infra_cdk.bundling import BundlingError, CachingBundler
from infra_cdk.targets import TARGETS, Target

FAKE_UV = """#!/bin/sh
# Writes each call into a log; installs a package with the usual noise; `offline` may fail.
echo "$@" >> "$UV_LOG"
case "$*" in *--offline*) [ -n "$UV_CACHE_IS_COLD" ] && exit 1;; esac
[ -n "$UV_HAS_NO_NETWORK" ] && { echo "no route to registry" >&2; exit 1; }
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/pkg/tests" "$2/pkg/__pycache__" "$2/pkg-1.dist-info/licenses" "$2/bin"
echo "answer = 42" > "$2/pkg/__init__.py"
echo "x" > "$2/pkg/tests/test_pkg.py"
echo "x" > "$2/pkg/__pycache__/a.pyc"
echo "Name: pkg" > "$2/pkg-1.dist-info/METADATA"
echo "MIT" > "$2/pkg-1.dist-info/licenses/LICENSE"
echo "x" > "$2/pkg-1.dist-info/RECORD"
echo "x" > "$2/bin/pkg"
"""
MakeBundler = Callable[[Target], CachingBundler]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    for name, text in {
        "areyouacat/__init__.py": "",
        "areyouacat/core.py": "core = 1\n",
        "lambdas/__init__.py": "",
        "lambdas/shared/__init__.py": "",
        "lambdas/one/handler.py": "handler = 1\n",
        "lambdas/one/requirements.in": "pkg==1\n",
        "lambdas/one/requirements.txt": "pkg==1 --hash=sha256:00\n",
        "lambdas/two/handler.py": "handler = 2\n",
        "lambdas/two/requirements.txt": "pkg==1 --hash=sha256:00\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def uv_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "uv"
    program.write_text(FAKE_UV)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    log = tmp_path / "uv.log"
    log.touch()
    monkeypatch.setenv("UV", str(program))
    monkeypatch.setenv("UV_LOG", str(log))
    return log


@pytest.fixture
def bundler(root: Path, tmp_path: Path, uv_log: Path) -> MakeBundler:
    return lambda target: CachingBundler(target, tmp_path / "cache", root)


def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as zip_file:
        assert zip_file.testzip() is None
        return zip_file.namelist()


def test_a_bundle_holds_its_dependencies_and_its_own_sources(bundler: MakeBundler) -> None:
    assert set(names(bundler(Target.LOCAL).build("one"))) == {
        "pkg/__init__.py",
        "pkg-1.dist-info/METADATA",
        "pkg-1.dist-info/licenses/LICENSE",
        "areyouacat/__init__.py",
        "areyouacat/core.py",
        "lambdas/__init__.py",
        "lambdas/shared/__init__.py",
        "lambdas/one/handler.py",
    }


def test_a_second_build_of_the_same_content_installs_nothing(
    bundler: MakeBundler, uv_log: Path
) -> None:
    first = bundler(Target.LOCAL).build("one")
    uv_log.write_text("")

    second = bundler(Target.LOCAL).build("one")

    assert second == first
    assert uv_log.read_text() == ""


def test_changed_sources_make_a_new_bundle_of_the_same_dependencies(
    bundler: MakeBundler, root: Path, uv_log: Path
) -> None:
    first = bundler(Target.LOCAL).build("one")
    uv_log.write_text("")
    (root / "areyouacat" / "core.py").write_text("core = 2\n")

    second = bundler(Target.LOCAL).build("one")

    assert second != first
    assert uv_log.read_text() == ""
    with zipfile.ZipFile(second) as zip_file:
        assert zip_file.read("areyouacat/core.py") == b"core = 2\n"


def test_changed_requirements_are_installed(bundler: MakeBundler, root: Path, uv_log: Path) -> None:
    first = bundler(Target.LOCAL).build("one")
    uv_log.write_text("")
    (root / "lambdas/one/requirements.txt").write_text("pkg==1 --hash=sha256:01\n")

    assert bundler(Target.LOCAL).build("one") != first
    assert "install" in uv_log.read_text()


def test_bundles_with_equal_requirements_share_their_dependencies(
    bundler: MakeBundler, uv_log: Path
) -> None:
    bundler(Target.LOCAL).build("one")
    bundler(Target.LOCAL).build("two")

    assert uv_log.read_text().count("install") == 1


def test_the_same_content_gives_the_same_bytes(
    bundler: MakeBundler, root: Path, tmp_path: Path
) -> None:
    first = bundler(Target.LOCAL).build("one").read_bytes()
    for path in root.rglob("*"):
        os.utime(path, (1, 1))

    elsewhere = CachingBundler(Target.LOCAL, tmp_path / "another cache", root).build("one")

    assert elsewhere.read_bytes() == first


def test_aws_gets_wheels_for_arm_and_local_for_this_interpreter(
    bundler: MakeBundler, uv_log: Path
) -> None:
    aws = bundler(Target.AWS).build("one")
    asked = uv_log.read_text()
    local = bundler(Target.LOCAL).build("one")

    assert aws != local
    python = TARGETS[Target.AWS].runtime.name.removeprefix("python")
    assert f"--python-platform aarch64-manylinux_2_34 --python-version {python}" in asked
    assert "--require-hashes" in asked
    assert "--only-binary :all:" in asked


def test_a_warm_cache_needs_no_network(bundler: MakeBundler, uv_log: Path) -> None:
    bundler(Target.LOCAL).build("one")

    assert [call.endswith("--offline") for call in uv_log.read_text().splitlines()] == [True]


def test_a_cold_cache_asks_the_registry(
    bundler: MakeBundler, uv_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_IS_COLD", "1")

    bundler(Target.LOCAL).build("one")

    calls = uv_log.read_text().splitlines()
    assert [call.endswith("--offline") for call in calls] == [True, False]


def test_without_cache_and_network_the_reason_is_told_and_nothing_is_left(
    bundler: MakeBundler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_HAS_NO_NETWORK", "1")

    with pytest.raises(BundlingError, match=r"a first build needs the package registry(.|\n)*no r"):
        bundler(Target.LOCAL).build("one")

    assert list((tmp_path / "cache").iterdir()) == []


def test_a_bundle_that_lambda_would_refuse_is_refused_and_not_kept(
    bundler: MakeBundler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundling, "LAMBDA_UNZIPPED_LIMIT_MB", 0)

    with pytest.raises(BundlingError, match=r"Lambda takes 0 MB: remove a dependency"):
        bundler(Target.LOCAL).build("one")

    assert not list((tmp_path / "cache").glob("one-*"))


def test_missing_requirements_are_named(bundler: MakeBundler, root: Path) -> None:
    (root / "lambdas/one/requirements.txt").unlink()

    with pytest.raises(BundlingError, match=r"requirements\.txt does not exist: .*make lock"):
        bundler(Target.LOCAL).build("one")


def test_a_missing_uv_is_named(
    bundler: MakeBundler, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("UV")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing here"))

    with pytest.raises(BundlingError, match="uv is missing: install it"):
        bundler(Target.LOCAL).build("one")


def test_old_bundles_do_not_pile_up(bundler: MakeBundler, root: Path, tmp_path: Path) -> None:
    for number in range(12):
        (root / "areyouacat" / "core.py").write_text(f"core = {number}\n")
        newest = bundler(Target.LOCAL).build("one")

    left = list((tmp_path / "cache").glob("one-*.zip"))
    assert newest in left
    assert len(left) == 6
