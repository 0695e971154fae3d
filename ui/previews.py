"""Photos made ready for the screen before they are looked at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Final

from PIL import Image

from ui import photos

_KEPT: Final = 64
_AT_ONCE: Final = 4


class Previews:
    """The latest photos, at most `photos.SCREEN_PX` a side. Several threads may ask."""

    def __init__(self, read: Callable[[str], bytes]) -> None:
        """`read`: a photo's bytes by its name."""
        self._read = read
        self._ready: OrderedDict[str, Future[Image.Image | None]] = OrderedDict()
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="previews")

    def ahead(self, names: Iterable[str]) -> None:
        """Begin with these, in their order; nobody waits."""
        for name in names:
            self._future(name)

    def get(self, name: str) -> Image.Image | None:
        """The photo; `None` if it cannot be opened. Raises what `read` does, and forgets that."""
        try:
            return self._future(name).result()
        except Exception:
            with self._lock:
                self._ready.pop(name, None)
            raise

    def _future(self, name: str) -> Future[Image.Image | None]:
        with self._lock:
            if name not in self._ready:
                self._ready[name] = self._pool.submit(self._load, name)
                while len(self._ready) > _KEPT:
                    self._ready.popitem(last=False)
            self._ready.move_to_end(name)
            return self._ready[name]

    def _load(self, name: str) -> Image.Image | None:
        return photos.to_show(self._read(name))
