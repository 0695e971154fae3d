"""One gateway for all tests of this folder that only use it."""

from collections.abc import Iterator

import pytest

from tests.integration.sagemaker.gateway_cloud import GatewayCloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayCloud]:
    """Started, with data and a role for jobs."""
    made = GatewayCloud(tmp_path_factory.mktemp("sagemaker"))
    try:
        made.start()
        yield made
    finally:
        made.gateway.kill()
