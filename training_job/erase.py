"""Erase photos: `python -m training_job.erase <sha256 or file> [...]`, or `--finish`.

A tombstone comes first: from then on no data set takes the photo in, and seeding leaves it out.
An empty object takes its place, so that the API cannot store the same bytes again. Then everything
in the lake that holds the photo goes, every version of it: its bytes, its index row, its labels,
its feature vectors, the picture sheets of worst mistakes that show it. Shards are written anew
without it before the old ones go, so a run that was cut short is finished by running the same
command again.

The API's DELETE /predictions/{id} erases a photo's bytes and leaves a tombstone; `--finish` takes
every photo that has one, and so erases what shards, features and sheets still hold of it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath

from botocore.exceptions import BotoCoreError, ClientError

from training_job.endpoints import Endpoints, UnknownEndpointError
from training_job.erase_apply import apply_plan
from training_job.erase_plan import (
    FeatureShard,
    Plan,
    RecordShard,
    Sheet,
    UnlistedSheet,
    UnreadableShard,
    erased_photos,
    make_plan,
)
from training_job.mlflow_sheets import SheetsUnreachableError, erase_sheets
from training_job.photo_argument import PHOTO_HELP, photo_named
from training_job.versioned_lake import VersionedLake, VersionsNotDeletedError

DONE, INCOMPLETE, NOT_BEGUN = 0, 1, 2

Ask = Callable[[str], bool]


def _overview(plan: Plan) -> str:
    rows = sum(found.records for found in plan.findings if isinstance(found, RecordShard))
    vectors = sum(len(f.photos) for f in plan.findings if isinstance(f, FeatureShard))
    sheets = sum(isinstance(found, Sheet) for found in plan.findings)
    return (
        f"Photos: {len(plan.photos):,}. They are in {len(plan.originals):,} stored versions, "
        f"{rows:,} index rows and label records, {vectors:,} feature vectors and {sheets:,} "
        "picture sheets."
    )


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        print(
            "Nothing was erased: there is nobody to ask. Say --yes (make erase … YES=1).",
            file=sys.stderr,
        )
        return False
    return input(f"{question} It cannot be undone. [y/N] ").strip().lower() in {"y", "yes"}


def _remains(plan: Plan) -> list[str]:
    """What holds the photo, or may hold it, out of this command's reach."""
    lines = [
        "Data set manifests and what stands beside them, and the scores in training archives, keep "
        "the hash, not the photo.",
        "Predictions in DynamoDB keep the hash and the statistics: without feedback they expire, "
        "with feedback they stay. DELETE /predictions/{prediction_id} takes one away.",
        "Copies outside the lake stay: seeding leaves them out.",
    ]
    unlisted = [found.folder for found in plan.findings if isinstance(found, UnlistedSheet)]
    if unlisted:
        runs = ", ".join(PurePosixPath(folder).parent.name for folder in unlisted[:5])
        more = f" and {len(unlisted) - 5} more" if len(unlisted) > 5 else ""
        lines.append(
            f"{len(unlisted)} MLflow runs have a sheet of worst mistakes that does not say whom it "
            f"shows; look at them: {runs}{more}."
        )
    return lines


def main(arguments: Sequence[str] | None = None, ask: Ask = _confirmed) -> int:
    """Exit codes: 0 erased, 1 not all of it could be, 2 nothing was touched."""
    parser = argparse.ArgumentParser(
        prog="python -m training_job.erase",
        description="Erase photos from the lake, and keep them out.",
    )
    parser.add_argument("photos", nargs="*", help=PHOTO_HELP)
    parser.add_argument(
        "--finish",
        action="store_true",
        help="instead of naming photos: all that have a tombstone, such as those the API erased",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--even-if-unknown",
        action="store_true",
        help="leave a tombstone for a photo that the lake does not know: it will never come in",
    )
    options = parser.parse_args(arguments)
    if bool(options.photos) == options.finish:
        parser.error("name the photos, or say --finish (make erase PHOTO=…, or FINISH=1)")
    try:
        named = frozenset(map(photo_named, options.photos))
        endpoints = Endpoints.load()
        versioned = VersionedLake(endpoints.client("s3"), endpoints.require_lake_bucket())
        photos = erased_photos(versioned) if options.finish else named
        if not photos:
            print("No photo has a tombstone, so there is nothing to finish.")
            return DONE
        plan = make_plan(versioned, photos)
        if plan.unknown and not options.even_if_unknown:
            return _refuse_unknown(plan.unknown)
        print(_overview(plan))
        if not options.yes and not ask("Erase them?"):
            return NOT_BEGUN
        return _erase(versioned, plan, endpoints)
    except (ValueError, UnknownEndpointError) as error:
        print(error, file=sys.stderr)
        return NOT_BEGUN
    except (BotoCoreError, ClientError, VersionsNotDeletedError) as error:
        print(
            f"Erasing did not finish: {error}. Run the same command again; it goes on.",
            file=sys.stderr,
        )
        return INCOMPLETE


def _refuse_unknown(unknown: Sequence[str]) -> int:
    print(
        f"The lake does not know {', '.join(unknown)}. Nothing was erased. "
        "To keep such a photo out for ever, say --even-if-unknown (make erase … UNKNOWN=1).",
        file=sys.stderr,
    )
    return NOT_BEGUN


def _erase(versioned: VersionedLake, plan: Plan, endpoints: Endpoints) -> int:
    removed = apply_plan(versioned, plan, datetime.now(UTC))
    problems = [
        f"{found.key} cannot be read ({found.reason}), so whether it names the photo is not "
        "known. Delete it and seed its photos again."
        for found in plan.findings
        if isinstance(found, UnreadableShard)
    ]
    if uri := os.environ.get("MLFLOW_TRACKING_URI", ""):
        try:
            removed["picture sheets of worst mistakes"] += len(erase_sheets(uri, plan.photos))
        except SheetsUnreachableError as error:
            problems.append(str(error))
    print("Erased:" if +removed else "Nothing was left to erase.")
    for kind, number in (+removed).items():
        print(f"  {number:,} {kind}")
    print("Not reached:")
    for line in _remains(plan) + _trainings(endpoints):
        print(f"  {line}")
    for problem in problems:
        print(problem, file=sys.stderr)
    return INCOMPLETE if problems else DONE


def _trainings(endpoints: Endpoints) -> list[str]:
    """Trainings under way may have read the photo before it was erased."""
    try:
        running = running_trainings(endpoints)
    except (BotoCoreError, ClientError) as error:
        return [f"Whether a training is under way could not be asked ({error})."]
    if not running:
        return []
    return [
        f"A training is under way ({', '.join(running)}); it may store features of the photo once "
        "more. Run the same command again when it has ended."
    ]


def running_trainings(endpoints: Endpoints) -> list[str]:
    """Names of the train workflow's executions that have not ended."""
    machine = endpoints.state_machines.get("train")
    if not machine:
        return []
    found = endpoints.client("stepfunctions").list_executions(
        stateMachineArn=machine, statusFilter="RUNNING"
    )
    return [str(execution["name"]) for execution in found["executions"]]


if __name__ == "__main__":
    sys.exit(main())
