"""Which S3 objects a channel holds, and under which paths."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.response import StreamingBody

from local_cloud.sagemaker.aws import TRANSFERS
from local_cloud.sagemaker.control import JobControl, JobStopped, StopReason
from local_cloud.sagemaker.errors import DataOrImageError
from local_cloud.sagemaker.requests.channel import Channel
from local_cloud.sagemaker.requests.s3_location import S3Location
from local_cloud.sagemaker.transfers import channels
from local_cloud.sagemaker.transfers.channels import fill_channel, relative_path
from tests.unit.local_cloud.sagemaker.tiny_cloud import BUCKET


def channel(key: str, data_type: str = "S3Prefix") -> Channel:
    return Channel("data", data_type, S3Location(BUCKET, key), None)


def files(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


@pytest.mark.parametrize(
    ("key", "prefix", "path"),
    [
        ("data/a", "data/", "a"),
        ("data/deep/a", "data/", "deep/a"),
        ("data/a", "data", "a"),
        ("data.csv", "data", "data.csv"),
        ("sets/train.csv", "sets/train.csv", "train.csv"),
        ("sets/train-1/a", "sets/train", "train-1/a"),
        ("a/b", "", "a/b"),
    ],
)
def test_a_files_path_is_its_keys_path_below_the_prefix(key: str, prefix: str, path: str) -> None:
    assert relative_path(key, prefix) == path


def test_more_objects_than_are_downloaded_at_once_all_arrive(s3: Any, tmp_path: Path) -> None:
    wanted = {f"{number:04}": str(number) for number in range(2 * TRANSFERS + 1)}
    for name, body in wanted.items():
        s3.put_object(Bucket=BUCKET, Key=f"many/{name}", Body=body.encode())

    assert fill_channel(s3, channel("many/"), tmp_path, JobControl()) == len(wanted)
    assert files(tmp_path) == wanted


class BreaksOff:
    """An S3 client whose bytes break off some times before they come whole."""

    def __init__(self, client: Any, times: int) -> None:
        self._client = client
        self._left = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def get_object(self, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.get_object(**arguments)
        if self._left:
            self._left -= 1
            size = answer["ContentLength"]
            answer["Body"] = StreamingBody(io.BytesIO(b"x" * (size - 1)), size)
        return answer


def test_bytes_that_break_off_are_asked_for_again(s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="data/one", Body=b"whole")

    fill_channel(BreaksOff(s3, 3), channel("data/"), tmp_path, JobControl())

    assert files(tmp_path) == {"one": "whole"}


def test_bytes_that_never_come_whole_fail_the_download(s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="data/one", Body=b"whole")

    with pytest.raises(DataOrImageError, match="Data download failed"):
        fill_channel(BreaksOff(s3, 4), channel("data/"), tmp_path, JobControl())


def test_a_long_download_tells_how_far_it_is(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "PROGRESS_SECONDS", 0.0)
    for name in "ab":
        s3.put_object(Bucket=BUCKET, Key=f"data/{name}", Body=b"1")
    said: list[str] = []

    fill_channel(s3, channel("data/"), tmp_path, JobControl(), said.append)

    assert said[-1] == "Downloading channel data: 2 of 2 files"


def test_a_manifest_names_its_files_by_prefix_and_suffix(s3: Any, tmp_path: Path) -> None:
    manifest = [{"prefix": f"s3://{BUCKET}/photos/a"}, "a/1", "b/2"]
    s3.put_object(Bucket=BUCKET, Key="m.manifest", Body=json.dumps(manifest).encode())
    for key in ("photos/aa/1", "photos/ab/2", "photos/ac/3"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())

    fill_channel(s3, channel("m.manifest", "ManifestFile"), tmp_path, JobControl())

    assert files(tmp_path) == {"a/1": "photos/aa/1", "b/2": "photos/ab/2"}


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("not JSON", "must be a JSON array"),
        ("[]", "must be a JSON array"),
        ("{}", "must be a JSON array"),
        ('["photos/1"]', "must be a JSON array"),
        ('[{"prefix": "photos/"}, "1"]', "must be a JSON array"),
        ('[{"prefix": 1}, "1"]', "must be a JSON array"),
        ('[{"prefix": "s3://lake/"}, 1]', "must be a JSON array"),
        ('[{"prefix": "s3://lake/"}]', "No S3 objects found"),
        ('[{"prefix": "s3://lake/"}, "../../escape"]', "cannot be a file in channel 'data'"),
        ('[{"prefix": "s3://lake/"}, "/etc/passwd"]', "cannot be a file in channel 'data'"),
        ('[{"prefix": "s3://lake/"}, "missing"]', "Data download failed for channel 'data'"),
    ],
)
def test_a_manifest_that_cannot_be_followed_is_a_client_error(
    s3: Any, tmp_path: Path, manifest: str, said: str
) -> None:
    s3.put_object(Bucket=BUCKET, Key="bad.manifest", Body=manifest.encode())
    folder = tmp_path / "channel"
    folder.mkdir()

    with pytest.raises(DataOrImageError) as failure:
        fill_channel(s3, channel("bad.manifest", "ManifestFile"), folder, JobControl())

    assert failure.value.reason.startswith("ClientError: ")
    assert said in failure.value.reason
    assert [path.name for path in tmp_path.iterdir()] == ["channel"]


def test_an_object_that_would_be_a_file_and_a_folder_is_a_client_error(
    s3: Any, tmp_path: Path
) -> None:
    for key in ("both", "both/below"):
        s3.put_object(Bucket=BUCKET, Key=f"clash/{key}", Body=b"x")

    with pytest.raises(DataOrImageError, match="Data download failed"):
        fill_channel(s3, channel("clash/"), tmp_path, JobControl())


def test_a_stopped_job_downloads_nothing_more(s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="data/1", Body=b"x")
    control = JobControl()
    control.stop(StopReason.REQUESTED)

    with pytest.raises(JobStopped):
        fill_channel(s3, channel("data/"), tmp_path, control)

    assert files(tmp_path) == {}
