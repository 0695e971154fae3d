"""Model versions side by side: `python -m training_job.compare --versions 1 2`.

The function `compare-models` scores them; here its answer is printed, drawn and kept as a page.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from botocore.exceptions import BotoCoreError, ClientError

from areyouacat.comparison_record import ComparedPhotos, ComparisonRecord
from areyouacat.comparison_text import photos, title
from areyouacat.lake import COMPARISON_JSON, COMPARISON_MARKDOWN
from training_job.compare_page import write_page
from training_job.endpoints import STATE_DIR, Endpoints, UnknownEndpointError

COMPARED = 0
NOT_ANSWERED = 2

FUNCTION_SECONDS = 840
"""How long `compare-models` may take; a little is added for the way there and back."""


class NotComparedError(Exception):
    """The function refused or failed; the message is its own."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The function's answer: the folder in the lake, and the table of figures."""

    prefix: str
    table: str


class Comparer:
    """The function and the lake it writes to."""

    def __init__(self, functions: Any, name: str, s3: Any, bucket: str) -> None:
        """`functions` and `s3` are boto3 clients of Lambda and S3."""
        self._functions = functions
        self._name = name
        self._s3 = s3
        self._bucket = bucket

    def compare(self, question: dict[str, Any]) -> Answer:
        """Asks, and waits for as long as it takes.

        Raises:
            NotComparedError: the function refused or failed.
        """
        answer = self._functions.invoke(
            FunctionName=self._name, Payload=json.dumps(question).encode()
        )
        found = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise NotComparedError(found.get("errorMessage") or f"{self._name} failed: {found}")
        return Answer(found["prefix"], found["table"])

    def read(self, key: str) -> bytes:
        """An object of the lake."""
        data: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return data


def main(
    arguments: Sequence[str] | None = None, connect: Callable[[], Comparer] | None = None
) -> int:
    """Exit codes: 0 compared, 2 not answered."""
    parser = argparse.ArgumentParser(
        prog="python -m training_job.compare",
        description="Any model versions on any data set version, side by side.",
    )
    parser.add_argument(
        "--versions", nargs="+", required=True, metavar="N", help="registered model versions"
    )
    parser.add_argument(
        "--dataset",
        metavar="VERSION",
        help="a data set version; else the one that the newest of the versions learnt from",
    )
    parser.add_argument(
        "--split", choices=get_args(ComparedPhotos), default="test", help="which of its photos"
    )
    parser.add_argument(
        "--output", type=Path, help="folder for the page; else .local/comparisons/<id>"
    )
    options = parser.parse_args(arguments)
    question: dict[str, Any] = {"versions": options.versions, "split": options.split}
    if options.dataset:
        question["dataset_version"] = options.dataset
    try:
        page = _compare((connect or _connect)(), question, options.output)
    except (UnknownEndpointError, NotComparedError, ValueError) as error:
        print(error, file=sys.stderr)
        return NOT_ANSWERED
    except (BotoCoreError, ClientError) as error:
        print(f"The cloud cannot be reached or refused: {error}. Is it up?", file=sys.stderr)
        return NOT_ANSWERED
    except OSError as error:
        print(f"The page cannot be written: {error}. Choose another --output.", file=sys.stderr)
        return NOT_ANSWERED
    print(f"\nThe page: {page}")
    return COMPARED


def _connect() -> Comparer:
    endpoints = Endpoints.load()
    return Comparer(
        endpoints.client("lambda", answers_within_seconds=FUNCTION_SECONDS + 30),
        endpoints.require_compare_function(),
        endpoints.client("s3"),
        endpoints.require_lake_bucket(),
    )


def _compare(comparer: Comparer, question: dict[str, Any], output: Path | None) -> Path:
    answer = comparer.compare(question)
    data = comparer.read(f"{answer.prefix}{COMPARISON_JSON}")
    record = ComparisonRecord.from_json(data)
    print(f"{title(record)}\n{photos(record)}\n\n{answer.table}")
    folder = output or _state_dir() / "comparisons" / record.question.identifier
    folder.mkdir(parents=True, exist_ok=True)
    (folder / COMPARISON_JSON).write_bytes(data)
    markdown = comparer.read(f"{answer.prefix}{COMPARISON_MARKDOWN}")
    (folder / COMPARISON_MARKDOWN).write_bytes(markdown)
    return write_page(folder, record)


def _state_dir() -> Path:
    return Path(os.environ.get("LOCAL_STATE_DIR") or STATE_DIR)


if __name__ == "__main__":
    sys.exit(main())
