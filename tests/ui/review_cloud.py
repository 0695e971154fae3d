"""A lake and a predictions table as the Label page finds them."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
from boto3.dynamodb.types import TypeSerializer
from PIL import Image

from areyouacat import predictions
from areyouacat.lake import (
    ORIGIN_REQUEST,
    ORIGIN_TAG,
    HeldLabel,
    LabelRecord,
    dump_shard,
    held_shard_key,
    load_shard,
    photo_key,
    sha256_hex,
    utc_text,
)
from areyouacat.predictions import Prediction, prediction_item
from areyouacat.settings import LABELS, UNSURE
from ui.configuration import Configuration

LAKE, TABLE, REGION = "lake", "predictions", "eu-west-1"
NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
CONFIGURATION = Configuration(
    "https://api/", "key", None, lake_bucket=LAKE, predictions_table=TABLE, region=REGION
)


class ReviewCloud:
    """Buckets and tables of moto, with what a test puts there."""

    def __init__(self, s3: Any, dynamodb: Any) -> None:
        self.s3, self.dynamodb = s3, dynamodb
        s3.create_bucket(Bucket=LAKE, CreateBucketConfiguration={"LocationConstraint": REGION})
        dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": predictions.PARTITION_KEY, "KeyType": "HASH"}],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"}
                for name in (
                    predictions.PARTITION_KEY,
                    predictions.PREDICTED_BUCKET,
                    predictions.PREDICTED_AT,
                )
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": predictions.PREDICTED_INDEX,
                    "KeySchema": [
                        {"AttributeName": predictions.PREDICTED_BUCKET, "KeyType": "HASH"},
                        {"AttributeName": predictions.PREDICTED_AT, "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )

    def put(self, key: str, data: bytes, **more: Any) -> None:
        self.s3.put_object(Bucket=LAKE, Key=key, Body=data, **more)

    def keys(self, prefix: str) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=LAKE, Prefix=prefix)
        return [each["Key"] for each in listed.get("Contents", [])]

    def photo(self, number: int) -> str:
        """Store a photo that was sent to the API; gives its name."""
        pixels = np.random.default_rng(number).integers(0, 255, (30, 40, 3), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG")
        name = sha256_hex(file.getvalue())
        self.put(photo_key(name), file.getvalue(), Tagging=f"{ORIGIN_TAG}={ORIGIN_REQUEST}")
        return name

    def origin(self, photo: str) -> str:
        tags = self.s3.get_object_tagging(Bucket=LAKE, Key=photo_key(photo))["TagSet"]
        return str({each["Key"]: each["Value"] for each in tags}[ORIGIN_TAG])

    def hold(self, number: int, label: str = LABELS.positive, reason: str = "a reason") -> str:
        """Store a photo whose label a caller gave and that waits."""
        photo = self.photo(number)
        at = utc_text(NOW.replace(minute=number))
        shard = dump_shard([HeldLabel(photo, label, f"prediction/{number}", at, reason)])
        self.put(held_shard_key("2026-11-23", shard), shard)
        return photo

    def predict(self, photo: str, at: datetime = NOW, **changes: Any) -> Prediction:
        """Store a prediction that is unsure unless `changes` say otherwise."""
        one = Prediction(
            prediction_id=f"{photo[:8]}-{utc_text(at)}",
            predicted_at=at,
            photo=photo,
            size_bytes=100,
            width=40,
            height=30,
            format="JPEG",
            brightness=0.5,
            contrast=0.5,
            sharpness=0.5,
            perceptual_hash="0" * 16,
            probability=0.5,
            label=LABELS.negative,
            verdict=UNSURE,
            model_name="m",
            model_version="3",
            model_role="champion",
            sketch=(0.0,) * 16,
            explanation=((0.5,) * 7,) * 7,
            latency_ms=1.0,
        )
        feedback = changes.pop("feedback", None)
        one = replace(one, **changes)
        item = prediction_item(one, 30)
        if feedback:
            item[predictions.FEEDBACK_LABEL] = feedback
        plain = {k: Decimal(repr(v)) if isinstance(v, float) else v for k, v in item.items()}
        serialize = TypeSerializer().serialize
        self.dynamodb.put_item(
            TableName=TABLE, Item={name: serialize(value) for name, value in plain.items()}
        )
        return one

    def labels(self) -> list[LabelRecord]:
        """All label records, by their keys."""
        return [
            record
            for key in self.keys("labels/")
            for record in load_shard(
                self.s3.get_object(Bucket=LAKE, Key=key)["Body"].read(), LabelRecord
            )
        ]
