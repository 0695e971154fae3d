"""A batch: many photos scored by one model version. What is asked, where its parts lie.

Everything of a batch lies below `batches/<id>/` in the lake:

    batch.json             what was asked and which model answers; written once
    plan.json              how far the planning has come
    plan/<chunk>.json      the photos of a chunk
    runs/<execution>.json  the chunks that an execution has to score
    rows/<chunk>.parquet   one row per photo; a chunk that has it is done
    failures/<chunk>.jsonl the photos of a chunk that could not be scored, if there are any
    results/               what the Distributed Map notes of its child executions (AWS alone)
    summary.json           counts of the whole batch
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from areyouacat.errors import InvalidBatchError
from areyouacat.serving_pointer import Variant

BATCHES_PREFIX: Final = "batches/"
BATCH_INPUT_PREFIX: Final = "batch-input/"
"""Photos and manifests that somebody put into the lake only to have them scored; they expire."""

ROWS: Final = "rows/"
ROWS_SUFFIX: Final = ".parquet"
SUMMARY_JSON: Final = "summary.json"
ROLE: Final = "batch"
"""The role of a variant that scores a batch: it has no share of the traffic."""

S3_SCHEME: Final = "s3://"
_SCHEMA: Final = 1
_FIELDS: Final = frozenset({"source", "manifest", "batch_id", "model_version"})
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_VERSION: Final = re.compile(r"[1-9][0-9]{0,17}")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Location:
    """A place in S3: an object, or all that begins with `key`."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{S3_SCHEME}{self.bucket}/{self.key}"

    @classmethod
    def of(cls, uri: str) -> Self:
        """From `s3://bucket/key`; the key may be empty.

        Raises:
            InvalidBatchError: no such address.
        """
        bucket, _, key = uri.removeprefix(S3_SCHEME).partition("/")
        if not uri.startswith(S3_SCHEME) or not _BUCKET.fullmatch(bucket):
            raise InvalidBatchError(f"{uri!r} is no address such as s3://bucket/photos/")
        return cls(bucket, key)


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks. Without a `where`, the batch of that id goes on.

    `manifest`: `where` is a file that lists photos, else what all their keys begin with.
    `model_version`: None is the champion of the moment.
    """

    batch_id: str
    where: Location | None
    manifest: bool
    model_version: str | None


def read_question(given: Mapping[str, Any], execution_name: str) -> Question:
    """From an execution's input; a batch without an id has the execution's name.

    Raises:
        InvalidBatchError: not of that form; says what is.
    """
    if unknown := sorted(given.keys() - _FIELDS):
        raise InvalidBatchError(
            f"Unknown: {', '.join(unknown)}. Known: {', '.join(sorted(_FIELDS))}."
        )
    batch_id, version = given.get("batch_id", execution_name), given.get("model_version")
    if not isinstance(batch_id, str) or not _ID.fullmatch(batch_id):
        raise InvalidBatchError("batch_id must be 1 to 80 letters, digits, - and _.")
    if version is not None and not _VERSION.fullmatch(str(version)):
        raise InvalidBatchError("model_version must be a registered version such as 3.")
    named = [name for name in ("source", "manifest") if given.get(name) is not None]
    if len(named) > 1:
        raise InvalidBatchError("Give a source or a manifest, not both.")
    if not named and "batch_id" not in given:
        raise InvalidBatchError(
            "Give a source (s3://bucket/prefix), a manifest (s3://bucket/list.txt), or the "
            "batch_id of a batch that is to go on."
        )
    where = Location.of(str(given[named[0]])) if named else None
    manifest = named == ["manifest"]
    if manifest and where and not where.key:
        raise InvalidBatchError(f"{where} is no manifest but a bucket.")
    return Question(batch_id, where, manifest, None if version is None else str(version))


@dataclass(frozen=True, slots=True)
class Batch:
    """`batch.json`: what stays the same however often a batch is resumed."""

    batch_id: str
    where: Location
    manifest: bool
    model: Variant
    created_at: str

    def to_json(self) -> bytes:
        """The file's content."""
        return json.dumps({"schema": _SCHEMA, **asdict(self)}, indent=2).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """The inverse of `to_json`.

        Raises:
            InvalidBatchError: it is something else.
        """
        try:
            values = json.loads(data)
            if values.pop("schema") != _SCHEMA:
                raise ValueError("written by another release")
            location, model = Location(**values.pop("where")), Variant(**values.pop("model"))
            return cls(where=location, model=model, **values)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidBatchError(f"batch.json cannot be read: {error}") from error

    def refuse_another(self, question: Question) -> None:
        """Nothing, if the question goes on with this batch.

        Raises:
            InvalidBatchError: it asks for other photos or another model under this id.
        """
        if question.where is not None and (question.where, question.manifest) != (
            self.where,
            self.manifest,
        ):
            raise InvalidBatchError(
                f"The batch {self.batch_id} is of {self.where}. Give another batch_id, or none."
            )
        if question.model_version not in {None, self.model.version}:
            raise InvalidBatchError(
                f"The batch {self.batch_id} is scored by model version {self.model.version}, and "
                "stays so. Give another batch_id, or none."
            )


