"""`make drill` on the starter photos: that it runs from end to end, not what it measures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.instance import ROOT

SECONDS = 1500


@pytest.mark.slow
def test_the_world_changes_and_the_loop_retrains_once_and_fails_nobody(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.drill", "--change", "night"],
        cwd=ROOT,
        env={**os.environ, "LOCAL_STATE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "drill.json").read_text())
    assert told["executions_started"] == 1
    assert (told["failed_requests"], told["failures"]) == (0, [])
    assert told["requests"] > 100
    assert "DataDrift" in told["alarms"]
    assert "brightness" in told["drifted"]
    assert not told["photos_suffice"]
    assert (tmp_path / "drill-night.png").stat().st_size > 10_000
