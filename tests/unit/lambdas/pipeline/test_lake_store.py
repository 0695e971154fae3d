from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.pipeline.dal.lake_store import PART_BYTES, LakeStore
from tests.unit.lambdas.pipeline.moto_cloud import Cloud

KEY = "datasets/1/manifest.jsonl"


@pytest.fixture
def lake(cloud: Cloud) -> LakeStore:
    return LakeStore(cloud.s3, "lake")


def stored(cloud: Cloud) -> Any:
    return cloud.s3.get_object(Bucket="lake", Key=KEY)


def open_uploads(cloud: Cloud) -> list[Any]:
    uploads: list[Any] = cloud.s3.list_multipart_uploads(Bucket="lake").get("Uploads", [])
    return uploads


def test_an_objects_size_is_told_without_its_bytes_and_an_absent_one_has_none(
    lake: LakeStore, cloud: Cloud
) -> None:
    cloud.s3.put_object(Bucket="lake", Key="photos/full", Body=b"12345")
    cloud.s3.put_object(Bucket="lake", Key="photos/empty", Body=b"")

    sizes = [lake.size(f"photos/{name}") for name in ("full", "empty", "absent")]

    assert sizes == [5, 0, None]


def test_a_size_that_may_not_be_asked_for_is_no_absent_object(
    lake: LakeStore, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "403"}}, "HeadObject")

    monkeypatch.setattr(cloud.s3, "head_object", refuse)

    with pytest.raises(ClientError, match="403"):
        lake.size("photos/any")


@pytest.mark.parametrize("chunks", [[], [b""], [b"a"], [b"one ", b"two"], [b"x" * PART_BYTES]])
def test_a_stream_that_fits_in_a_part_reads_back(
    lake: LakeStore, cloud: Cloud, chunks: list[bytes]
) -> None:
    lake.write_stream(KEY, chunks, "text/plain")

    assert stored(cloud)["Body"].read() == b"".join(chunks)


@pytest.mark.parametrize("beyond", [0, 1, PART_BYTES + 7])
def test_a_long_stream_is_stored_in_parts_under_its_type(
    lake: LakeStore, cloud: Cloud, beyond: int
) -> None:
    data = bytes(range(256)) * (PART_BYTES // 256) + b"z" * beyond
    chunks = (data[start : start + 999_999] for start in range(0, len(data), 999_999))

    lake.write_stream(KEY, chunks, "application/jsonl")

    answer = stored(cloud)
    assert answer["Body"].read() == data
    assert answer["ContentType"] == "application/jsonl"
    assert answer["ETag"].strip('"').endswith(f"-{-(-len(data) // PART_BYTES)}")


def test_a_stream_that_breaks_off_leaves_what_was_there(lake: LakeStore, cloud: Cloud) -> None:
    lake.write(KEY, b"before", "text/plain")

    def breaking() -> Iterator[bytes]:
        yield b"x" * (2 * PART_BYTES)
        raise ConnectionError("the source went away")

    with pytest.raises(ConnectionError, match="the source went away"):
        lake.write_stream(KEY, breaking(), "text/plain")

    assert stored(cloud)["Body"].read() == b"before"
    assert open_uploads(cloud) == []


def test_a_part_that_is_refused_aborts_the_upload(
    lake: LakeStore, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "UploadPart")

    monkeypatch.setattr(cloud.s3, "upload_part", refuse)

    with pytest.raises(ClientError, match="AccessDenied"):
        lake.write_stream(KEY, [b"x" * (2 * PART_BYTES)], "text/plain")

    assert open_uploads(cloud) == []
