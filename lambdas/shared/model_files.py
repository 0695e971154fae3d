"""The files of a model: unpacked from a training job's archive, and verified, with suspicion."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Collection

from areyouacat.errors import CorruptModelError
from areyouacat.lake import sha256_hex
from areyouacat.model_spec import MODEL_FILE, SPEC_FILE, ModelSpec

MAX_FILE_BYTES = 200 * 1024 * 1024
MAX_UNPACKED_BYTES = 500 * 1024 * 1024  # the whole archive, what is skipped included


def unpack(
    archive: bytes, wanted: Collection[str], optional: Collection[str] = ()
) -> dict[str, bytes]:
    """The `wanted` files of a `model.tar.gz` by name, and the `optional` ones that are there.

    Everything else in it stays unread.

    Only regular files at the archive's top count, and nothing touches the disk, so no path in
    the archive can lead anywhere.

    Raises:
        CorruptModelError: not a readable archive; a wanted file missing, there twice or too large.
    """
    files: dict[str, bytes] = {}
    unpacked = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for member in tar:
                unpacked += member.size
                if unpacked > MAX_UNPACKED_BYTES:
                    raise CorruptModelError(
                        f"the model archive unpacks to more than {MAX_UNPACKED_BYTES:,} bytes"
                    )
                name = member.name.removeprefix("./")
                if name not in {*wanted, *optional} or not member.isfile():
                    continue
                if name in files:
                    raise CorruptModelError(f"the model archive holds {name} twice")
                files[name] = _content(tar, member)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise CorruptModelError(f"the model archive cannot be read: {error}") from error
    if missing := sorted(set(wanted) - files.keys()):
        raise CorruptModelError(
            f"the model archive lacks {', '.join(missing)}; the training job's log says what it "
            "wrote"
        )
    return files


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > MAX_FILE_BYTES:
        raise CorruptModelError(
            f"{member.name} in the model archive has {member.size:,} bytes, "
            f"at most {MAX_FILE_BYTES:,} are accepted"
        )
    content = tar.extractfile(member)
    return content.read() if content else b""


def verified_spec(spec: bytes, tflite: bytes, where: str = "the model") -> ModelSpec:
    """What `model.json` says, checked against the model's bytes and against this build.

    `where` names the model in messages.

    Raises:
        CorruptModelError: unreadable, about other bytes, or made for other labels or another
            preprocessing than this build serves.
    """
    try:
        read = ModelSpec.from_json(spec)
    except ValueError as error:
        raise CorruptModelError(f"{where}: {SPEC_FILE} cannot be read: {error}") from error
    found = sha256_hex(tflite)
    if found != read.tflite.sha256:
        raise CorruptModelError(
            f"{where}: {MODEL_FILE} has the hash {found}, {SPEC_FILE} says {read.tflite.sha256}"
        )
    if mismatches := read.mismatches():
        raise CorruptModelError(f"{where} cannot be served: {'; '.join(mismatches)}")
    return read
