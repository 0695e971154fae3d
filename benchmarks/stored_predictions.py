"""A local cloud's table filled with predictions that nobody asked for, and their photos."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

import numpy as np

from areyouacat.lake import photo_key, sha256_hex, utc_text
from areyouacat.predictions import (
    FEEDBACK_AT,
    FEEDBACK_BUCKET,
    FEEDBACK_LABEL,
    PARTITION_KEY,
    PREDICTED_AT,
    PREDICTED_BUCKET,
    TTL_ATTRIBUTE,
    time_bucket,
)
from areyouacat.settings import LABELS, UNSURE
from benchmarks.generated_predictions import kinds, labelled, stored
from benchmarks.local_cloud import LocalCloud
from benchmarks.sample_photos import SMALL, photo_like

WINDOW: Final = timedelta(hours=24)
_PHOTOS: Final = 40  # different ones; of each there are many predictions
_BATCH: Final = 25  # items; BatchWriteItem's own limit
_WRITERS: Final = 8
_UNSURE: Final = (0.4, 0.6)  # probabilities between which an answer is "hard to tell"
_SEED: Final = 20_261_123

Item = dict[str, Any]


def fill(cloud: LocalCloud, rows: int, now: datetime) -> None:
    """Write `rows` predictions of the version that serves, spread over the day before `now`.

    One in a hundred has a label. Raises botocore's `ClientError`, or `RuntimeError` where DynamoDB
    leaves something unwritten.
    """
    s3, lake = cloud.client("s3"), cloud.lake
    photos = [photo_like(SMALL, seed) for seed in range(_PHOTOS)]
    for photo in photos:
        s3.put_object(Bucket=lake, Key=photo_key(sha256_hex(photo)), Body=photo)
    names = [sha256_hex(photo) for photo in photos]
    made = items(rows, now, cloud.pointer().champion.version, names)
    dynamodb, table = cloud.client("dynamodb"), cloud.endpoints()["predictions_table"]

    def write(batch: list[Item]) -> None:
        puts = [{"PutRequest": {"Item": item}} for item in batch]
        left = dynamodb.batch_write_item(RequestItems={table: puts})["UnprocessedItems"]
        if left:
            raise RuntimeError(f"{len(left[table])} predictions were not written")

    with ThreadPoolExecutor(_WRITERS) as writers:
        list(writers.map(write, iter(lambda: list(islice(made, _BATCH)), [])))


def items(rows: int, now: datetime, version: str, photos: list[str]) -> Iterator[Item]:
    """The items as DynamoDB takes them, each under an id of its own; the same ones each time."""
    drawn = np.random.default_rng(_SEED)
    made: list[Mapping[str, Any]] = []
    for one in kinds():
        unsure = _UNSURE[0] < one.probability < _UNSURE[1]
        verdict = UNSURE if unsure else one.label
        made.append(stored(replace(one, verdict=verdict, model_version=version)))
    for number in range(rows):
        at = now - WINDOW * ((number + 1) / rows)
        name = str(UUID(bytes=drawn.bytes(16), version=4))
        item = {
            **made[number % len(made)],
            PARTITION_KEY: {"S": name},
            PREDICTED_AT: {"S": utc_text(at)},
            PREDICTED_BUCKET: {"S": time_bucket(at, name)},
            "photo": {"S": photos[number % len(photos)]},
        }
        if number % (rows // labelled(rows)) == 0:
            said = LABELS.all[number % len(LABELS.all)]
            item |= {
                FEEDBACK_LABEL: {"S": said},
                FEEDBACK_AT: {"S": utc_text(at)},
                FEEDBACK_BUCKET: {"S": time_bucket(at, name)},
            }
            del item[TTL_ATTRIBUTE]
        yield item
