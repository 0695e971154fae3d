from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from areyouacat.settings import SERVING
from tests.ui.fake_api import API_KEY, FakeApi
from ui.client import HttpApi
from ui.configuration import Configuration
from ui.retries import SystemClock


@dataclass
class FakeClock:
    """Time that passes by sleeping, or by `time += ...`."""

    time: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    """A fake API that the page finds through its endpoints file, and retries without waiting."""
    fake = FakeApi()
    fake.write_endpoints(tmp_path)
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(SystemClock, "sleep", FakeClock().sleep)
    yield fake
    fake.close()


@pytest.fixture
def http(api: FakeApi, clock: FakeClock) -> HttpApi:
    """The client of the fake API, with time of its own."""
    return HttpApi(Configuration(api.url, API_KEY, None), clock)


@pytest.fixture
def large_photo() -> bytes:
    """More than a body takes; a PNG by how it begins."""
    return b"\x89PNG\r\n\x1a\n" + bytes(SERVING.max_body_bytes)


@pytest.fixture
def photo() -> bytes:
    """A small JPEG of noise."""
    pixels = np.random.default_rng(7).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()
