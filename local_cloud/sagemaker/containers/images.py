"""The images this machine can run without a container engine.

The images file is a JSON list of objects:
  repository     its name in the registry; the host and the tag of an image URI are not looked at
  context        absolute path: where the Dockerfile's COPY takes from
  sources        files and folders, relative to the context, that the image holds
  requirements   relative to the context: the file that the Dockerfile installs
  command        the Dockerfile's ENTRYPOINT, as a list; `python` is that of the environment
  environment    the Dockerfile's ENV, as an object; may be missing
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_cloud.sagemaker.errors import DataOrImageError, InternalError


@dataclass(frozen=True)
class Image:
    """One entry of the images file, with absolute paths."""

    repository: str
    context: Path
    sources: tuple[str, ...]
    requirements: Path
    command: tuple[str, ...]
    environment: Mapping[str, str]

    def copy_sources(self, folder: Path) -> None:
        """Fill a job's code folder with what the image would hold."""
        folder.mkdir(parents=True)
        for source in self.sources:
            origin, target = self.context / source, folder / source
            target.parent.mkdir(parents=True, exist_ok=True)
            if origin.is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(origin, target, ignore=ignored)
            elif origin.is_file():
                shutil.copy2(origin, target)
            else:
                raise DataOrImageError(
                    f"The image '{self.repository}' is registered with the source '{source}',"
                    f" which is not in {self.context}. Correct its entry in the images file"
                )


class UnknownImageError(DataOrImageError):
    """An image that is not in the images file."""


def find_image(images_file: Path, uri: str) -> Image:
    """The image that a TrainingImage or an ImageUri names.

    Raises UnknownImageError if it is not registered, InternalError if the file cannot be read. The
    file is read anew for each job, so that images may be added while the cloud runs.
    """
    images = _read(images_file)
    repository = repository_of(uri)
    if repository not in images:
        raise UnknownImageError(
            f"Cannot pull the image '{uri}': the local cloud has no image for the"
            f" repository '{repository}' (it has: {', '.join(sorted(images)) or 'none'})."
            f" Add an entry for it to {images_file}, or install Docker or Podman"
        )
    return images[repository]


def repository_of(uri: str) -> str:
    """The repository in an image URI: without registry host, tag and digest."""
    name = uri.partition("@")[0]
    host, slash, path = name.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        name = path
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"


def _read(images_file: Path) -> dict[str, Image]:
    try:
        entries = json.loads(images_file.read_text())
        return {entry["repository"]: _image(entry) for entry in entries}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InternalError(
            f"Cannot read the images file {images_file}: {type(error).__name__}: {error}"
        ) from error


def _image(entry: Mapping[str, Any]) -> Image:
    context = Path(entry["context"])
    return Image(
        repository=entry["repository"],
        context=context,
        sources=tuple(entry.get("sources", ())),
        requirements=context / entry["requirements"],
        command=tuple(entry["command"]),
        environment=dict(entry.get("environment", {})),
    )
