"""How tests are shared out among the workers of `make test`."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

CLOUD = "tests/integration/"


class SharingOneCloud(LoadScopeScheduling):  # type: ignore[misc]
    """One file's tests stay together, and so do all those that share a local cloud."""

    def _split_scope(self, nodeid: str) -> str:
        """The scope of a test: xdist's own place to change it."""
        return CLOUD if nodeid.startswith(CLOUD) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SharingOneCloud:
    """In place of xdist's own."""
    return SharingOneCloud(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The local cloud first: its tests mostly wait, while another worker computes."""
    items.sort(key=lambda item: not item.nodeid.startswith(CLOUD))
