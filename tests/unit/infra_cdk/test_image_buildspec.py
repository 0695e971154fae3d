"""The build's own commands, run by a shell with `aws` and `docker` that only write down."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

BUILDSPEC = Path(__file__).parents[3] / "infra_cdk" / "image_buildspec.yml"
IMAGE = "1.dkr.ecr.eu-west-1.amazonaws.com/images:abc"

AWS = """\
echo "aws $*" >> "$WRITTEN"
case "$*" in
  *describe-images*) test -e "$REGISTRY_HAS/abc" ;;
  *get-login-password*) echo secret ;;
esac
"""
DOCKER = """\
echo "docker $*" >> "$WRITTEN"
case "$*" in
  login*) test "$(cat)" = secret ;;
  buildx*) touch "$REGISTRY_HAS/$PUSHED" && exit "$BUILD_ENDS" ;;
esac
"""


@dataclass(frozen=True)
class Shell:
    """Runs the commands in a folder of its own."""

    folder: Path

    def build(self, *, present: bool = False, pushed: str = "abc", ends: int = 0) -> int:
        """The commands' exit code; `pushed`: the tag that the registry has afterwards."""
        for name, text in {"aws": AWS, "docker": DOCKER}.items():
            program = self.folder / name
            program.write_text(f"#!/bin/sh\n{text}")
            program.chmod(0o755)
        registry = self.folder / "registry"
        registry.mkdir()
        if present:
            (registry / "abc").touch()
        (command,) = yaml.safe_load(BUILDSPEC.read_text())["phases"]["build"]["commands"]
        done = subprocess.run(
            ["sh", "-c", command],
            env={
                "PATH": f"{self.folder}:{os.environ['PATH']}",
                "WRITTEN": str(self.folder / "written"),
                "REGISTRY_HAS": str(registry),
                "PUSHED": pushed,
                "BUILD_ENDS": str(ends),
                "REPOSITORY_NAME": "images",
                "REPOSITORY_URI": IMAGE.partition(":")[0],
                "IMAGE_TAG": "abc",
                "DOCKERFILE": "job/Dockerfile",
            },
            capture_output=True,
            check=False,
        )
        return done.returncode

    @property
    def written(self) -> list[str]:
        """The calls of both programs, in order but for the two sides of a pipe."""
        return (self.folder / "written").read_text().splitlines()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_an_image_that_is_there_is_not_built_again(shell: Shell) -> None:
    assert shell.build(present=True) == 0

    assert shell.written == [
        "aws ecr describe-images --repository-name images --image-ids imageTag=abc"
    ]


def test_an_image_that_is_not_there_is_built_and_pushed(shell: Shell) -> None:
    assert shell.build() == 0

    assert sorted(shell.written[1:3]) == [
        "aws ecr get-login-password",
        "docker login --username AWS --password-stdin 1.dkr.ecr.eu-west-1.amazonaws.com",
    ]
    assert shell.written[3:] == [
        "docker buildx build --platform linux/amd64 --provenance=false --file job/Dockerfile "
        f"--output type=image,name={IMAGE},push=true,oci-mediatypes=false ."
    ]


def test_a_build_that_fails_fails(shell: Shell) -> None:
    assert shell.build(pushed="nothing", ends=1) != 0


def test_a_tag_that_another_build_has_written_meanwhile_is_as_good(shell: Shell) -> None:
    assert shell.build(pushed="abc", ends=1) == 0


def test_the_buildspec_is_of_the_version_that_keeps_one_shell() -> None:
    assert yaml.safe_load(BUILDSPEC.read_text())["version"] == 0.2
