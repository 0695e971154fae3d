"""The exception's name, from the log of the function it ended."""

import traceback

import pytest

from local_cloud.lambda_errors import error_type


class TrainingDataError(Exception):
    """An error as a function would define it."""


def log_of(error: Exception) -> str:
    try:
        raise error
    except Exception:
        return "START\nsome line\n" + traceback.format_exc()


def test_the_name_is_the_classs_without_its_module() -> None:
    assert error_type(log_of(TrainingDataError("no photos"))) == "TrainingDataError"


def test_a_message_of_several_lines_does_not_hide_the_name() -> None:
    assert error_type(log_of(ValueError("one:\nTwo: three\n"))) == "ValueError"


def test_an_exception_without_a_message_is_named() -> None:
    assert error_type(log_of(KeyboardError())) == "KeyboardError"


def test_the_last_of_several_exceptions_counts() -> None:
    try:
        try:
            raise ValueError("first")
        except ValueError as first:
            raise TrainingDataError("second") from first
    except TrainingDataError:
        log = traceback.format_exc()

    assert error_type(log) == "TrainingDataError"


@pytest.mark.parametrize(
    "log", ["", "no trace at all", "Traceback (most recent call last):\n  File x\n"]
)
def test_without_a_whole_traceback_there_is_no_name(log: str) -> None:
    assert error_type(log) is None


class KeyboardError(Exception):
    """An error that says nothing."""
