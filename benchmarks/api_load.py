"""Many requests at once, and whether each left exactly one prediction and one photo."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from areyouacat.lake import PHOTOS_PREFIX, photo_key, sha256_hex
from areyouacat.predictions import PARTITION_KEY
from benchmarks.figures import Context, Figure
from benchmarks.http_load import load
from benchmarks.local_api import LocalApi
from benchmarks.local_cloud import LocalCloud, local_cloud
from benchmarks.repetition import milliseconds, per_second
from benchmarks.sample_photos import SMALL, different, photo_like

NAME = "api_load"
DESCRIPTION = "5,000 requests at 16 clients through API Gateway: none fails, is lost or doubled"
REQUESTS, QUICK_REQUESTS, CLIENTS = 5_000, 300, 16


def run(context: Context) -> list[Figure]:
    """Ask, then count what the table and the lake hold."""
    requests = QUICK_REQUESTS if context.quick else REQUESTS
    with local_cloud(context, NAME, starter=True) as cloud:
        api = LocalApi.of(cloud)
        api.raise_throttles()
        api.warm_up(photo_like(SMALL, seed=2), CLIENTS)
        photos = list(islice(different(photo_like(SMALL)), requests))
        before, memory = predictions(cloud), api.worker_megabytes()
        context.say(f"  {requests:,} requests at {CLIENTS} clients")
        ran = load(api.connect, map(api.predict, photos), CLIENTS)
        grown = api.worker_megabytes()[0] - memory[0]
        failed = ran.failures()
        answered = [
            json.loads(reply.body)["prediction_id"] for reply in ran.replies if reply.status == 200
        ]
        lost, doubled = lost_and_doubled(answered, predictions(cloud) - before)
        stored = set(stored_photos(cloud))
        missing = sum(photo_key(sha256_hex(photo)) not in stored for photo in photos)
    said = f"the first: {failed[0].status} {failed[0].body[:200]!r}" if failed else ""
    return [
        Figure.at_most("requests that failed", len(failed), "", 0, said),
        Figure.at_most("predictions lost", lost, "", 0),
        Figure.at_most("predictions doubled", doubled, "", 0),
        Figure.at_most("photos missing", missing, "", 0),
        Figure.told(
            "requests per second", per_second(ran), "1/s", f"{len(memory)} processes serve"
        ),
        *(
            Figure.told(f"p{percent}", milliseconds(ran, percent / 100), "ms", f"{CLIENTS} clients")
            for percent in (50, 95, 99)
        ),
        Figure.told(
            "growth of the largest serving process", grown, "MB", f"from {memory[0]:.0f} MB"
        ),
    ]


def lost_and_doubled(answered: Iterable[str], stored: Counter[str]) -> tuple[int, int]:
    """Answers without an item, and items too many: twice the same, or never answered.

    `stored`: how many items there are of each prediction id.
    """
    told = Counter(answered)
    return (told - stored).total(), (stored - told).total()


def predictions(cloud: LocalCloud) -> Counter[str]:
    """How many items of each id the table holds."""
    pages = cloud.client("dynamodb").get_paginator("scan")
    return Counter(
        item[PARTITION_KEY]["S"]
        for page in pages.paginate(
            TableName=cloud.endpoints()["predictions_table"], ProjectionExpression=PARTITION_KEY
        )
        for item in page["Items"]
    )


def stored_photos(cloud: LocalCloud) -> Iterator[str]:
    """The keys of all photos in the lake."""
    pages = cloud.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=cloud.lake, Prefix=PHOTOS_PREFIX):
        yield from (found["Key"] for found in page.get("Contents", ()))
