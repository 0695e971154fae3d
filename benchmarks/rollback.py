"""How long the old model still answers after somebody has decided to go back."""

import json
import time
from collections.abc import Mapping
from typing import Any, Final

from areyouacat.lake import model_prefix
from areyouacat.model_spec import KERAS_FILE, MODEL_FILE, SPEC_FILE
from benchmarks.figures import BenchmarkError, Context, Figure, Repeated
from benchmarks.http_load import Connection, poll
from benchmarks.local_api import LocalApi
from benchmarks.local_cloud import LocalCloud, local_cloud
from benchmarks.repetition import repeated_median
from benchmarks.sample_photos import SMALL, photo_like

NAME = "rollback"
DESCRIPTION = "from a rollback's start to the last answer of the version that was left"
TIMES, QUICK_TIMES = 8, 2
TARGET_SECONDS: Final = 60.0
_ANSWERS: Final = 40  # of the version gone back to, in a row: nobody answers with the old one
_DEADLINE_SECONDS: Final = 180.0
_FIRST, _SECOND = "1", "2"


def run(context: Context) -> list[Figure]:
    """Deploy the second version, go back to the first, again and again, while somebody asks."""
    with local_cloud(context, NAME, starter=True) as cloud:
        _copy_version(cloud)
        api = LocalApi.of(cloud)
        api.raise_throttles()
        seconds = []
        with api.connect() as connection:
            for number in range(QUICK_TIMES if context.quick else TIMES):
                _start(cloud, {"version": _SECOND, "strategy": "all_at_once"})
                _until_answered_by(api, connection, _SECOND)
                decided = time.monotonic()
                _start(cloud, {"strategy": "roll_back", "from_version": _SECOND})
                seconds.append(_until_answered_by(api, connection, _FIRST) - decided)
                context.say(f"  rollback {number + 1}: {seconds[-1]:.1f} s")
    worst = Repeated(max(seconds), len(seconds), None)
    return [
        Figure.at_most("the last old answer, at worst", worst, "s", TARGET_SECONDS),
        Figure.told("the last old answer, median", repeated_median(seconds), "s"),
    ]


def _copy_version(cloud: LocalCloud) -> None:
    """The same files under another number; the registry does not know it, which holds up nobody."""
    s3 = cloud.client("s3")
    for file in (MODEL_FILE, KERAS_FILE, SPEC_FILE):
        s3.copy_object(
            Bucket=cloud.lake,
            Key=f"{model_prefix(_SECOND)}{file}",
            CopySource={"Bucket": cloud.lake, "Key": f"{model_prefix(_FIRST)}{file}"},
        )


def _start(cloud: LocalCloud, asked: Mapping[str, Any]) -> None:
    machine = cloud.endpoints()["state_machines"]["deploy"]
    cloud.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(asked))


def _until_answered_by(api: LocalApi, connection: Connection, version: str) -> float:
    """The moment of the last answer of another version; `time.monotonic`."""
    photo = photo_like(SMALL)
    last_other, in_a_row = time.monotonic(), 0

    def answered() -> bool:
        nonlocal last_other, in_a_row
        reply = connection.send(api.predict(photo))
        if reply.status != 200:
            raise BenchmarkError(f"a request failed: {reply.status} {reply.body[:200]!r}")
        if json.loads(reply.body)["model"]["version"] == version:
            in_a_row += 1
        else:
            last_other, in_a_row = time.monotonic(), 0
        return in_a_row >= _ANSWERS

    poll(f"version {version}", answered, _DEADLINE_SECONDS)
    return last_other
