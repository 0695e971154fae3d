"""Two versions side by side, as the function `compare-models` finds them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, Final

from areyouacat.comparison_record import ComparisonRecord, Question
from areyouacat.lake import COMPARISON_JSON
from ui import aws
from ui.configuration import Configuration
from ui.lake import GoneError, Lake

FUNCTION_SECONDS: Final = 900.0
NO_FUNCTION: Final = "The function that compares is not known. Run `make up` again, then reload."


class Comparisons:
    """Questions and their answers, for all visitors together."""

    def __init__(self, configuration: Configuration, lake: Lake, functions: Any = None) -> None:
        """`functions`: a boto3 client of Lambda. Raises `aws.AwsError` where nothing compares."""
        if configuration.compare_function is None:
            raise aws.AwsError(NO_FUNCTION)
        self._function = configuration.compare_function
        self._functions = functions or aws.client(configuration, "lambda", FUNCTION_SECONDS)
        self._lake = lake
        self._asked: dict[str, Future[ComparisonRecord]] = {}
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="comparisons")

    def answer(self, question: Question) -> ComparisonRecord | None:
        """What came of it; `None` while it is worked on. Raises `aws.AwsError` once if it failed.

        Whoever asks first sets it going; others who ask the same wait for the same answer.
        """
        with self._lock:
            known = self._asked.get(question.identifier)
            if known is None:
                known = self._pool.submit(self._find, question)
                self._asked[question.identifier] = known
        if not known.done():
            return None
        if known.exception() is not None:
            with self._lock:
                self._asked.pop(question.identifier, None)  # the next one asks anew
        return known.result()

    def _find(self, question: Question) -> ComparisonRecord:
        key = f"{question.prefix}{COMPARISON_JSON}"
        try:
            return _record(self._lake.read(key))
        except GoneError:
            self._compare(question)
        return _record(self._lake.read(key))

    def _compare(self, question: Question) -> None:
        asked = {
            "versions": list(question.versions),
            "dataset_version": question.dataset_version,
            "split": question.split,
        }
        with aws.in_words():
            answer = self._functions.invoke(
                FunctionName=self._function, Payload=json.dumps(asked).encode()
            )
            said = answer["Payload"].read()
        if "FunctionError" in answer:
            raise aws.AwsError(f"They could not be compared: {_message(said)}")


def _message(said: bytes) -> str:
    try:
        found = json.loads(said)
    except ValueError:
        found = None
    message = found.get("errorMessage") if isinstance(found, Mapping) else None
    return str(message or "the function failed; its log says why.")


def _record(data: bytes) -> ComparisonRecord:
    try:
        return ComparisonRecord.from_json(data)
    except ValueError as error:
        raise aws.AwsError(f"The comparison in the lake cannot be read: {error}.") from error
