"""The dashboard for Grafana's CloudWatch data source: `python -m infra_cdk.grafana` writes it.

The same rows as CloudWatch's own (`areyouacat.dashboard`). Region and account are variables of
the dashboard, so that one file serves every deployment.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, Final

from areyouacat.dashboard import ANY, Deployed, Panel, Row, Series, Unit, rows
from infra_cdk.settings import ALARMS, REPOSITORY_ROOT, STACK_NAME

FILE: Final = REPOSITORY_ROOT / "infra_cdk" / "grafana.json"

_SCHEMA_VERSION: Final = 39  # Grafana 10 and newer read it
_WIDTH, _HEIGHT = 24, 8
_SOURCE: Final = {"type": "cloudwatch", "uid": "${datasource}"}
_UNITS: Final = {
    Unit.COUNT: "short",
    Unit.SHARE: "percentunit",
    Unit.PERCENT: "percent",
    Unit.DISTANCE: "none",
    Unit.MILLISECONDS: "ms",
    Unit.MEGABYTES: "decmbytes",
    Unit.DOLLARS: "currencyUSD",
}
_HIGHEST: Final = {Unit.SHARE: 1, Unit.PERCENT: 100}


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    return {
        "title": "Are you a cat?",
        "uid": "are-you-a-cat",
        "schemaVersion": _SCHEMA_VERSION,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "browser",
        "tags": ["mlops"],
        "templating": {
            "list": [
                {"name": "datasource", "type": "datasource", "query": "cloudwatch"},
                _text_variable("region", "default"),
                _text_variable("account", ""),
            ]
        },
        "panels": list(_panels(rows(DEPLOYED))),
    }


def write(file: Path = FILE) -> None:
    """Write the dashboard where it is kept."""
    file.write_text(json.dumps(dashboard(), indent=2) + "\n", encoding="utf-8")


def _panels(every: tuple[Row, ...]) -> Iterator[dict[str, Any]]:
    numbers, y = count(1), 0
    for row in every:
        place = {"x": 0, "y": y, "w": _WIDTH, "h": 1}
        yield {"id": next(numbers), "type": "row", "title": row.question, "gridPos": place}
        y += 1
        width = _WIDTH // len(row.panels)
        for column, panel in enumerate(row.panels):
            place = {"x": column * width, "y": y, "w": width, "h": _HEIGHT}
            yield {"id": next(numbers), "gridPos": place, **_panel(panel)}
        y += _HEIGHT


def _panel(panel: Panel) -> dict[str, Any]:
    series = [*panel.left, *panel.right]
    return {
        "type": "timeseries",
        "title": panel.title,
        "datasource": _SOURCE,
        "targets": [_target(one, chr(ord("A") + place)) for place, one in enumerate(series)],
        "fieldConfig": {
            "defaults": {
                "unit": _UNITS[panel.unit],
                "min": 0,
                **({"max": _HIGHEST[panel.unit]} if panel.unit in _HIGHEST else {}),
                "custom": {
                    "stacking": {"mode": "normal" if panel.stacked else "none"},
                    "thresholdsStyle": {"mode": "line" if panel.limits else "off"},
                },
                "thresholds": _thresholds(panel.limits),
            },
            "overrides": [_on_the_right(one) for one in panel.right],
        },
    }


def _target(series: Series, name: str) -> dict[str, Any]:
    label = series.label
    if ANY in series.dimensions.values():
        label = "".join(f"${{PROP('Dim.{dimension}')}}" for dimension in series.dimensions)
    return {
        "refId": name,
        "datasource": _SOURCE,
        "queryMode": "Metrics",
        "metricQueryType": 0,
        "metricEditorMode": 0,
        "region": "${region}",
        "namespace": series.namespace,
        "metricName": series.metric,
        "statistic": series.statistic,
        "period": str(series.period),
        "dimensions": dict(series.dimensions),
        "matchExact": True,
        "label": label,
    }


def _thresholds(limits: Mapping[str, float]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    steps += [{"color": "red", "value": value} for value in sorted(limits.values())]
    return {"mode": "absolute", "steps": steps}


def _on_the_right(series: Series) -> dict[str, Any]:
    return {
        "matcher": {"id": "byName", "options": series.label},
        "properties": [
            {"id": "custom.axisPlacement", "value": "right"},
            {"id": "unit", "value": _UNITS[Unit.COUNT]},
            {"id": "max", "value": None},
        ],
    }


def _text_variable(name: str, value: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "textbox",
        "query": value,
        "current": {"text": value, "value": value},
    }


def _machine_arn(workflow: str) -> str:
    return f"arn:aws:states:${{region}}:${{account}}:stateMachine:{STACK_NAME}-{workflow}"


DEPLOYED: Final = Deployed(STACK_NAME, ALARMS.period_seconds, _machine_arn)


if __name__ == "__main__":
    write()
    sys.stdout.write(f"{FILE}\n")
