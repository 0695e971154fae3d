"""Predictions made, not answered: as the monitor's records, and as DynamoDB would send them.

The table is boto3's own client whose requests are answered before they reach the network, by bytes
as the service writes them. So signing, JSON, pages and attribute values cost what they cost;
only the way there and back is missing.
"""

import base64
import json
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
import numpy as np
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from areyouacat.drift import Histogram
from areyouacat.drift_features import (
    INPUT_FEATURES,
    PROBABILITY_FEATURE,
    SKETCH_FEATURES,
    input_features,
)
from areyouacat.lake import utc_text
from areyouacat.predictions import (
    FEEDBACK_AT,
    FEEDBACK_INDEX,
    FEEDBACK_LABEL,
    PREDICTED_INDEX,
    Feedback,
    Prediction,
    PredictionItem,
    prediction_item,
    time_buckets,
)
from areyouacat.serving_pointer import CHAMPION, ServingPointer, Variant
from areyouacat.settings import DRIFT, LABELS, SERVING, SKETCH_DIM
from lambdas.shared.predictions_table import PredictionsTable

NOW: Final = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
HOURS: Final = 24.0
LABELLED_SHARE: Final = 0.01  # of the predictions; each label came in the same window
VERSION: Final = "7"
PAGE_BYTES: Final = 1 << 20  # of items; Query's own limit

_KINDS: Final = 2_000  # of predictions; each stands for many photos
_PAGE_MARK: Final = "@page@@@"  # in a photo's hash; replaced by the number of the page
_SEED: Final = 20_261_101


def kinds(count: int = _KINDS) -> list[Prediction]:
    """So many different predictions, the same each time; their photos are still to be named."""
    drawn = np.random.default_rng(_SEED)
    return [_prediction(drawn, number) for number in range(count)]


def _prediction(drawn: np.random.Generator, number: int) -> Prediction:
    probability = float(drawn.beta(0.4, 0.4))
    label = LABELS.positive if probability >= 0.5 else LABELS.negative
    return Prediction(
        prediction_id=drawn.bytes(16).hex(),
        predicted_at=NOW - timedelta(seconds=number),
        photo=f"{_PAGE_MARK}{number:08x}{drawn.bytes(24).hex()}",
        size_bytes=int(drawn.integers(40_000, 4_000_000)),
        width=int(drawn.integers(320, 4_000)),
        height=int(drawn.integers(240, 4_000)),
        format="JPEG",
        brightness=round(float(drawn.beta(4, 4)), 6),
        contrast=round(float(drawn.beta(4, 12)), 6),
        sharpness=round(float(drawn.lognormal(-4, 1)), 6),
        perceptual_hash=drawn.bytes(8).hex(),
        probability=probability,
        label=label,
        verdict=label,
        model_name="are-you-a-cat",
        model_version=VERSION,
        model_role=CHAMPION,
        sketch=tuple(np.round(drawn.normal(size=SKETCH_DIM), 6).tolist()),
        explanation=tuple(map(tuple, np.round(drawn.uniform(-1, 1, (7, 7)), 3).tolist())),
        latency_ms=round(float(drawn.lognormal(2.5, 0.4)), 3),
    )


def baseline(predictions: Sequence[Prediction]) -> dict[str, Histogram]:
    """The baseline that training would make of them."""
    rows = np.array([[*input_features(one), *one.sketch, one.probability] for one in predictions])
    names = (*INPUT_FEATURES, *SKETCH_FEATURES, PROBABILITY_FEATURE)
    return {name: Histogram.of(rows[:, column], DRIFT.bins) for column, name in enumerate(names)}


def pointer() -> ServingPointer:
    """A champion that has served for longer than the monitor looks back."""
    since = NOW - timedelta(days=60)
    champion = Variant(CHAMPION, "are-you-a-cat", VERSION, 1.0, "key", "0", "spec", "0")
    return ServingPointer((champion,), (), since, "benchmark", "benchmark", promoted_at=since)


def labelled(rows: int) -> int:
    """How many of so many predictions have a label."""
    return int(rows * LABELLED_SHARE)


@dataclass(frozen=True, slots=True)
class GeneratedRecords:
    """So many predictions as the monitor takes them; no table."""

    rows: int
    kinds: Sequence[Prediction]

    def predicted_between(self, _start: datetime, _end: datetime) -> Iterator[PredictionItem]:
        """All of them, each of another photo."""
        return self._some(self.rows, None)

    def labelled_between(self, _start: datetime, _end: datetime) -> Iterator[PredictionItem]:
        """Those with a label."""
        return self._some(labelled(self.rows), Feedback(LABELS.positive, NOW))

    def _some(self, count: int, feedback: Feedback | None) -> Iterator[PredictionItem]:
        for number in range(count):
            one = self.kinds[number % len(self.kinds)]
            yield PredictionItem(replace(one, photo=f"{number:016x}{one.photo[16:]}"), feedback)


