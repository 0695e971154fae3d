"""Brings what a job leaves in /opt/ml to its S3OutputPath."""

import tarfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig

from local_cloud.sagemaker.aws import TRANSFERS
from local_cloud.sagemaker.errors import DataOrImageError
from local_cloud.sagemaker.requests.s3_location import S3Location
from local_cloud.sagemaker.requests.training_request import TrainingRequest
from local_cloud.sagemaker.transfers.channels import S3_ERRORS
from local_cloud.sagemaker.transfers.folder_changes import WatchedFolder
from local_cloud.sagemaker.transfers.opt_ml import OptMl

# The pool below is the parallelism; transfers of one file do not add threads of their own.
SINGLE_THREAD = TransferConfig(use_threads=False)
# Weights hardly compress: the quickest level loses next to nothing.
_GZIP_LEVEL = 1


def upload_model(s3: Any, request: TrainingRequest, opt_ml: OptMl, scratch: Path) -> str:
    """Upload /opt/ml/model; returns the S3 URI for ModelArtifacts.

    `model.tar.gz`, even if it is empty, as on AWS; the folder `model/` for CompressionType NONE.
    """
    return _upload(s3, request, opt_ml.model, "model", scratch)


def upload_output(s3: Any, request: TrainingRequest, opt_ml: OptMl, scratch: Path) -> str | None:
    """Upload /opt/ml/output/data as `output.tar.gz`, if there is anything in it."""
    if not opt_ml.output_data.is_dir() or not any(opt_ml.output_data.iterdir()):
        return None
    return _upload(s3, request, opt_ml.output_data, "output", scratch)


def upload_folder(s3: Any, folder: Path, to: S3Location, encryption: Mapping[str, str]) -> None:
    """Upload each file of a folder to its path below `to`.

    Raises DataOrImageError.
    """
    _upload_files(s3, ((file, to.below(path)) for path, file in _files(folder)), to, encryption)


def _upload(s3: Any, request: TrainingRequest, folder: Path, name: str, scratch: Path) -> str:
    target = request.output.below(request.name, "output")
    if not request.compress_output:
        upload_folder(s3, folder, target.below(name), request.encryption)
        return f"{target.below(name).uri}/"
    location = target.below(f"{name}.tar.gz")
    archive = _pack(folder, scratch / f"{name}.tar.gz")
    _upload_files(s3, [(archive, location)], location, request.encryption)
    return location.uri


def _upload_files(
    s3: Any,
    files: Iterable[tuple[Path, S3Location]],
    where: S3Location,
    encryption: Mapping[str, str],
) -> None:
    def upload(item: tuple[Path, S3Location]) -> None:
        file, to = item
        s3.upload_file(
            str(file), to.bucket, to.key, ExtraArgs=dict(encryption), Config=SINGLE_THREAD
        )

    try:
        with ThreadPoolExecutor(TRANSFERS, thread_name_prefix="artifacts") as pool:
            for _ in pool.map(upload, files):
                continue
    except S3_ERRORS as error:
        raise DataOrImageError(f"Upload of artifacts to '{where.uri}' failed: {error}") from error


def _pack(folder: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz", compresslevel=_GZIP_LEVEL) as tar:
        for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
            tar.add(entry, arcname=entry.name)
    return archive


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    found = WatchedFolder(folder).changes()
    if found.unread:
        raise DataOrImageError(f"A result of the job cannot be read: {found.unread[0]}")
    for changed in found.files:
        yield changed.path, changed.file
