"""The images that `make up` registers, beside those of the user."""

import json
from pathlib import Path

import pytest

from local_cloud.console import CommandError
from local_cloud.up import register_images

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
