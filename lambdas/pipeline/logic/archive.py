"""`model.tar.gz`: what a training job leaves, unpacked with suspicion."""

import io
import tarfile
import zlib
from pathlib import PurePosixPath
from typing import Final

from areyouacat.errors import CorruptModelError
from areyouacat.lake import sha256_hex
from areyouacat.model_spec import KERAS_FILE, MODEL_FILE, SPEC_FILE, ModelSpec

MODEL_FILES: Final = (MODEL_FILE, KERAS_FILE, SPEC_FILE)
"""What a model version consists of; the last one makes it whole."""

_MAX_FILE_BYTES: Final = 200 * 1024 * 1024


def unpack(archive: bytes) -> dict[str, bytes]:
    """The model's files by name; everything else in the archive stays unread.

    Only regular files at the archive's top count, so no path can lead anywhere.

    Raises:
        CorruptModelError: not a readable archive, a file missing, twice there or too large.
    """
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for member in tar:
                name = str(PurePosixPath(member.name))
                if name not in MODEL_FILES or not member.isfile():
                    continue
                if name in files:
                    raise CorruptModelError(f"The model archive holds {name} twice.")
                if member.size > _MAX_FILE_BYTES:
                    raise CorruptModelError(
                        f"{name} in the model archive has {member.size} bytes, "
                        f"at most {_MAX_FILE_BYTES} are accepted."
                    )
                content = tar.extractfile(member)
                files[name] = content.read() if content else b""
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise CorruptModelError(f"The model archive cannot be read: {error}.") from error
    missing = [name for name in MODEL_FILES if name not in files]
    if missing:
        raise CorruptModelError(
            f"The model archive lacks {', '.join(missing)}. Train again; if it stays so, "
            "the training job's log says what it wrote."
        )
    return files


def verified_spec(spec_json: bytes, tflite: bytes, where: str) -> ModelSpec:
    """The spec of a model that serving may use, checked against the model's bytes.

    `where` names the model in messages.

    Raises:
        CorruptModelError: unreadable spec, wrong hash, or made for other labels or another
            preprocessing than this build serves.
    """
    try:
        spec = ModelSpec.from_json(spec_json)
    except ValueError as error:
        raise CorruptModelError(f"{where}: {error}.") from error
    found = sha256_hex(tflite)
    if found != spec.tflite.sha256:
        raise CorruptModelError(
            f"{where}: {MODEL_FILE} has the SHA-256 {found}, {SPEC_FILE} says "
            f"{spec.tflite.sha256}. Register the training job's archive again."
        )
    if mismatches := spec.mismatches():
        raise CorruptModelError(f"{where} cannot be served: {'; '.join(mismatches)}.")
    return spec