@dataclass(slots=True)
class GeneratedTable:
    """Answers boto3's Query; predictions and labels lie evenly in the window's partitions.

    `queries`: answered so far. `seconds`: of processor, that making the answers took.
    """

    rows: int
    kinds: Sequence[Prediction]
    queries: int = 0
    seconds: float = 0.0
    _items: dict[str, list[bytes]] = field(init=False)
    _places: dict[str, int] = field(init=False)
    _page_rows: int = field(init=False)
    _pages: dict[tuple[str, int], bytes] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        items = [stored(one) for one in self.kinds]
        said = {FEEDBACK_LABEL: {"S": LABELS.positive}, FEEDBACK_AT: {"S": utc_text(NOW)}}
        self._items = {
            PREDICTED_INDEX: [_json(item) for item in items],
            FEEDBACK_INDEX: [_json({**item, **said}) for item in items],
        }
        self._page_rows = page_rows(items)
        buckets = time_buckets(NOW - timedelta(hours=HOURS), NOW)
        self._places = {bucket: place for place, bucket in enumerate(buckets)}

    def client(self) -> Any:
        """A DynamoDB client that never opens a connection."""
        made = boto3.client(
            "dynamodb",
            region_name="us-east-1",
            endpoint_url="http://localhost:1",
            aws_access_key_id="none",
            aws_secret_access_key="none",  # noqa: S106 # nobody sees the signature
        )
        events: Any = made.meta.events  # its stubs know no hook that answers
        events.register("before-send.dynamodb.Query", self._answer)
        return made

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        started = time.process_time()
        asked = json.loads(request.body)
        index = asked["IndexName"]
        bucket = asked["ExpressionAttributeValues"][":bucket"]["S"]
        first = int(asked.get("ExclusiveStartKey", {"row": {"N": "0"}})["row"]["N"])
        last = self._rows_of(index, bucket)
        rows = min(self._page_rows, last - first)
        more = {"row": {"N": str(first + rows)}} if first + rows < last else None
        body = self._body(index, rows, more)
        headers = HTTPHeaders()
        headers["content-type"] = "application/x-amz-json-1.0"
        headers["x-amz-crc32"] = str(zlib.crc32(body))
        self.queries += 1
        self.seconds += time.process_time() - started
        return AWSResponse(request.url, 200, headers, _Raw(body))

    def _rows_of(self, index: str, bucket: str) -> int:
        place = self._places.get(bucket)
        if place is None:
            return 0
        rows = self.rows if index == PREDICTED_INDEX else labelled(self.rows)
        return rows * (place + 1) // len(self._places) - rows * place // len(self._places)

    def _body(self, index: str, rows: int, more: Mapping[str, Any] | None) -> bytes:
        """A page; its items are those of every other page but for the photos' names."""
        if (index, rows) not in self._pages:
            self._pages[index, rows] = b",".join(self._items[index][:rows])
        items = self._pages[index, rows].replace(_PAGE_MARK.encode(), b"%08x" % self.queries)
        rest: dict[str, Any] = {"Count": rows, "ScannedCount": rows}
        if more:
            rest["LastEvaluatedKey"] = more
        return b'{"Items":[' + items + b"]," + json.dumps(rest).encode()[1:]


def page_rows(items: Sequence[Mapping[str, Any]]) -> int:
    """How many of such items one answer to a Query holds."""
    mean = sum(item_bytes(item) for item in items) / len(items)
    rows = int(PAGE_BYTES / mean)
    if rows > len(items):
        raise ValueError(f"a page of {rows} items needs as many different ones")
    return rows


def item_bytes(item: Mapping[str, Any]) -> int:
    """An item's size as DynamoDB counts it: names, values, and a few bytes around each list."""
    return sum(len(name) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    kind: str
    content: Any
    ((kind, content),) = value.items()
    if kind == "N":  # two digits a byte, and one more; another for a sign
        digits = content.replace(".", "").strip("-0")
        return (len(digits) + 1) // 2 + 1 + int(content.startswith("-"))
    if kind == "L":
        return 3 + sum(1 + _value_bytes(element) for element in content)
    return len(content)


def stored(prediction: Prediction) -> Mapping[str, Any]:
    """The item, as the product's own code would have it written."""
    taken = _Taken()
    item = prediction_item(prediction, SERVING.prediction_ttl_days)
    PredictionsTable(taken, "generated").put(item)
    return taken.item


class _Taken:
    """A DynamoDB client that keeps what it was given."""

    item: Mapping[str, Any]

    def put_item(self, *, Item: Mapping[str, Any], **_: Any) -> None:  # noqa: N803 # boto3's name
        self.item = Item


@dataclass(frozen=True, slots=True)
class _Raw:
    """A body that has arrived."""

    body: bytes

    def stream(self) -> Iterable[bytes]:
        return (self.body,)


def _json(item: Mapping[str, Any]) -> bytes:
    return json.dumps(item, default=lambda data: base64.b64encode(data).decode()).encode()
