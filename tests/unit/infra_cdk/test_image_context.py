"""What a job's image is built from, and that its tag says so."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from infra_cdk.image_context import ImageContext, ImageContextError

DOCKERFILE = """\
FROM python
# COPY nothing.py here/
COPY job/requirements.txt job/requirements.txt
RUN pip install -r job/requirements.txt
COPY core/ core/
COPY job/__init__.py \\
     job/train.py job/
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {
        "job/Dockerfile": DOCKERFILE,
        "job/requirements.txt": "numpy",
        "job/__init__.py": "",
        "job/train.py": "1",
        "job/seed.py": "not copied",
        "core/a.py": "2",
        "core/deep/b.py": "3",
        "core/__pycache__/a.pyc": "noise",
        "core/.DS_Store": "noise",
        "README.md": "not copied",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def context(root: Path, edition: int = 1) -> ImageContext:
    return ImageContext.of(root, "job/Dockerfile", edition=edition)


def test_the_context_is_the_dockerfile_and_what_it_copies(root: Path, tmp_path: Path) -> None:
    archive = tmp_path / "context.zip"

    context(root).write(archive)

    with zipfile.ZipFile(archive) as found:
        assert found.namelist() == [
            "core/a.py",
            "core/deep/b.py",
            "job/Dockerfile",
            "job/__init__.py",
            "job/requirements.txt",
            "job/train.py",
        ]
        assert found.read("core/deep/b.py") == b"3"


@pytest.mark.parametrize(
    "name", ["job/Dockerfile", "job/requirements.txt", "job/train.py", "core/deep/b.py"]
)
def test_a_change_of_what_is_copied_is_another_image(root: Path, name: str) -> None:
    before = context(root).tag

    with (root / name).open("a") as file:
        file.write("\n# changed")

    assert context(root).tag != before


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "core/new.py").touch(),
        lambda root: (root / "core/a.py").unlink(),
        lambda root: (root / "core/a.py").rename(root / "core/c.py"),
    ],
)
def test_a_file_that_comes_goes_or_moves_is_another_image(
    root: Path, change: Callable[[Path], object]
) -> None:
    before = context(root).tag

    change(root)

    assert context(root).tag != before


@pytest.mark.parametrize("name", ["README.md", "job/seed.py", "core/__pycache__/a.pyc"])
def test_what_is_not_copied_changes_nothing(root: Path, name: str) -> None:
    before = context(root).tag

    (root / name).write_text("changed")

    assert context(root).tag == before


def test_a_new_edition_of_the_same_files_is_another_image(root: Path) -> None:
    assert context(root, edition=2).tag != context(root).tag


def test_the_tag_is_one_that_a_registry_takes(root: Path) -> None:
    tag = context(root).tag

    assert len(tag) == 32
    assert set(tag) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("COPY gone.py .", "gone.py, which is not in"),
        ("COPY core/*.py core/", "plain paths"),
        ('COPY ["core/a.py", "core/"]', "plain paths"),
        ("ADD core/a.py core/", "plain paths"),
        ("COPY --from=other core/a.py core/", "option"),
    ],
)
def test_what_is_not_understood_is_refused_rather_than_left_out(
    root: Path, line: str, message: str
) -> None:
    (root / "job/Dockerfile").write_text(f"FROM python\n{line}\n")

    with pytest.raises(ImageContextError, match=message):
        context(root)
