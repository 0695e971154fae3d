"""A batch's files in the lake: what was asked, the plan, the rows, the summary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from botocore.exceptions import ClientError

from areyouacat import batches
from areyouacat.batches import Batch, Counts, Location, Progress
from areyouacat.errors import InvalidBatchError, StalePointerError
from lambdas.serving.logic.ahead import ahead
from lambdas.shared.aws import error_code

_MISSING: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_LOST_THE_RACE: Final = frozenset(
    {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}
)
_READERS: Final = 32
_COUNTS: Final = "counts"
"""The name of the metadata in which a Parquet file carries its counts: no need to open it."""


class BatchStore:
    """One batch of one lake."""

    def __init__(self, s3: Any, bucket: str, batch_id: str) -> None:
        """`s3` is a boto3 client; `bucket` is the lake."""
        self._s3 = s3
        self._bucket = bucket
        self._id = batch_id
        self._plan_etag: str | None = None

    def batch(self) -> Batch | None:
        """What was asked under this id, if anything was.

        Raises:
            InvalidBatchError: its file cannot be read.
        """
        data = self._get(batches.batch_key(self._id))
        return None if data is None else Batch.from_json(data)

    def require_batch(self) -> Batch:
        """What was asked under this id.

        Raises:
            InvalidBatchError: nothing was.
        """
        found = self.batch()
        if found is None:
            raise InvalidBatchError(
                f"There is no batch {self._id}. Give a source or a manifest to begin one."
            )
        return found

    def begin(self, batch: Batch) -> Batch:
        """Stores what is asked; if somebody was quicker, what they asked."""
        try:
            self._put(batches.batch_key(self._id), batch.to_json(), IfNoneMatch="*")
        except ClientError as error:
            if error_code(error) not in _LOST_THE_RACE:
                raise
            return self.require_batch()
        return batch

    def progress(self) -> Progress:
        """How far the planning has come; remembered, so that `save` notices another planner."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=batches.progress_key(self._id))
        except ClientError as error:
            if error_code(error) in _MISSING:
                return Progress()
            raise
        self._plan_etag = answer["ETag"]
        return Progress(**json.loads(answer["Body"].read()))

    def save(self, progress: Progress) -> None:
        """Stores the progress in the place of the one that was read or saved last.

        Raises:
            StalePointerError: another execution plans the same batch; try again and go on with it.
        """
        condition = {"IfMatch": self._plan_etag} if self._plan_etag else {"IfNoneMatch": "*"}
        body = json.dumps(asdict(progress)).encode()
        try:
            answer = self._put(batches.progress_key(self._id), body, **condition)
        except ClientError as error:
            if error_code(error) not in _LOST_THE_RACE:
                raise
            raise StalePointerError(
                f"another execution plans the batch {self._id} at the same time"
            ) from error
        self._plan_etag = answer["ETag"]

    def put_chunk(self, number: int, photos: Sequence[Location]) -> None:
        """Stores which photos a chunk has."""
        body = json.dumps([[photo.bucket, photo.key] for photo in photos]).encode()
        self._put(batches.chunk_key(self._id, batches.chunk_name(number)), body)

    def chunk(self, name: str) -> list[Location]:
        """The photos of a chunk.

        Raises:
            InvalidBatchError: there is no such chunk.
        """
        data = self._get(batches.chunk_key(self._id, name))
        if data is None:
            raise InvalidBatchError(f"The batch {self._id} has no chunk {name!r}.")
        return [Location(*each) for each in json.loads(data)]

    def put_run(self, execution_name: str, chunks: Iterable[str]) -> str:
        """Stores which chunks an execution has to score, as the Distributed Map reads it; its key.

        Raises nothing of ours; the same execution writes the same file again.
        """
        key = batches.run_key(self._id, execution_name)
        self._put(key, json.dumps([{"chunk": chunk} for chunk in chunks]).encode())
        return key

    def counts(self, chunk: str) -> Counts | None:
        """The counts of a chunk that has rows; None if it has none yet."""
        try:
            answer = self._s3.head_object(
                Bucket=self._bucket, Key=batches.rows_key(self._id, chunk)
            )
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise
        return Counts(**json.loads(answer["Metadata"][_COUNTS]))

    def put_rows(self, chunk: str, parquet: bytes, failures: bytes, counts: Counts) -> None:
        """Stores a chunk's rows; last, because a chunk that has them is done."""
        if failures:
            self._put(batches.failures_key(self._id, chunk), failures)
        self._put(
            batches.rows_key(self._id, chunk),
            parquet,
            ContentType="application/vnd.apache.parquet",
            Metadata={_COUNTS: json.dumps(asdict(counts))},
        )

    def done(self) -> set[str]:
        """The chunks that have rows."""
        prefix = batches.rows_prefix(self._id)
        return {
            key.removeprefix(prefix).removesuffix(batches.ROWS_SUFFIX) for key in self._keys(prefix)
        }

    def all_counts(self) -> Mapping[str, Counts]:
        """The counts of each chunk that has rows."""
        names = sorted(self.done())
        found = ahead(self.counts, names, threads=_READERS, window=2 * _READERS)
        return {
            name: counts
            for name, counts in zip(names, found, strict=True)
            if counts is not None  # somebody deleted it in between
        }

    def some_failures(self, most: int) -> list[dict[str, Any]]:
        """The first photos that could not be scored, with the reason; at most so many."""
        found: list[dict[str, Any]] = []
        for key in self._keys(batches.failures_prefix(self._id)):
            found += [json.loads(line) for line in (self._get(key) or b"").splitlines()]
            if len(found) >= most:
                break
        return found[:most]

    def put_summary(self, summary: Mapping[str, Any]) -> str:
        """Stores the summary; gives its key."""
        key = batches.summary_key(self._id)
        self._put(key, json.dumps(summary, indent=2).encode(), ContentType="application/json")
        return key

    def _keys(self, prefix: str) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
            yield from (str(found["Key"]) for found in page.get("Contents", ()))

    def _put(self, key: str, body: bytes, **more: Any) -> Any:
        return self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, **more)

    def _get(self, key: str) -> bytes | None:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise
        data: bytes = answer["Body"].read()
        return data
