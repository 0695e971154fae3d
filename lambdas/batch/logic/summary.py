"""What became of a whole batch, chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from areyouacat.batches import Batch, Counts, Progress, chunk_name


@dataclass(frozen=True, slots=True)
class Summary:
    """A batch's counts. `missing`: the chunks that have no rows yet, in order."""

    batch: Batch
    progress: Progress
    counts: Counts
    missing: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What there is to say to whoever waits."""
        done = (
            f"{self.counts.scored:,} of {self.progress.photos:,} photos are scored, "
            f"{self.counts.failed:,} could not be"
        )
        if not self.missing:
            return f"{done}."
        return (
            f"{done}; {len(self.missing):,} of {self.progress.chunks:,} chunks are missing. Start "
            f"the workflow again with the batch_id {self.batch.batch_id}: it scores those alone."
        )

    def to_dict(self) -> dict[str, Any]:
        """`summary.json`, and what the state machine hands on."""
        return {
            "batch_id": self.batch.batch_id,
            "where": str(self.batch.where),
            "model_version": self.batch.model.version,
            "photos": self.progress.photos,
            "scored": self.counts.scored,
            "failed": self.counts.failed,
            "verdicts": dict(self.counts.verdicts),
            "errors": dict(self.counts.errors),
            "chunks": self.progress.chunks,
            "missing_chunks": len(self.missing),
            "sentence": self.sentence,
        }


def summarize(batch: Batch, progress: Progress, done: Mapping[str, Counts]) -> Summary:
    """`done`: the counts of each chunk that has rows."""
    names = [chunk_name(number) for number in range(progress.chunks)]
    total = Counts()
    for name in names:
        total += done.get(name, Counts())
    return Summary(batch, progress, total, tuple(name for name in names if name not in done))


def missing(progress: Progress, done: Mapping[str, object] | set[str]) -> list[str]:
    """The chunks of a whole plan that have no rows yet, in order."""
    names = (chunk_name(number) for number in range(progress.chunks))
    return [name for name in names if name not in done]
