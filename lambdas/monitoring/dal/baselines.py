"""What a model's drift is measured against: it stands in the model's own `model.json`."""

from typing import Any

from areyouacat.drift import Histogram
from areyouacat.drift_features import read_baseline
from areyouacat.model_spec import ModelSpec
from areyouacat.serving_pointer import Variant
from lambdas.shared.observability import logger


class Baselines:
    """The lake's models behind an S3 client."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """`s3` is a boto3 client."""
        self._s3 = s3
        self._bucket = bucket

    def of(self, variant: Variant) -> dict[str, Histogram]:
        """A variant's baseline; empty, and logged, where it has none that can be read.

        A file that is damaged must not keep the other metrics from being published.
        """
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=variant.model_json_key)
            return read_baseline(ModelSpec.from_json(answer["Body"].read()).baseline)
        except (self._s3.exceptions.NoSuchKey, ValueError) as error:
            logger.error("no baseline", model_version=variant.version, problem=str(error))
            return {}
