"""The tables' side of a backup: all items out, all items in, in parts side by side."""

from __future__ import annotations

import base64
import gzip
import json
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

PARTS: Final = 4
_AT_ONCE: Final = 25  # BatchWriteItem's own limit
_TRIES: Final = 8
_GZIP: Final = zlib.MAX_WBITS | 16  # zlib's word for gzip; its header holds no time

Item = dict[str, dict[str, Any]]
"""An item as DynamoDB writes it: attributes with their types, binary ones as bytes."""


class NotWrittenError(Exception):
    """DynamoDB took some items again and again not; the message names the table."""


class TableCopier:
    """One table, through a DynamoDB client that threads may share."""

    def __init__(
        self, dynamodb: Any, name: str, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        """`dynamodb` is a boto3 client."""
        self._dynamodb, self._name, self._sleep = dynamodb, name, sleep

    def scan(self, part: int) -> Iterator[Item]:
        """All items of one of the `PARTS`.

        Nothing that serves ever scans; a backup is the one place that wants every item.
        """
        pages = self._dynamodb.get_paginator("scan")
        for page in pages.paginate(
            TableName=self._name, ConsistentRead=True, Segment=part, TotalSegments=PARTS
        ):
            yield from page["Items"]

    def put(self, items: Iterable[Item]) -> int:
        """Put items, over those of the same key; how many.

        Raises:
            NotWrittenError: some were refused again and again.
        """
        written, waiting = 0, iter(items)
        while some := list(islice(waiting, _AT_ONCE)):
            self._put_batch(some)
            written += len(some)
        return written

    def _put_batch(self, items: list[Item]) -> None:
        waiting = {self._name: [{"PutRequest": {"Item": item}} for item in items]}
        for number in range(_TRIES):
            answer = self._dynamodb.batch_write_item(RequestItems=waiting)
            waiting = answer.get("UnprocessedItems")
            if not waiting:
                return
            self._sleep(0.1 * 2**number)
        raise NotWrittenError(
            f"DynamoDB is too busy to take items into {self._name}. Run the same command again."
        )


class Packed:
    """Items as chunks of gzip-compressed JSON lines, the same for the same items.

    Lines look as in DynamoDB's own export: binary values in base64.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        """`items` are taken one by one, as the chunks are."""
        self._items = items
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        """The chunks; `count` is right once they are through."""
        gz = zlib.compressobj(level=6, wbits=_GZIP)
        for item in self._items:
            self.count += 1
            yield gz.compress(item_line(item))
        yield gz.flush()


def unpacked(file: Path) -> Iterator[Item]:
    """The items of a file that `Packed` filled."""
    with gzip.open(file) as lines:
        for line in lines:
            yield json.loads(line, object_hook=_with_bytes)


def item_line(item: Item) -> bytes:
    """One item; equal items give equal lines."""
    return json.dumps(item, sort_keys=True, separators=(",", ":"), default=_base64).encode() + b"\n"


def _base64(value: Any) -> str:
    return base64.b64encode(bytes(value)).decode("ascii")


def _with_bytes(found: dict[str, Any]) -> dict[str, Any]:
    """A typed value `{"B": "…"}`; an attribute of the name B holds an object, no text."""
    if found.keys() == {"B"} and isinstance(found["B"], str):
        return {"B": base64.b64decode(found["B"])}
    if found.keys() == {"BS"} and isinstance(found["BS"], list):
        return {"BS": [base64.b64decode(value) for value in found["BS"]]}
    return found