@dataclass(frozen=True, slots=True)
class Progress:
    """`plan.json`: so many photos in so many chunks, and where the planning goes on.

    `position`: the last key that was listed, or how many bytes of a manifest were read.
    """

    chunks: int = 0
    photos: int = 0
    position: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """Of a chunk or a batch. `verdicts`: photos by verdict; `errors`: those not scored, by code."""

    verdicts: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)

    @property
    def scored(self) -> int:
        """Photos with an answer."""
        return sum(self.verdicts.values())

    @property
    def failed(self) -> int:
        """Photos without one."""
        return sum(self.errors.values())

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            dict(Counter(self.verdicts) + Counter(other.verdicts)),
            dict(Counter(self.errors) + Counter(other.errors)),
        )


def chunk_name(number: int) -> str:
    """Names sort as numbers do."""
    return f"{number:08d}"


def batch_prefix(batch_id: str) -> str:
    """Prefix of everything of a batch, with the closing slash."""
    return f"{BATCHES_PREFIX}{batch_id}/"


def batch_key(batch_id: str) -> str:
    """Key of what was asked."""
    return f"{batch_prefix(batch_id)}batch.json"


def progress_key(batch_id: str) -> str:
    """Key of how far the planning has come."""
    return f"{batch_prefix(batch_id)}plan.json"


def chunk_key(batch_id: str, chunk: str) -> str:
    """Key of a chunk's photos."""
    return f"{batch_prefix(batch_id)}plan/{chunk}.json"


def run_key(batch_id: str, execution_name: str) -> str:
    """Key of the chunks that an execution has to score."""
    return f"{batch_prefix(batch_id)}runs/{execution_name}.json"


def rows_prefix(batch_id: str) -> str:
    """Prefix of all rows, with the closing slash: one Parquet data set."""
    return f"{batch_prefix(batch_id)}{ROWS}"


def rows_key(batch_id: str, chunk: str) -> str:
    """Key of a chunk's rows."""
    return f"{rows_prefix(batch_id)}{chunk}{ROWS_SUFFIX}"


def failures_prefix(batch_id: str) -> str:
    """Prefix of the photos that could not be scored, with the closing slash."""
    return f"{batch_prefix(batch_id)}failures/"


def failures_key(batch_id: str, chunk: str) -> str:
    """Key of a chunk's photos that could not be scored."""
    return f"{failures_prefix(batch_id)}{chunk}.jsonl"


def results_prefix(batch_id: str) -> str:
    """Prefix of what the Distributed Map writes of its child executions."""
    return f"{batch_prefix(batch_id)}results"


def summary_key(batch_id: str) -> str:
    """Key of the counts of a whole batch."""
    return f"{batch_prefix(batch_id)}{SUMMARY_JSON}"
