import hashlib
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training_job.errors import WeightsError
from training_job.torch_weights import (
    MAGIC_NUMBER,
    PROTOCOL_VERSION,
    parse_checkpoint,
    read_checkpoint,
)

# Opcodes of the pickle format, to write what PyTorch writes without having PyTorch.
GLOBAL, MARK, TUPLE, REDUCE, BINPERSID, STOP = b"c", b"(", b"t", b"R", b"Q", b"."


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def integer(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def integers(values: tuple[int, ...]) -> bytes:
    return MARK + b"".join(map(integer, values)) + TUPLE


def global_(name: str) -> bytes:
    module, _, attribute = name.rpartition(".")
    return GLOBAL + f"{module}\n{attribute}\n".encode()


def tensor(key: str, elements: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    storage = (
        MARK
        + text("storage")
        + global_("torch.FloatStorage")
        + text(key)
        + text("cpu")
        + integer(elements)
        + b"N"
        + TUPLE
        + BINPERSID
    )
    arguments = storage + integer(0) + integers(shape) + integers(stride) + b"\x89N"
    return global_("torch._utils._rebuild_tensor_v2") + MARK + arguments + TUPLE + REDUCE


def checkpoint(state: bytes, storages: dict[str, np.ndarray[Any, Any]]) -> bytes:
    return b"".join(
        [
            pickle.dumps(MAGIC_NUMBER, protocol=2),
            pickle.dumps(PROTOCOL_VERSION, protocol=2),
            pickle.dumps({"little_endian": True}, protocol=2),
            b"\x80\x02" + state + STOP,
            pickle.dumps(list(storages), protocol=2),
            *(
                struct.pack("<q", values.size) + values.astype("<f4").tobytes()
                for values in storages.values()
            ),
        ]
    )


def one_tensor(shape: tuple[int, ...], stride: tuple[int, ...], elements: int) -> bytes:
    state = b"}" + text("w") + tensor("k", elements, shape, stride) + b"s"
    return checkpoint(state, {"k": np.arange(elements)})


def test_tensors_come_back_by_name_with_their_values() -> None:
    tensors = parse_checkpoint(one_tensor((2, 3), (3, 1), 6))

    assert list(tensors) == ["w"]
    np.testing.assert_array_equal(tensors["w"], [[0, 1, 2], [3, 4, 5]])


def test_a_transposed_tensor_is_read_through_its_strides() -> None:
    tensors = parse_checkpoint(one_tensor((3, 2), (1, 3), 6))

    np.testing.assert_array_equal(tensors["w"], [[0, 3], [1, 4], [2, 5]])


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "torch.load", "subprocess.Popen"])
def test_any_other_global_is_refused_before_it_is_called(name: str) -> None:
    state = global_(name) + MARK + text("echo harm") + TUPLE + REDUCE

    with pytest.raises(WeightsError, match=name):
        parse_checkpoint(checkpoint(state, {}))


def test_strides_that_leave_the_storage_are_refused() -> None:
    with pytest.raises(WeightsError, match="damaged"):
        parse_checkpoint(one_tensor((2, 3), (300, 1), 6))


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-4], lambda data: data[:60], lambda _: b"", lambda data: b"PK" + data],
    ids=["values cut off", "state cut off", "empty", "another format"],
)
def test_a_damaged_file_is_an_error_and_not_a_guess(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(WeightsError):
        parse_checkpoint(damage(one_tensor((2, 3), (3, 1), 6)))


def test_a_file_with_another_hash_is_not_even_parsed(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(one_tensor((2, 3), (3, 1), 6))

    with pytest.raises(WeightsError, match="expected 0000"):
        read_checkpoint(path, "0" * 64)
    assert read_checkpoint(path, hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone\.pth"):
        read_checkpoint(tmp_path / "gone.pth", "0" * 64)
