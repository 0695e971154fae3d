"""Keeps an S3 prefix in step with a folder that a running job writes to."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from local_cloud.sagemaker.aws import TRANSFERS
from local_cloud.sagemaker.disk import words
from local_cloud.sagemaker.errors import DataOrImageError
from local_cloud.sagemaker.requests.s3_location import S3Location
from local_cloud.sagemaker.transfers.artifacts import SINGLE_THREAD
from local_cloud.sagemaker.transfers.channels import S3_ERRORS
from local_cloud.sagemaker.transfers.folder_changes import ChangedFile, WatchedFolder


class FolderUpload:
    """Context manager: uploads what is new or has changed every `seconds`, and on leaving the rest.

    A file's key is its path below `to`; what is deleted in the folder stays in S3. A symbolic link
    is uploaded as the file it leads to, if that is in the folder. `s3` gives the client of each
    round that has something to upload, with new credentials where they have to be renewed;
    `encryption` are arguments of each upload.

    What fails is told to `say` and tried again in the next round. Leaving raises DataOrImageError
    if the last round fails, unless another exception is on its way: then that failure is told, too.
    """

    def __init__(
        self,
        s3: Callable[[], Any],
        folder: Path,
        to: S3Location,
        *,
        encryption: Mapping[str, str],
        seconds: float,
        say: Callable[[str], object],
    ) -> None:
        self._s3 = s3
        self._folder = WatchedFolder(folder)
        self._to = to
        self._encryption = dict(encryption)
        self._seconds = seconds
        self._say = say
        self._left_out: set[str] = set()
        self._leaving = threading.Event()
        self._rounds = threading.Thread(target=self._upload_rounds, daemon=True)

    def __enter__(self) -> "FolderUpload":
        self._rounds.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leaving.set()
        self._rounds.join()
        try:
            self._upload_round()
        except DataOrImageError as failure:
            if error is None:
                raise
            self._say(str(failure))

    def _upload_rounds(self) -> None:
        while not self._leaving.wait(self._seconds):
            try:
                self._upload_round()
            except DataOrImageError as failure:
                self._say(f"{failure}. It will be tried again")

    def _upload_round(self) -> None:
        changes = self._folder.changes()
        self._tell(set(changes.left_out))
        failures = [*changes.unread, *self._upload_all(changes.files)]
        if failures:
            others = f" (and {len(failures) - 1:,} more)" if len(failures) > 1 else ""
            raise DataOrImageError(f"Upload to '{self._to.uri}' failed: {failures[0]}{others}")

    def _tell(self, left_out: set[str]) -> None:
        for path in sorted(left_out - self._left_out):
            self._say(
                f"{path!r} is not uploaded to '{self._to.uri}': it is a link to a folder or out of"
                " this one, or no regular file"
            )
        self._left_out |= left_out

    def _upload_all(self, files: list[ChangedFile]) -> list[str]:
        if not files:
            return []
        try:
            s3 = self._s3()
        except S3_ERRORS as error:
            return [str(error)]
        with ThreadPoolExecutor(TRANSFERS, thread_name_prefix="sync") as pool:
            failures = pool.map(lambda changed: self._upload(s3, changed), files)
            return [failure for failure in failures if failure]

    def _upload(self, s3: Any, changed: ChangedFile) -> str:
        """Why it failed, or ''."""
        to = self._to.below(changed.path)
        try:
            with changed.file.open("rb") as file:
                s3.upload_fileobj(
                    _ReadOnce(file),
                    to.bucket,
                    to.key,
                    ExtraArgs=dict(self._encryption),
                    Config=SINGLE_THREAD,
                )
        except FileNotFoundError:
            # The container took it back: a temporary file, or one that has a new name now.
            return ""
        except OSError as error:
            return words(error)
        except (*S3_ERRORS, UnicodeError) as error:
            return f"{changed.path!r}: {error}"
        self._folder.done(changed)
        return ""


class _ReadOnce:
    """A file that cannot be sought in.

    S3's transfers send what they have read of such a file. Of others they announce a length that
    the container may have cut short by the time the bytes are sent.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.read = file.read
