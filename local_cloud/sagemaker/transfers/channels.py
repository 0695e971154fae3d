"""Fills a job's channels from S3, with the rights of the job's role.

Layout, as AWS has it in File mode: a file's path in the channel is its key's path below the prefix,
for S3Prefix as for ManifestFile.
"""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from local_cloud.sagemaker.aws import TRANSFERS
from local_cloud.sagemaker.control import JobControl
from local_cloud.sagemaker.disk import words
from local_cloud.sagemaker.errors import DataOrImageError
from local_cloud.sagemaker.requests.channel import Channel
from local_cloud.sagemaker.requests.s3_location import S3Location

S3_ERRORS = (ClientError, BotoCoreError, Boto3Error)
BROKEN_OFF = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
TRIES = 4  # of one file whose bytes broke off; requests that fail are repeated by boto3 itself
PART_BYTES = 1024 * 1024
PROGRESS_SECONDS = 5.0


@dataclass(frozen=True)
class ChannelFile:
    """An S3 object, and its path in the channel."""

    location: S3Location
    path: str


def fill_channel(
    s3: Any,
    channel: Channel,
    folder: Path,
    control: JobControl,
    say: Callable[[str], object] = lambda _: None,
    *,
    may_be_empty: bool = False,
) -> int:
    """Download a channel into an existing folder; returns the number of files.

    `s3` is a boto3 S3 client; `say` is told of the progress, every few seconds. Raises
    DataOrImageError (nothing there, no permission, a manifest that is not one), JobStopped if
    the job is stopped meanwhile.
    """
    try:
        files = list(_files(s3, channel))
        if not (files or may_be_empty):
            raise DataOrImageError(
                f"No S3 objects found under S3 URL '{channel.location.uri}' given in input data"
                f" source of channel '{channel.name}'. Ensure that the bucket exists, that objects"
                " exist under that prefix, and that the role may list the bucket"
            )
        with ThreadPoolExecutor(TRANSFERS, thread_name_prefix="channel") as pool:
            told = time.monotonic()
            downloads = pool.map(lambda file: _download(s3, file, folder, control), files)
            for done, _ in enumerate(downloads, start=1):
                if time.monotonic() - told >= PROGRESS_SECONDS:
                    told = time.monotonic()
                    say(f"Downloading channel {channel.name}: {done:,} of {len(files):,} files")
    except (*S3_ERRORS, OSError) as error:
        said = words(error) if isinstance(error, OSError) else str(error)
        raise DataOrImageError(
            f"Data download failed for channel '{channel.name}' from '{channel.location.uri}':"
            f" {said}"
        ) from error
    return len(files)


def _files(s3: Any, channel: Channel) -> Iterator[ChannelFile]:
    if channel.data_type == "ManifestFile":
        yield from _manifest_files(s3, channel)
    else:
        yield from _prefix_files(s3, channel)


def _prefix_files(s3: Any, channel: Channel) -> Iterator[ChannelFile]:
    bucket, prefix = channel.location.bucket, channel.location.key
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for entry in page.get("Contents", ()):
            key = entry["Key"]
            # A key that ends in a slash is the console's marker of a folder.
            if not key.endswith("/"):
                yield _channel_file(S3Location(bucket, key), relative_path(key, prefix), channel)


def relative_path(key: str, prefix: str) -> str:
    """The path of `key` in a channel with this prefix, which `key` begins with.

    Below the prefix where that is a folder; else below the folder that the prefix is in, so that
    `data/train` gives `train.csv` its name, and `data/train/a` the path `a`.
    """
    rest = key.removeprefix(prefix)
    if prefix and rest.startswith("/"):
        return rest[1:]
    return prefix.rpartition("/")[2] + rest


def _manifest_files(s3: Any, channel: Channel) -> Iterator[ChannelFile]:
    location = channel.location
    body = s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
    try:
        head, *suffixes = json.loads(body)
        scheme, _, start = head["prefix"].partition("://")
        if scheme != "s3" or not all(isinstance(suffix, str) for suffix in suffixes):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError):
        raise DataOrImageError(
            f"The manifest '{location.uri}' of channel '{channel.name}' must be a JSON array of"
            ' {"prefix": "s3://bucket/..."} and strings that follow the prefix'
        ) from None
    for suffix in suffixes:
        bucket, _, key = f"{start}{suffix}".partition("/")
        yield _channel_file(S3Location(bucket, key), suffix, channel)


def _channel_file(location: S3Location, path: str, channel: Channel) -> ChannelFile:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts:
        raise DataOrImageError(
            f"'{location.uri}' cannot be a file in channel '{channel.name}': its path there would"
            f" be '{path}'"
        )
    return ChannelFile(location, path)


def _download(s3: Any, file: ChannelFile, folder: Path, control: JobControl) -> None:
    # One request a file; the transfer manager would ask for each file's size first.
    control.check()
    target = folder / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in reversed(range(TRIES)):
        try:
            body = s3.get_object(Bucket=file.location.bucket, Key=file.location.key)["Body"]
            with target.open("wb") as sink:
                for part in body.iter_chunks(PART_BYTES):
                    control.check()
                    sink.write(part)
        except BROKEN_OFF:
            if not left:
                raise
        else:
            return
