"""One local cloud for all tests of this folder that only use it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.instance import Instance


@pytest.fixture(scope="session")
def empty_instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Deployed and running, with an empty lake and no model."""
    instance = Instance(tmp_path_factory.mktemp("cloud"))
    try:
        instance.up("--no-starter")
        yield instance
    finally:
        instance.close()


@pytest.fixture(scope="session")
def starter(empty_instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter photos, one folder per label."""
    folder = tmp_path_factory.mktemp("starter")
    done = empty_instance.run("local_cloud.starter", str(folder))
    assert done.returncode == 0, done.stdout
    return folder


@pytest.fixture(scope="session")
def trained(empty_instance: Instance, starter: Path) -> Instance:
    """Seeded with the starter photos, trained once, served."""
    cloud = empty_instance
    seeded = cloud.run("local_cloud.cli", "run", "--", "python", "-m", "training_job.seed",
                       str(starter), "--source=starter")  # fmt: skip
    assert seeded.returncode == 0, seeded.stdout
    followed = cloud.run("local_cloud.cli", "run", "--", "python", "-m", "training_job.follow",
                         "--machine=train", "--reason=test")  # fmt: skip
    assert followed.returncode == 0, followed.stdout
    return cloud
