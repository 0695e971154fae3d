"""Where a model comes from, and what was made of something: `python -m training_job.lineage`.

Without an option: the version that serves now. The MLflow registry is the registry of record;
hashes are compared with the bytes in the lake as they are now.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from areyouacat.errors import AreYouACatError
from areyouacat.settings import MODEL_NAME
from training_job.endpoints import Endpoints, UnknownEndpointError
from training_job.lineage_gather import Gatherer
from training_job.lineage_records import Lineage
from training_job.lineage_sources import Objects, Registry, Workflows
from training_job.lineage_text import lineage_lines, lone_job_lines, uses_lines, versions_lines
from training_job.photo_argument import PHOTO_HELP, photo_named

FOUND = 0
NOT_SOUND = 1
"""A hash differs, a file is missing, or nothing was made of what was asked for."""
NOT_ANSWERED = 2


def main(
    arguments: Sequence[str] | None = None, connect: Callable[[], Gatherer] | None = None
) -> int:
    """Exit codes: 0 found, 1 found but not sound (or nothing was made of it), 2 not answered."""
    parser = argparse.ArgumentParser(
        prog="python -m training_job.lineage",
        description="Where a model version comes from; or which versions were made of something.",
    )
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--version", default="", help="a registered model version")
    asked.add_argument("--dataset", default="", help="a data set version: what was made of it")
    asked.add_argument("--photo", default="", help=PHOTO_HELP)
    asked.add_argument("--job", default="", help="a training job's name or ARN")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--photos", action="store_true", help="list the data set's photos")
    options = parser.parse_args(arguments)
    try:
        gatherer = (connect or _connect)()
        if options.dataset:
            return _tell_dataset(gatherer, options)
        if options.photo:
            return _tell_photo(gatherer, options)
        if options.job:
            return _tell_job(gatherer, options)
        version = options.version or gatherer.serving_version()
        return _tell_version(gatherer.lineage(version), options)
    except (UnknownEndpointError, AreYouACatError, ValueError) as error:
        print(error, file=sys.stderr)
    except (BotoCoreError, ClientError) as error:
        print(f"The lake cannot be reached or refused: {error}. Is it up?", file=sys.stderr)
    return NOT_ANSWERED


def _connect() -> Gatherer:
    endpoints = Endpoints.load()
    lake = Objects(endpoints.client("s3"), endpoints.require_lake_bucket())
    workflows = Workflows(endpoints.client("sagemaker"), endpoints.client("stepfunctions"))
    registry = Registry(
        os.environ.get("MLFLOW_TRACKING_URI", "") or endpoints.mlflow_url, MODEL_NAME
    )
    return Gatherer(MODEL_NAME, registry, lake, workflows)


def _tell_version(found: Lineage, options: argparse.Namespace) -> int:
    if options.json:
        values = asdict(found)
        values["is_sound"] = found.is_sound
        values["version"]["verdicts"] = {
            file.key: file.verdict for file in (found.dataset.manifest, *found.files)
        }
        if not options.photos:
            del values["dataset"]["photos"]
        _print_json(values)
    else:
        _print_lines(lineage_lines(found))
        if options.photos:
            _print_lines(f"{p.photo}  {p.label}  {p.split}" for p in found.dataset.photos)
    return FOUND if found.is_sound else NOT_SOUND


def _tell_dataset(gatherer: Gatherer, options: argparse.Namespace) -> int:
    return _tell_versions(
        gatherer, options, lambda tags: tags.get("dataset_version") == options.dataset, {}, ()
    )


def _tell_job(gatherer: Gatherer, options: argparse.Namespace) -> int:
    name = options.job.rpartition("/")[2]
    job = gatherer.records.job(name)
    return _tell_versions(
        gatherer,
        options,
        lambda tags: tags.get("training_job_name") == name,
        {"job": asdict(job)},
        lone_job_lines(job),
    )


def _tell_photo(gatherer: Gatherer, options: argparse.Namespace) -> int:
    photo = photo_named(options.photo)
    uses = list(gatherer.uses(photo))
    datasets = {use.dataset_version for use in uses}
    return _tell_versions(
        gatherer,
        options,
        lambda tags: tags.get("dataset_version") in datasets,
        {"photo": photo, "datasets": [asdict(use) for use in uses]},
        uses_lines(uses) if uses else ["No data set version holds it."],
    )


def _tell_versions(
    gatherer: Gatherer,
    options: argparse.Namespace,
    is_wanted: Callable[[Any], bool],
    more: dict[str, Any],
    before: Iterable[str],
) -> int:
    problems: list[str] = []
    versions = [found for found in gatherer.all_versions(problems) if is_wanted(found.tags)]
    if options.json:
        _print_json(
            {**more, "versions": [asdict(found) for found in versions], "problems": problems}
        )
    else:
        _print_lines(before)
        _print_lines(versions_lines(versions, _serving(gatherer)))
        _print_lines(problems)
    return FOUND if versions else NOT_SOUND


def _serving(gatherer: Gatherer) -> str:
    try:
        return gatherer.serving_version()
    except AreYouACatError:
        return ""


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def _print_json(values: Any) -> None:
    print(json.dumps(values, indent=2, default=_as_text))


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


if __name__ == "__main__":
    sys.exit(main())
