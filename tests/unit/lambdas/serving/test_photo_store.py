from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from areyouacat.lake import ERASED_PHOTO, photo_key
from lambdas.serving.dal.photo_store import PhotoStore

PHOTO = "ab" + "0" * 62


class ScriptedS3:
    """Answers puts as told, in order; every put must be conditional."""

    def __init__(self, *codes: str | None) -> None:
        self.codes = list(codes)

    def put_object(self, *, IfNoneMatch: str, **_: Any) -> None:  # noqa: N803 - boto3's own name
        assert IfNoneMatch == "*"
        if code := self.codes.pop(0):
            raise ClientError({"Error": {"Code": code}}, "PutObject")


@pytest.mark.parametrize(
    "codes",
    [
        (None,),
        ("PreconditionFailed",),
        ("ConditionalRequestConflict", None),
        ("409", "409", "412"),
    ],
)
def test_a_photo_is_put_until_it_is_there_and_never_over_what_is_there(
    codes: tuple[str | None, ...],
) -> None:
    s3 = ScriptedS3(*codes)

    PhotoStore(s3, "lake").put(PHOTO, b"photo", "JPEG")

    assert s3.codes == []


@pytest.mark.parametrize("codes", [("AccessDenied",), ("409", "SlowDown"), ("409",) * 5])
def test_a_photo_that_cannot_be_put_is_an_error(codes: tuple[str, ...]) -> None:
    s3 = ScriptedS3(*codes)

    with pytest.raises(ClientError):
        PhotoStore(s3, "lake").put(PHOTO, b"photo", "JPEG")

    assert s3.codes == []


def test_an_erased_photo_is_absent(s3: Any) -> None:
    s3.put_object(Bucket="lake-of-the-test", Key=photo_key(PHOTO), Body=ERASED_PHOTO)

    assert PhotoStore(s3, "lake-of-the-test").get(PHOTO) is None
