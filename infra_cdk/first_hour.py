"""From a stack that stands to a served model: starter photos, a training, one real answer a label.

The same commands that `make up` runs, each a program of its own.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import requests
from botocore.exceptions import ClientError

from areyouacat.lake import SERVING_POINTER_KEY
from areyouacat.settings import LABELS
from infra_cdk.settings import REPOSITORY_ROOT

ANSWER_SECONDS: Final = 35  # longer than API Gateway's own limit of 29
_ABSENT: Final = frozenset({"404", "NoSuchKey"})

Say = Callable[[str], None]
Run = Callable[[list[str]], int]
"""Runs a module of this project with arguments; its exit code."""


class FirstHourError(RuntimeError):
    """A step failed; the message names it and what to do."""


def run_module(arguments: list[str]) -> int:
    """Run `python -m <arguments>` with this environment, its output shown; its exit code."""
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=REPOSITORY_ROOT, env=os.environ, check=False).returncode


def has_champion(s3: Any, lake_bucket: str) -> bool:
    """Whether a model serves already.

    Raises:
        botocore.exceptions.ClientError: the lake cannot be asked.
    """
    try:
        s3.head_object(Bucket=lake_bucket, Key=SERVING_POINTER_KEY)
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            return False
        raise
    return True


def first_model(starter: Path, say: Say, run: Run = run_module) -> None:
    """Starter photos into the lake, and a training with them, followed to its end.

    Photos that the lake has are not sent again.

    Raises:
        FirstHourError: a step failed; nothing that serves has changed.
    """
    for title, arguments in (
        ("Starter photos", ["local_cloud.starter", str(starter)]),
        ("Seeding", ["training_job.seed", str(starter), "--source=starter"]),
        ("Training", ["training_job.follow", "--machine=train", "--reason=first model"]),
    ):
        say(title)
        if run(arguments):
            raise FirstHourError(
                f"{title} failed; its words stand above. The stack stands: run make deploy again, "
                "which goes on from here"
            )


def ask(endpoints: Mapping[str, Any], starter: Path, say: Say) -> None:
    """One real prediction for each label's smallest photo.

    `endpoints`: of `endpoints.json`.

    Raises:
        FirstHourError: the API does not answer as it should.
    """
    for folder in (starter / label for label in LABELS.all if (starter / label).is_dir()):
        photo = min(folder.iterdir(), key=lambda path: (path.stat().st_size, path.name))
        try:
            answer = requests.post(
                endpoints["api_url"] + "predict",
                data=photo.read_bytes(),
                headers={
                    "x-api-key": endpoints["api_key"],
                    "content-type": "application/octet-stream",
                },
                timeout=ANSWER_SECONDS,
            )
            answer.raise_for_status()
            found = answer.json()
            say(
                f"A photo labelled {folder.name}: the API says {found['label']} "
                f"({found['probability']:.3f}, model version {found['model']['version']})"
            )
        except (requests.RequestException, KeyError, TypeError, ValueError) as error:
            raise FirstHourError(
                f"The API does not answer as it should: {error}. What to look at: docs/runbook.md"
            ) from error
