"""Reading tensors from a PyTorch checkpoint without PyTorch.

The backbone's weights come as a `.pth` file in PyTorch's older, non-zip format: a row of
pickles (magic number, protocol version, system facts, the state dict, the storage keys) followed
by the raw storages in the order of their keys, each an int64 count and its elements.

A pickle can name any function to be called while it is read. So only the four globals that a
state dict needs are known here, each replaced by a harmless stand-in; anything else is refused.
"""

import hashlib
import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training_job.errors import WeightsError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001

Tensors = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class _StorageType:
    """Stands in for `torch.FloatStorage` and its like."""

    dtype: np.dtype[Any]


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: np.dtype[Any]
    elements: int


@dataclass(frozen=True)
class _Tensor:
    """A tensor whose storage has not been read yet: the pickle precedes the data."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> _Tensor:
    return _Tensor(storage, int(offset), tuple(shape), tuple(stride))


_ALLOWED: dict[tuple[str, str], Callable[..., object] | _StorageType] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): _StorageType(np.dtype("<f4")),
    ("torch", "LongStorage"): _StorageType(np.dtype("<i8")),
}


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise WeightsError(
                f"the weights file asks for {module}.{name}, which a state dict does not need; "
                "it is not loaded"
            ) from None

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", _StorageType(dtype), str(key), _, int(elements), None):
                return _Storage(key, dtype, elements)
        raise WeightsError(f"the weights file refers to something that is no storage: {pid!r}")


def read_checkpoint(path: Path, sha256: str) -> Tensors:
    """Tensors of a checkpoint by name, after checking the file's SHA-256.

    Raises WeightsError if the file is missing, is another one, or asks for anything but tensors.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot read the backbone's weights: {error}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise WeightsError(
            f"{path.name} has SHA-256 {found}, expected {sha256}; install the pinned version of "
            "the package, or change the pinned hash in areyouacat/settings.py"
        )
    return parse_checkpoint(data)


def parse_checkpoint(data: bytes) -> Tensors:
    """Tensors of a checkpoint in the older, non-zip format. Raises WeightsError."""
    stream = io.BytesIO(data)
    try:
        if _next_pickle(stream) != MAGIC_NUMBER or _next_pickle(stream) != PROTOCOL_VERSION:
            raise WeightsError("not a PyTorch checkpoint of the older format")
        _next_pickle(stream)  # sizes of C types on the machine that wrote it: no use here
        state = _next_pickle(stream)
        keys = _next_pickle(stream)
        tensors = {name: tensor for name, tensor in state.items() if isinstance(tensor, _Tensor)}
        dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
        storages = {key: _read_storage(stream, dtypes[key]) for key in keys}
        return {
            name: _materialise(tensor, storages[tensor.storage.key])
            for name, tensor in tensors.items()
        }
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ) as error:
        raise WeightsError(f"the weights file is damaged: {error!r}") from error


def _next_pickle(stream: io.BytesIO) -> Any:
    return _RestrictedUnpickler(stream).load()


def _materialise(tensor: _Tensor, storage: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A contiguous copy; numpy itself refuses strides that leave the storage."""
    size = storage.dtype.itemsize
    view: npt.NDArray[Any] = np.ndarray(
        tensor.shape,
        storage.dtype,
        storage.data,
        tensor.offset * size,
        [step * size for step in tensor.stride],
    )
    return view.copy()


def _read_storage(stream: io.BytesIO, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    elements = int.from_bytes(stream.read(8), "little")
    return np.frombuffer(stream.read(elements * dtype.itemsize), dtype=dtype, count=elements)
