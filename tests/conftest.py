"""How tests are shared out among the workers of `make test`, and the browser of those with one."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.browser.chromium import BrowserMissingError, BrowserUnwantedError, started

CLOUD = "tests/integration/"
# A gateway is all that these need, and they start one of their own.
GATEWAY = f"{CLOUD}sagemaker/"
# Asks at the end which rights the others' tests have used.
RIGHTS = f"{CLOUD}test_rights.py"
# Each of these files starts a whole local cloud of its own.
OWN_CLOUD = tuple(
    f"{CLOUD}test_{name}.py"
    for name in ("drill", "failures", "journeys", "recovery", "starts", "training_tools")
)


class SharingOneCloud(LoadScopeScheduling):  # type: ignore[misc]
    """One file's tests stay together, and so do all those that share a local cloud."""

    def _split_scope(self, nodeid: str) -> str:
        """The scope of a test: xdist's own place to change it."""
        return CLOUD if shares_the_cloud(nodeid) else nodeid.partition("::")[0]


def shares_the_cloud(nodeid: str) -> bool:
    """Whether a test needs the deployed local cloud that there is one of."""
    return nodeid.startswith(CLOUD) and not nodeid.startswith((GATEWAY, *OWN_CLOUD))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SharingOneCloud:
    """In place of xdist's own."""
    return SharingOneCloud(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The local cloud first, then gateways: they mostly wait, while another worker computes."""
    items.sort(
        key=lambda item: (
            not shares_the_cloud(item.nodeid),
            not item.nodeid.startswith(GATEWAY),
            item.nodeid.startswith(RIGHTS),
        )
    )


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their length: an archive holds the time, and workers must find the same tests.

    pytest-xdist refuses to run where the names that two workers found differ.
    """
    return f"{argname} of {len(val)} bytes" if isinstance(val, bytes) else None


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium. Without one the test fails and says how to get it."""
    try:
        with started() as found:
            yield found
    except BrowserUnwantedError as unwanted:
        pytest.skip(str(unwanted))
    except BrowserMissingError as missing:
        pytest.fail(str(missing))
