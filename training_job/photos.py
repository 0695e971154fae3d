"""Where the job's photos come from: the channel first, then the lake."""

import hashlib
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from areyouacat.errors import RequestError, UnreadableImageError
from areyouacat.images import Photo, decode, to_model_input
from areyouacat.lake import ERASED_PHOTO, photo_key
from training_job.lake_store import LakeStore, ObjectMissingError

_SHA256 = re.compile(r"[0-9a-f]{64}")

UnusablePhoto = RequestError
"""What reading a photo raises when it is missing, damaged or of a format not accepted."""


class PhotoSource:
    """Photos by SHA-256. Usable from several threads."""

    def __init__(self, channel: Path, lake: LakeStore) -> None:
        """`channel`: the photos channel's folder; it may be absent."""
        self._lake = lake
        self._files = {
            path.name: path
            for path in (channel.rglob("*") if channel.is_dir() else ())
            if _SHA256.fullmatch(path.name)
        }

    def read(self, photo: str) -> bytes:
        """The bytes, checked against the hash. Raises UnusablePhoto.

        A damaged copy in the channel is no reason to lose a photo that the lake still has.
        """
        path = self._files.get(photo)
        if path is not None:
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == photo:
                return data
        try:
            data = self._lake.read(photo_key(photo))
        except ObjectMissingError as error:
            raise UnreadableImageError("the photo is missing from the lake") from error
        if data == ERASED_PHOTO:
            raise UnreadableImageError("the photo was erased")
        if hashlib.sha256(data).hexdigest() != photo:
            raise UnreadableImageError("the photo's bytes do not match its hash")
        return data

    def decoded(self, photo: str) -> Photo:
        """The photo as serving would decode it. Raises UnusablePhoto."""
        return decode(self.read(photo))

    def pixels(self, photo: str) -> npt.NDArray[np.float32]:
        """The network's input, float32 (px, px, 3). Raises UnusablePhoto."""
        return to_model_input(self.decoded(photo))
