"""A lake and two tables with something in them, in a cloud that lives in this process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from areyouacat import lake
from areyouacat.predictions import CONTROL_PARTITION_KEY, PARTITION_KEY, TTL_ATTRIBUTE
from tests.unit.training_job.moto_lake import BUCKET, keys

TABLES = {"predictions": PARTITION_KEY, "control": CONTROL_PARTITION_KEY}
POINTER = lake.SERVING_POINTER_KEY
SEEDED, SENT = (lake.sha256_hex(name) for name in (b"seeded", b"sent"))
BATCH = 25  # BatchWriteItem's limit
ITEMS = BATCH + 2


@dataclass(frozen=True)
class Cloud:
    """What the tests look at and break."""

    s3: Any
    dynamodb: Any

    def put(self, key: str, body: bytes, **more: Any) -> None:
        """Put an object."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, **more)

    def tag(self, photo: str, origin: str) -> None:
        """Say how a photo came."""
        tags = {"TagSet": [{"Key": lake.ORIGIN_TAG, "Value": origin}]}
        self.s3.put_object_tagging(Bucket=BUCKET, Key=lake.photo_key(photo), Tagging=tags)

    def objects(self) -> dict[str, tuple[bytes, str, list[Any]]]:
        """Bytes, type and tags of every object."""
        found = {}
        for entry in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
            at = {"Bucket": BUCKET, "Key": entry["Key"]}
            answer = self.s3.get_object(**at)
            tags = self.s3.get_object_tagging(**at)["TagSet"]
            found[entry["Key"]] = (answer["Body"].read(), answer["ContentType"], tags)
        return found

    def items(self, table: str) -> dict[str, Any]:
        """All items of a table, by key."""
        found = self.dynamodb.scan(TableName=table)["Items"]
        return {item[TABLES[table]]["S"]: item for item in found}

    def put_items(self, table: str, items: Mapping[str, Any]) -> None:
        """Put items by their keys; attributes with their types."""
        self._write(
            table,
            [
                {"PutRequest": {"Item": {TABLES[table]: {"S": key}, **attributes}}}
                for key, attributes in items.items()
            ],
        )

    def _write(self, table: str, requests: list[Any]) -> None:
        for start in range(0, len(requests), BATCH):
            self.dynamodb.batch_write_item(RequestItems={table: requests[start : start + BATCH]})

    def lose(self, prefix: str = "", *, tables: bool = True) -> None:
        """Delete objects, and all items."""
        for key in keys(self.s3, prefix):
            self.s3.delete_object(Bucket=BUCKET, Key=key)
        for table, name in TABLES.items() if tables else ():
            self._write(
                table, [{"DeleteRequest": {"Key": {name: {"S": k}}}} for k in self.items(table)]
            )

    def state(self) -> tuple[Any, ...]:
        """Everything."""
        return (self.objects(), *(self.items(table) for table in TABLES))


def full_cloud(s3: Any, state: Path, expires_at: int) -> Cloud:
    """A seeded and a sent photo, a model that serves, predictions, the control table's ledger."""
    cloud = Cloud(s3, boto3.client("dynamodb"))
    for table, key in TABLES.items():
        cloud.dynamodb.create_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
    endpoints = {"lake_bucket": BUCKET, **{f"{table}_table": table for table in TABLES}}
    state.mkdir(exist_ok=True)
    (state / "endpoints.json").write_text(json.dumps(endpoints))
    cloud.put(lake.photo_key(SEEDED), b"seeded")
    cloud.put(lake.photo_key(SENT), b"sent", ContentType="image/jpeg")
    cloud.tag(SENT, lake.ORIGIN_REQUEST)
    cloud.put("models/1/model.tflite", b"a model")
    cloud.put("models/2/model.tflite", b"a model")
    cloud.put(POINTER, b"version 1", ContentType="application/json")
    cloud.put_items(
        "predictions",
        {
            f"prediction {number}": {
                "photo": {"S": SENT if number else SEEDED},
                "sketch": {"B": bytes([number, 0, 255])},
                "probability": {"N": "0.25"},
                TTL_ATTRIBUTE: {"N": str(expires_at)},
            }
            for number in range(ITEMS)
        },
    )
    cloud.put_items("control", {"training-ledger": {"ledger": {"M": {"B": {"S": "no bytes"}}}}})
    return cloud
