"""The last drills as figures, out of `drill.json`."""

import json
from pathlib import Path

from benchmarks.drill.story import RECOVERED, SECONDS
from benchmarks.figures import Figure


def figures(file: Path) -> list[Figure]:
    """Of each drill in the file; none if there is none. Few photos say nothing of accuracy."""
    if not file.exists():
        return []
    found = json.loads(file.read_bytes())
    told: list[Figure] = []
    for drill in found["drills"]:
        name, requests = drill["change"], drill["requests"]
        trainings = drill["executions_started"]
        told += [
            Figure(f"{name}: trainings", trainings, "", "1", trainings == 1),
            Figure.at_most(
                f"{name}: failed requests", drill["failed_requests"], "", 0, f"of {requests:,}"
            ),
        ]
        if not found["photos_suffice"]:
            continue
        told += [
            Figure.at_least(
                f"{name}: lost accuracy brought back",
                100 * (drill["recovered"] or 0.0),
                "%",
                100 * RECOVERED,
                drill["outcome"],
            ),
            Figure.at_most(f"{name}: from change to recovery", drill["seconds"], "s", SECONDS),
        ]
    return told
