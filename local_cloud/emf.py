"""Relay metrics from function logs to CloudWatch: `python -m local_cloud.emf`.

On AWS, CloudWatch itself reads the embedded metric format out of log events; the emulator does not.
This process polls the functions' log groups through the public logs API and publishes what it
finds with PutMetricData. What it has published it keeps in `<state>/emf.json`, so that a restart
repeats nothing. An event is published again only if the process is killed between publishing and
writing that file.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.emf_format import MetricDatum, parse

POLL_SECONDS = 2.0
GROUP_PREFIX = "/aws/lambda/"
OVERLAP_MS = 10_000
"""Events may appear a little after their time: look this far back, past what was seen already."""
MAX_DATA_PER_REQUEST = 500
_FILTER = '"CloudWatchMetrics"'
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

logger = logging.getLogger("local_cloud.emf")


@dataclass(frozen=True)
class Event:
    """One log event. `timestamp` in ms since 1970; `key` is the same whenever it is read."""

    key: str
    timestamp: int
    message: str


@dataclass
class GroupProgress:
    """How far a log group has been read: the newest time seen, and what was seen around it."""

    newest: int = 0
    seen: dict[str, int] = field(default_factory=dict)

    @property
    def start(self) -> int:
        """From when on to read."""
        return max(0, self.newest - OVERLAP_MS)

    def new(self, events: Iterable[Event]) -> list[Event]:
        """The events not seen before."""
        return [event for event in events if event.key not in self.seen]

    def advance(self, events: Iterable[Event]) -> None:
        """These have been dealt with; forgets what is out of reach."""
        for event in events:
            self.seen[event.key] = event.timestamp
            self.newest = max(self.newest, event.timestamp)
        self.seen = {key: at for key, at in self.seen.items() if at >= self.start}


def identified(records: Sequence[Mapping[str, Any]]) -> list[Event]:
    """FilterLogEvents' records as events.

    The emulator gives function logs no event id, so an event is known by its stream, time, text and
    how many the same came before it.
    """
    counted: Counter[tuple[str, int, str]] = Counter()
    events = []
    for record in records:
        what = (str(record["logStreamName"]), int(record["timestamp"]), str(record["message"]))
        counted[what] += 1
        key = hashlib.sha256(json.dumps([*what, counted[what]]).encode()).hexdigest()[:24]
        events.append(Event(key, what[1], what[2]))
    return events


def requests(data: Iterable[MetricDatum]) -> Iterator[dict[str, Any]]:
    """PutMetricData requests: one namespace each, no more data than AWS takes at once."""
    by_namespace: dict[str, list[dict[str, Any]]] = {}
    for datum in data:
        by_namespace.setdefault(datum.namespace, []).append(datum.to_api())
    for namespace, members in by_namespace.items():
        for start in range(0, len(members), MAX_DATA_PER_REQUEST):
            batch = members[start : start + MAX_DATA_PER_REQUEST]
            yield {"Namespace": namespace, "MetricData": batch}


def is_loopback(endpoint_url: str) -> bool:
    """Whether an endpoint is on this machine; the relay must never publish to an AWS account."""
    return urlsplit(endpoint_url).hostname in _LOOPBACK


class Relay:
    """Reads what is new and publishes it. `logs` and `cloudwatch` are boto3 clients."""

    def __init__(self, logs: Any, cloudwatch: Any, progress_file: Path) -> None:
        """`progress_file` may not exist yet; a damaged one counts as none."""
        self._logs = logs
        self._cloudwatch = cloudwatch
        self._file = progress_file
        self._groups = _load(progress_file)
        self._sizes: dict[str, int] = {}

    def poll(self) -> int:
        """Publish what is new; the number of data published. Raises boto3's errors."""
        published = 0
        for name, size in self._grown():
            progress = self._groups.setdefault(name, GroupProgress())
            new = progress.new(self._events(name, progress.start))
            data = [datum for event in new for datum in parse(event.message, event.timestamp)]
            for request in requests(data):
                self._cloudwatch.put_metric_data(**request)
            if new:
                progress.advance(new)
                self._save()
            self._sizes[name] = size
            published += len(data)
        return published

    def _grown(self) -> list[tuple[str, int]]:
        pages = self._logs.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=GROUP_PREFIX
        )
        sizes = {
            group["logGroupName"]: group["storedBytes"]
            for page in pages
            for group in page["logGroups"]
        }
        for gone in self._groups.keys() - sizes.keys():
            del self._groups[gone]
        return [(name, size) for name, size in sizes.items() if self._sizes.get(name) != size]

    def _events(self, group: str, start: int) -> list[Event]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=start, filterPattern=_FILTER
        )
        return identified([record for page in pages for record in page["events"]])

    def _save(self) -> None:
        groups = {
            name: {"newest": group.newest, "seen": group.seen}
            for name, group in self._groups.items()
        }
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(groups), encoding="utf-8")
        fresh.replace(self._file)


def _load(file: Path) -> dict[str, GroupProgress]:
    try:
        groups = json.loads(file.read_bytes())
        return {
            str(name): GroupProgress(int(group["newest"]), dict(group["seen"]))
            for name, group in groups.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def main() -> None:
    """Relay until SIGTERM or SIGINT."""
    logging.basicConfig(format="%(asctime)s %(levelname)s [%(name)s] %(message)s")
    endpoint, state = os.environ.get("AWS_ENDPOINT_URL", ""), os.environ.get("LOCAL_STATE_DIR")
    if not is_loopback(endpoint):
        sys.exit(f"AWS_ENDPOINT_URL must be the local cloud's, not '{endpoint}'.")
    if not state:
        sys.exit("LOCAL_STATE_DIR must name the folder for the local cloud's state.")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    relay = Relay(boto3.client("logs"), boto3.client("cloudwatch"), Path(state) / "emf.json")
    failing = ""
    while not stop.wait(POLL_SECONDS):
        try:
            relay.poll()
            failing = ""
        except (BotoCoreError, ClientError, OSError) as error:
            if str(error) != failing:  # once, not every two seconds
                failing = str(error)
                logger.warning("Metrics wait: %s", failing)


if __name__ == "__main__":
    main()
