"""What a job's image is built from: the Dockerfile and the files that it copies, and no others.

The image's tag is the digest of these. So the same sources are the same image, a change of one of
them is another, and what is in the registry already need not be built.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra_cdk import archives


class ImageContextError(ValueError):
    """A Dockerfile says what is not understood here; the message names the line and the remedy."""


@dataclass(frozen=True, slots=True)
class ImageContext:
    """`files`: names in the build context, in order, and paths; the Dockerfile is among them."""

    dockerfile: str
    files: tuple[tuple[str, Path], ...]
    edition: int

    @classmethod
    def of(cls, root: Path, dockerfile: str, *, edition: int = 1) -> "ImageContext":
        """Of a Dockerfile below `root`, the folder that its COPY takes from.

        `edition`: a number that makes the same files another image.

        Raises:
            ImageContextError: it copies what is not there, or in a way that is not known here.
        """
        files = {dockerfile: root / dockerfile}
        for source in _copied(root / dockerfile):
            files.update(_files(root, source))
        return cls(dockerfile, tuple(sorted(files.items())), edition)

    @property
    def tag(self) -> str:
        """The image's tag: 32 hex digits that say what is in it."""
        contents = (part for name, path in self.files for part in (name, path.read_bytes()))
        return archives.digest(str(self.edition), *contents)

    def write(self, archive: Path) -> None:
        """The build context as a zip file."""
        archives.add(archive, self.files)


def _copied(dockerfile: Path) -> Iterator[str]:
    """The sources of every COPY."""
    for line in dockerfile.read_text().replace("\\\n", " ").splitlines():
        instruction, *words = line.split() or [""]
        if instruction.upper() not in {"COPY", "ADD"}:
            continue
        if instruction.upper() == "ADD" or any(set(word) & set('[]"*?$') for word in words):
            raise ImageContextError(f"{dockerfile}: write `{line}` as a COPY of plain paths")
        if any(word.startswith("--") for word in words):
            raise ImageContextError(f"{dockerfile}: `{line}` has an option that is not known here")
        yield from words[:-1]


def _files(root: Path, source: str) -> Iterator[tuple[str, Path]]:
    """A file, or all below a folder but what Python and systems leave there."""
    start = root / source
    if not start.exists():
        raise ImageContextError(f"a Dockerfile copies {source}, which is not in {root}")
    for path in [start] if start.is_file() else start.rglob("*"):
        name = path.relative_to(root)
        left = any(part == "__pycache__" or part.startswith(".") for part in name.parts)
        if path.is_file() and not left:
            yield name.as_posix(), path
