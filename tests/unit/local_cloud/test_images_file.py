"""The images that `make up` registers, beside those of the user."""

import json
from pathlib import Path
from typing import Any

import pytest

from local_cloud.console import CommandError
from local_cloud.layout import ROOT
from local_cloud.up import project_images, register_images

OURS = {"repository": "training", "command": ["new"]}


def test_an_own_image_outlives_make_up_and_the_projects_is_renewed(tmp_path: Path) -> None:
    file = tmp_path / "images.json"
    register_images(file, [OURS])
    mine = {"repository": "mine", "command": ["python", "mine.py"]}
    file.write_text(json.dumps([mine, {"repository": "training", "command": ["old"]}]))

    register_images(file, [OURS])

    assert json.loads(file.read_text()) == [mine, OURS]


@pytest.mark.parametrize("damaged", ["", "{", "[1]", '[{"command": []}]', '{"repository": "x"}'])
def test_a_file_that_is_not_one_is_left_alone_and_named(damaged: str, tmp_path: Path) -> None:
    file = tmp_path / "images.json"
    file.write_text(damaged)

    with pytest.raises(CommandError, match=r"images\.json must be a JSON list"):
        register_images(file, [OURS])

    assert file.read_text() == damaged


def dockerfile(repository: str) -> dict[str, str]:
    """Instruction -> its arguments, joined by blanks, of the image's Dockerfile."""
    (file,) = (
        path
        for path in (ROOT / "training_job").rglob("Dockerfile")
        if f"-t {repository} ." in path.read_text()
    )
    found: dict[str, str] = {}
    for line in file.read_text().replace("\\\n", " ").splitlines():
        instruction, _, arguments = line.partition(" ")
        found[instruction] = f"{found.get(instruction, '')} {arguments}".strip()
    return found


@pytest.mark.parametrize("image", project_images(), ids=lambda image: str(image["repository"]))
def test_an_image_of_the_project_is_what_its_dockerfile_says(image: dict[str, Any]) -> None:
    said = dockerfile(image["repository"])

    copied = {path.rstrip("/") for path in said["COPY"].split()}
    assert {*image["sources"], image["requirements"]} <= copied
    assert copied <= {*image["sources"], image["requirements"], "training_job"}
    assert f"-r {image['requirements']}" in said["RUN"]
    assert json.loads(said["ENTRYPOINT"]) == image["command"]
    variables = dict(pair.split("=") for pair in said["ENV"].split())
    assert image.get("environment", {}).items() <= variables.items()
    assert all((ROOT / source).exists() for source in image["sources"])
