"""How long a person waits for the first view of each page, with 100,000 predictions stored.

A real Chromium without a past opens the address; the page is there when it changes no more. An
empty page of Streamlit's, in turns with each, is the floor.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.request import urlopen

import psutil
from playwright.sync_api import Browser

from benchmarks.figures import BenchmarkError, Context, Figure
from benchmarks.http_load import poll
from benchmarks.local_cloud import APP_PYTHON, ROOT, LocalCloud, free_port, local_cloud
from benchmarks.repetition import median, repeated_median, repeated_ratio
from benchmarks.stored_predictions import fill
from tests.browser.chromium import BrowserMissingError, started
from tests.browser.visits import Address, visiting

NAME = "ui"
DESCRIPTION = "the first view of each page of the client, with 100,000 predictions stored"
ROWS, QUICK_ROWS = 100_000, 2_000
TIMES, QUICK_TIMES = 7, 2
TARGET_SECONDS: Final = 2.0
_MONITOR_SECONDS: Final = 900.0
_START_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Views:
    """First views of one page, in seconds.

    `cold`: the server's very first. `warm`: later ones; `floor`: an empty page of Streamlit's, in
    turns with them.
    """

    page: str
    cold: float
    warm: tuple[float, ...]
    floor: tuple[float, ...]

    @property
    def note(self) -> str:
        """What else there is to say."""
        return (
            f"{min(self.warm):.2f} to {max(self.warm):.2f} s in {len(self.warm)} visits; an empty "
            f"page of Streamlit's {median(self.floor):.2f} s; as the server's first "
            f"{self.cold:.2f} s"
        )


def run(context: Context) -> list[Figure]:
    """Fill the table, let the monitor look, then open every page again and again."""
    rows = QUICK_ROWS if context.quick else ROWS
    times = QUICK_TIMES if context.quick else TIMES
    figures = []
    with local_cloud(context, NAME, starter=True) as cloud:
        for views in first_views(context, cloud, rows, times):
            figures += [
                Figure.at_most(
                    f"{views.page}: first view, median",
                    repeated_median(views.warm),
                    "s",
                    TARGET_SECONDS,
                    views.note,
                ),
                Figure.told(
                    f"{views.page}: first view / an empty page's",
                    repeated_ratio(views.warm, views.floor),
                    "times",
                ),
            ]
    return figures


def first_views(context: Context, cloud: LocalCloud, rows: int, times: int) -> list[Views]:
    """Every page, with so many predictions stored and looked at by the monitor.

    Fewer that were stored so before are among them. Raises BenchmarkError without a browser.
    """
    context.say(f"  storing {rows:,} predictions")
    fill(cloud, rows, datetime.now(UTC))
    context.say("  the monitor looks at them")
    _monitor(cloud)
    try:
        with started() as browser:
            return _measure(context, cloud, browser, times)
    except BrowserMissingError as error:
        raise BenchmarkError(str(error)) from error


def _measure(context: Context, cloud: LocalCloud, browser: Browser, times: int) -> list[Views]:
    url = str(cloud.endpoints()["ui_url"])
    with visiting(browser, url) as visit:
        visit.open("")
        addresses = visit.addresses()
    found = []
    with _empty_page(context) as empty:
        for address in addresses:
            _restart(cloud)
            cold = _first_view(browser, url, address)
            warm, floor = [], []
            for _ in range(times):  # in turns, so that both meet the same noise
                warm.append(_first_view(browser, url, address))
                floor.append(_first_view(browser, empty, Address("", "")))
            views = Views(address.name, cold, tuple(warm), tuple(floor))
            context.say(f"  {views.page}: {median(warm):.2f} s, {views.note}")
            found.append(views)
    return found


@contextmanager
def _empty_page(context: Context) -> Iterator[str]:
    """The address of a Streamlit server whose one page has a title and nothing else: the floor."""
    folder = context.state / NAME / "empty"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "ui" / ".streamlit", folder / ".streamlit")
    script = folder / "page.py"
    script.write_text('import streamlit as st\n\nst.title("Empty")\n', encoding="utf-8")
    port = free_port()
    server = psutil.Popen(
        [APP_PYTHON, "-m", "streamlit", "run", str(script), "--server.port", str(port)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        poll("the empty page's server", lambda: _answers(url), _START_SECONDS)
        yield url
    finally:
        server.terminate()
        server.wait()


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/_stcore/health", timeout=1) as answer:  # noqa: S310 # our own server
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def _first_view(browser: Browser, url: str, address: Address) -> float:
    """Seconds from the address to the last change of the page, in a window without a past."""
    with visiting(browser, url) as visit:
        visit.open(address.path)
        trouble = visit.page.locator(
            '[data-testid="stAlertContentError"], [data-testid="stException"]'
        )
        if trouble.count():
            raise BenchmarkError(f"{address.name} shows an error: {trouble.first.inner_text()}")
        return visit.seconds_to_last_change()


def _monitor(cloud: LocalCloud) -> None:
    """One run of the monitor to its end, its report included; no alarm of it trains anything."""
    cloudwatch = cloud.client("cloudwatch")
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    cloudwatch.disable_alarm_actions(AlarmNames=[alarm["AlarmName"] for alarm in alarms])
    workflows = cloud.client("stepfunctions")
    machine = cloud.endpoints()["state_machines"]["monitor"]
    arn = workflows.start_execution(stateMachineArn=machine, input="{}")["executionArn"]

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = workflows.describe_execution(executionArn=arn)
        return None if found["status"] == "RUNNING" else found

    run = poll("the monitor", ended, _MONITOR_SECONDS)
    if run["status"] != "SUCCEEDED":
        raise BenchmarkError(f"the monitor failed: {run.get('cause')}")


def _restart(cloud: LocalCloud) -> None:
    """End the client's server; what supervises it starts another, which has seen nobody."""
    before = cloud.client_pid
    psutil.Process(before).terminate()
    url = str(cloud.endpoints()["ui_url"])

    def anew() -> bool:
        try:
            return cloud.client_pid != before and _answers(url)
        except (OSError, ValueError):  # it is about to write its number
            return False

    poll("the client's server", anew, _START_SECONDS)
