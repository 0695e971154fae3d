from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from training_job.lake_store import ObjectMissingError, S3Lake


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Lake]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        boto3.client("s3").create_bucket(
            Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        yield S3Lake("lake")


def test_an_object_comes_back_as_it_was_written(lake: S3Lake) -> None:
    lake.write("features/a/1.txt", b"first")
    lake.write("features/a/1.txt", b"second")

    assert lake.read("features/a/1.txt") == b"second"


def test_all_keys_of_a_prefix_are_listed_beyond_one_page(lake: S3Lake) -> None:
    keys = [f"features/a/{number:04}.txt" for number in range(1001)]
    for key in [*keys, "features/b/other.txt"]:
        lake.write(key, b"")

    assert list(lake.list_keys("features/a/")) == keys


def test_a_missing_object_is_told_from_other_trouble(lake: S3Lake) -> None:
    with pytest.raises(ObjectMissingError, match="gone"):
        lake.read("gone")
    with pytest.raises(Exception, match="NoSuchBucket"):
        S3Lake("no-such-bucket-here").write("key", b"")
