from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.ui.fake_api import FakeApi


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    """A fake API that the page finds through its endpoints file."""
    fake = FakeApi()
    fake.write_endpoints(tmp_path)
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    yield fake
    fake.close()


@pytest.fixture
def photo() -> bytes:
    """A small JPEG of noise."""
    pixels = np.random.default_rng(7).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()
