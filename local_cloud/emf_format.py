"""The embedded metric format: from a log line to the data that CloudWatch would extract.

Source: "Specification: Embedded metric format" in the Amazon CloudWatch user guide.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_DIMENSIONS = 30
MAX_VALUES = 100
_HIGH_RESOLUTION = 1


@dataclass(frozen=True)
class MetricDatum:
    """One metric with one set of dimensions. `timestamp`: ms since 1970."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    unit: str
    values: tuple[float, ...]
    timestamp: int
    high_resolution: bool = False

    def to_api(self) -> dict[str, Any]:
        """As a member of PutMetricData's MetricData."""
        datum: dict[str, Any] = {
            "MetricName": self.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in self.dimensions],
            "Timestamp": self.timestamp / 1000,
            "Unit": self.unit,
            "Values": list(self.values),
        }
        if self.high_resolution:
            datum["StorageResolution"] = _HIGH_RESOLUTION
        return datum


def parse(message: str, logged_at: int) -> list[MetricDatum]:
    """The data in a log line; none if it is no EMF, and none of the parts that are not valid.

    `logged_at`: the event's time, ms since 1970, for a line that has no time of its own.
    """
    if "CloudWatchMetrics" not in message:
        return []
    try:
        line = json.loads(message)
    except ValueError:
        return []
    metadata = line.get("_aws") if isinstance(line, dict) else None
    if not isinstance(metadata, dict):
        return []
    timestamp = metadata.get("Timestamp")
    at = timestamp if type(timestamp) is int else logged_at
    return [
        datum
        for directive in _listed(metadata.get("CloudWatchMetrics"))
        if isinstance(directive, dict)
        for datum in _directive(directive, line, at)
    ]


def _directive(
    directive: Mapping[str, Any], line: Mapping[str, Any], at: int
) -> Iterator[MetricDatum]:
    namespace = directive.get("Namespace")
    if not isinstance(namespace, str) or not namespace:
        return
    for names in _listed(directive.get("Dimensions", [[]])):
        dimensions = _dimensions(names, line)
        if dimensions is None:
            continue
        for metric in _listed(directive.get("Metrics")):
            name = metric.get("Name") if isinstance(metric, dict) else None
            values = _values(line.get(name)) if isinstance(name, str) else ()
            if values:
                yield MetricDatum(
                    namespace=namespace,
                    name=str(name),
                    dimensions=dimensions,
                    unit=str(metric.get("Unit", "None")),
                    values=values,
                    timestamp=at,
                    high_resolution=metric.get("StorageResolution") == _HIGH_RESOLUTION,
                )


def _dimensions(names: Any, line: Mapping[str, Any]) -> tuple[tuple[str, str], ...] | None:
    if not isinstance(names, list) or len(names) > MAX_DIMENSIONS:
        return None
    if not all(isinstance(name, str) and isinstance(line.get(name), str) for name in names):
        return None
    return tuple((name, line[name]) for name in names)


def _values(value: Any) -> tuple[float, ...]:
    values = value if isinstance(value, list) else [value]
    if len(values) > MAX_VALUES or not all(_is_number(one) for one in values):
        return ()
    return tuple(float(one) for one in values)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
