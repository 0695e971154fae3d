"""An image's Python environment is what its requirements file says, built once."""

import hashlib
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local_cloud.sagemaker.containers.environments import environment_for
from local_cloud.sagemaker.containers.job_python import layered
from local_cloud.sagemaker.control import JobControl
from local_cloud.sagemaker.errors import DataOrImageError
from tests.unit.local_cloud.sagemaker.conftest import uv

RECORD = "tiny.py,,\ntiny-1.0.dist-info/METADATA,,\ntiny-1.0.dist-info/WHEEL,,\n"
CONTENT = {
    "tiny.py": "def main():\n    print('tiny runs')\n",
    "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
    "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "tiny-1.0.dist-info/entry_points.txt": "[console_scripts]\ntiny = tiny:main\n",
    "tiny-1.0.dist-info/RECORD": RECORD,
}


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in CONTENT.items():
            archive.writestr(name, content)
    return path


def requirements(tmp_path: Path, wheel: Path, sha256: str) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text(f"tiny @ {wheel.as_uri()} --hash=sha256:{sha256}\n")
    return path


def build(path: Path, environments: Path) -> tuple[Path, list[str]]:
    reported: list[str] = []
    return environment_for(path, environments, uv(), JobControl(), reported.append), reported


def test_pinned_requirements_are_installed_and_their_programs_run(
    tmp_path: Path, wheel: Path
) -> None:
    pinned = requirements(tmp_path, wheel, hashlib.sha256(wheel.read_bytes()).hexdigest())

    environment, _ = build(pinned, tmp_path / "environments")

    for command in (["bin/tiny"], ["bin/python", "-c", "import tiny; tiny.main()"]):
        path = environment / command[0]
        ran = subprocess.run([path, *command[1:]], capture_output=True, text=True, check=True)
        assert ran.stdout == "tiny runs\n"


def test_a_hash_that_does_not_match_fails_and_leaves_nothing(tmp_path: Path, wheel: Path) -> None:
    pinned = requirements(tmp_path, wheel, "0" * 64)

    with pytest.raises(DataOrImageError, match="Hash mismatch for"):
        build(pinned, tmp_path / "environments")

    left = [path.suffix for path in (tmp_path / "environments").iterdir()]
    assert left == [".lock"]


def test_one_content_is_built_once_by_all_that_want_it_at_once(tmp_path: Path) -> None:
    files = []
    for name in ("a.txt", "b.txt", "c.txt"):
        files.append(tmp_path / name)
        files[-1].write_text("# the same content\n")

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda path: build(path, tmp_path / "environments"), files))

    assert len({environment for environment, _ in results}) == 1
    builders = [lines for _, lines in results if lines]
    assert len(builders) == 1
    assert builders[0][-1] == "The image's environment is ready"


def test_another_content_is_another_environment(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("# one\n")
    one, _ = build(path, tmp_path / "environments")
    path.write_text("# two\n")

    two, _ = build(path, tmp_path / "environments")

    assert one != two


def test_what_a_killed_build_left_is_removed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("")
    environment, _ = build(path, tmp_path / "environments")
    left = environment.parent / f".{environment.name}-left"
    environment.rename(left)

    build(path, tmp_path / "environments")

    assert environment.is_dir()
    assert not left.exists()


def test_a_requirements_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataOrImageError, match=r"requirements file .*/gone\.txt does not exist"):
        build(tmp_path / "gone.txt", tmp_path / "environments")


def test_what_a_job_installs_is_its_own_and_what_the_image_has_is_there(
    tmp_path: Path, wheel: Path
) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    pinned = requirements(tmp_path, wheel, hashlib.sha256(wheel.read_bytes()).hexdigest())
    bare, _ = build(empty, tmp_path / "environments")
    furnished, _ = build(pinned, tmp_path / "environments")
    own, other = layered(bare, tmp_path / "own"), layered(bare, tmp_path / "other")
    with_image = layered(furnished, tmp_path / "with_image")

    installed = run(own / "pip", "install", "--no-index", str(wheel))

    assert installed.returncode == 0, installed.stdout
    assert run(own / "python", "-c", "import tiny; tiny.main()").stdout == "tiny runs\n"
    assert run(own / "tiny").stdout == "tiny runs\n"
    assert "No module named 'tiny'" in run(other / "python", "-c", "import tiny").stderr
    assert "No module named 'tiny'" in run(bare / "bin" / "python", "-c", "import tiny").stderr
    assert run(with_image / "python", "-c", "import tiny; tiny.main()").stdout == "tiny runs\n"
    again = run(with_image / "pip3", "install", "--no-index", "tiny==1.0")
    assert "already satisfied" in again.stdout


def run(program: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    clean = {"PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, env=clean
    )
