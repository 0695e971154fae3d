from __future__ import annotations

import struct
import zlib

import pytest
import zstandard

from local_cloud import qt_resources
from local_cloud.qt_resources import QtResourceError, QtResources

RAW, ZLIB, DIRECTORY, ZSTD = 0, 1, 2, 4


def packed(content: bytes, flags: int) -> bytes:
    if flags == ZLIB:
        return struct.pack(">I", len(content)) + zlib.compress(content)
    if flags == ZSTD:
        return zstandard.ZstdCompressor().compress(content)
    return content


def resource_file(files: dict[str, tuple[bytes, int]], version: int = 3) -> bytes:
    """An .rcc with every file in one folder `pictures`, laid out like Qt's own `rcc` does."""
    names, data, nodes = b"", b"", []

    def name(text: str) -> int:
        nonlocal names
        offset = len(names)
        names += struct.pack(">HI", len(text), 0) + text.encode("utf-16-be")
        return offset

    def node(*fields: int) -> None:
        changed = b"" if version == 1 else struct.pack(">Q", 0)
        nodes.append(struct.pack(">IHII", *fields) + changed)

    node(0, DIRECTORY, 1, 1)
    node(name("pictures"), DIRECTORY, len(files), 2)
    for path, (content, flags) in files.items():
        node(name(path), flags, 0, len(data))
        body = packed(content, flags)
        data += struct.pack(">I", len(body)) + body
    header = 24
    tree = b"".join(nodes)
    offsets = (header, header + len(tree), header + len(tree) + len(data))
    return b"qres" + struct.pack(">IIIII", version, *offsets, 0) + tree + data + names


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("flags", [RAW, ZLIB, ZSTD])
def test_a_file_is_read_however_it_is_packed(version: int, flags: int) -> None:
    content = b"pixels " * 100
    resources = QtResources(
        resource_file({"ä.webp": (content, flags), "b.webp": (b"other", RAW)}, version)
    )

    assert sorted(resources) == ["pictures/b.webp", "pictures/ä.webp"]
    assert resources.read("pictures/ä.webp") == content
    assert resources.read("pictures/b.webp") == b"other"


def test_a_file_that_is_not_there_is_a_key_error() -> None:
    resources = QtResources(resource_file({"a.webp": (b"a", RAW)}))

    assert "pictures/b.webp" not in resources
    with pytest.raises(KeyError):
        resources.read("pictures/b.webp")


@pytest.mark.parametrize(
    "content", [b"", b"qres", b"nope" + b"\0" * 40, b"qres" + struct.pack(">IIII", 9, 0, 0, 0)]
)
def test_what_is_no_resource_file_is_refused(content: bytes) -> None:
    with pytest.raises(QtResourceError):
        QtResources(content)


def test_a_file_cut_anywhere_is_refused_or_read_whole_but_never_crashes() -> None:
    whole = resource_file({"a.webp": (b"pixels" * 50, ZLIB)})

    refused = 0
    for length in range(len(whole)):
        try:
            assert QtResources(whole[:length]).read("pictures/a.webp") == b"pixels" * 50
        except (QtResourceError, KeyError):
            refused += 1

    assert refused > len(whole) * 0.9


def test_a_directory_that_contains_itself_is_refused() -> None:
    tree = struct.pack(">IHIIQ", 0, DIRECTORY, 1, 0, 0)
    content = b"qres" + struct.pack(">IIIII", 3, 24, 46, 46, 0) + tree

    with pytest.raises(QtResourceError, match="contains itself"):
        QtResources(content)


@pytest.mark.parametrize("flags", [ZLIB, ZSTD])
def test_a_file_that_unpacks_without_end_is_refused(
    flags: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qt_resources, "MAX_FILE_BYTES", 1000)
    resources = QtResources(resource_file({"a.webp": (b"\0" * 100_000, flags)}))

    with pytest.raises(QtResourceError, match="damaged"):
        resources.read("pictures/a.webp")
