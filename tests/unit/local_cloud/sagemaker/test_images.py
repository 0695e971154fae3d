"""Which image a TrainingImage names, and what of its sources a job gets."""

from pathlib import Path

import pytest

from local_cloud.sagemaker.containers.images import Image, repository_of

HOST = "000000000000.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("uri", "repository"),
    [
        (f"{HOST}/trainer:latest", "trainer"),
        (f"{HOST}/team/trainer:1.0", "team/trainer"),
        (f"{HOST}/trainer@sha256:0123", "trainer"),
        (f"{HOST}/trainer:1@sha256:0123", "trainer"),
        ("localhost:5000/trainer", "trainer"),
        ("team/trainer", "team/trainer"),
        ("trainer:latest", "trainer"),
    ],
)
def test_the_repository_is_what_is_between_the_host_and_the_tag(uri: str, repository: str) -> None:
    assert repository_of(uri) == repository


def test_a_job_gets_copies_of_the_sources_and_nothing_else(tmp_path: Path) -> None:
    context = tmp_path / "context"
    for name in ("package/module.py", "package/__pycache__/module.pyc", "deep/script.py", "secret"):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text(name)
    image = Image("r", context, ("package", "deep/script.py"), context / "r.txt", ("python",), {})

    image.copy_sources(tmp_path / "code")

    copied = (path for path in (tmp_path / "code").rglob("*") if path.is_file())
    assert {path.relative_to(tmp_path / "code").as_posix() for path in copied} == {
        "package/module.py",
        "deep/script.py",
    }
    (tmp_path / "code" / "package" / "module.py").write_text("changed by the job")
    assert (context / "package" / "module.py").read_text() == "package/module.py"
