"""What a job is given to read."""

from dataclasses import dataclass

from local_cloud.sagemaker.requests.s3_location import S3Location


@dataclass(frozen=True)
class Channel:
    """Data of a job: an entry of InputDataConfig or of ProcessingInputs.

    `data_type` is S3Prefix or ManifestFile.
    """

    name: str
    data_type: str
    location: S3Location
    content_type: str | None
