import hashlib
import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from training_job.errors import WeightsError
from training_job.torch_weights import (
    MAGIC_NUMBER,
    PROTOCOL_VERSION,
    parse_checkpoint,
    read_checkpoint,
)


class Global:
    """Pickles as a reference to a global, by name alone."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Tensor:
    def __init__(self, key: str, elements: int, shape: tuple[int, ...], stride: tuple[int, ...]):
        self.key, self.elements, self.shape, self.stride = key, elements, shape, stride


class Pickler(pickle._Pickler):  # the Python one: its opcodes can be written by hand
    def save(self, obj: object, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Global):
            self.write(b"c" + f"{obj.module}\n{obj.name}\n".encode())  # type: ignore[attr-defined]
        elif isinstance(obj, Tensor):
            self.save(Global("torch._utils", "_rebuild_tensor_v2"))
            self.write(b"(")  # type: ignore[attr-defined]
            self.write(b"(")  # type: ignore[attr-defined]
            for part in ("storage", Global("torch", "FloatStorage"), obj.key, "cpu"):
                self.save(part)
            self.save(obj.elements)
            self.save(None)
            self.write(b"tQ")  # type: ignore[attr-defined]
            for part in (0, obj.shape, obj.stride, False, OrderedDict()):
                self.save(part)
            self.write(b"tR")  # type: ignore[attr-defined]
        else:
            super().save(obj, save_persistent_id)  # type: ignore[misc]
