"""Places in S3, as SageMaker's requests name them."""

from dataclasses import dataclass

from local_cloud.sagemaker.errors import ValidationError


@dataclass(frozen=True)
class S3Location:
    """A bucket and a key or key prefix (which may be empty)."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str, member: str) -> "S3Location":
        """Read `s3://bucket/key`; ValidationError naming `member` for anything else."""
        scheme, _, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme != "s3" or not bucket:
            raise ValidationError(f"{member} must have the form s3://bucket/key, not '{uri}'")
        return cls(bucket, key)

    @property
    def uri(self) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"

    def below(self, *parts: str) -> "S3Location":
        """The location of `parts` below this one, as a folder."""
        folder = [self.key.rstrip("/")] if self.key.rstrip("/") else []
        return S3Location(self.bucket, "/".join([*folder, *parts]))
