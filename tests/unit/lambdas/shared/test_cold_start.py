from __future__ import annotations

import os
import subprocess
import sys

import pytest

SHOW = (
    "import gc; from lambdas.shared import cold_start; before = gc.isenabled();"
    " cold_start.started(); print(before, gc.isenabled(), gc.get_freeze_count() > 0)"
)


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({"AWS_LAMBDA_FUNCTION_NAME": "predict"}, "False True True"),
        ({}, "True True True"),
    ],
)
def test_a_function_collects_garbage_only_when_it_has_started(
    environment: dict[str, str], shown: str
) -> None:
    kept = {k: v for k, v in os.environ.items() if k != "AWS_LAMBDA_FUNCTION_NAME"}

    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        env=kept | environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == shown
