"""Read files out of a Qt resource file (`.rcc`).

The format, all integers big-endian: the header is `qres`, a format version and the offsets of
three sections. *Tree*: fixed-size nodes, the first is the root; a directory names its first child
and how many follow, a file the offset of its data. *Names*: length, hash, UTF-16 text. *Data*:
length, then the bytes, raw, zlib (behind four bytes with the plain size) or Zstandard.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import zstandard

MAGIC = b"qres"
NEWEST_VERSION = 3
MAX_FILE_BYTES = 64 * 1024 * 1024
"""No file is unpacked beyond this, whatever its header says."""

_FLAG_ZLIB, _FLAG_DIRECTORY, _FLAG_ZSTD = 0x01, 0x02, 0x04
_HEADER = struct.Struct(">4sIIII")
_NODE = struct.Struct(">IHII")
_NODE_BYTES_BEFORE_VERSION_2, _NODE_BYTES = 14, 22  # version 2 added a time of change


class QtResourceError(ValueError):
    """The bytes are no resource file, or a damaged one."""


@dataclass(frozen=True)
class _Node:
    path: str
    flags: int
    first: int
    """Of a directory: the number of its children; of a file: its country and language."""
    second: int
    """Of a directory: the index of its first child; of a file: the offset of its data."""


class QtResources:
    """The files of one resource file, by path (`folder/name.webp`, no leading slash)."""

    def __init__(self, content: bytes) -> None:
        """Read the directory of `content`; raises `QtResourceError` if it is damaged."""
        self._content = content
        if len(content) < _HEADER.size:
            raise QtResourceError("too short for a Qt resource file")
        magic, version, self._tree, self._data, self._names = _HEADER.unpack_from(content)
        if magic != MAGIC:
            raise QtResourceError("not a Qt resource file")
        if not 1 <= version <= NEWEST_VERSION:
            raise QtResourceError(f"Qt resource format version {version} is not known")
        self._node_bytes = _NODE_BYTES_BEFORE_VERSION_2 if version == 1 else _NODE_BYTES
        try:
            self._files = {node.path: node for node in self._walk()}
        except (struct.error, UnicodeDecodeError) as error:
            raise QtResourceError("the directory of the Qt resource file is damaged") from error

    def __contains__(self, path: str) -> bool:
        """Whether there is a file of this path."""
        return path in self._files

    def __iter__(self) -> Iterator[str]:
        """The paths of all files."""
        return iter(self._files)

    def read(self, path: str) -> bytes:
        """The unpacked bytes of one file; raises `KeyError` if there is none of this path."""
        node = self._files[path]
        start = self._data + node.second
        packed = self._content[start + 4 : start + 4 + self._uint32(start)]
        try:
            if node.flags & _FLAG_ZSTD:
                return _unpack_zstd(packed)
            if node.flags & _FLAG_ZLIB:
                return _unpack_zlib(packed[4:])
        except (zlib.error, zstandard.ZstdError) as error:
            raise QtResourceError(f"{path} is damaged inside the Qt resource file") from error
        return packed

    def _walk(self) -> Iterator[_Node]:
        visited: set[int] = set()
        waiting = [(0, "")]
        while waiting:
            index, folder = waiting.pop()
            if index in visited:
                raise QtResourceError("the directory of the Qt resource file contains itself")
            visited.add(index)
            node = self._node(index, folder)
            if node.flags & _FLAG_DIRECTORY:
                if node.first * self._node_bytes > len(self._content):
                    raise QtResourceError("the directory of the Qt resource file is damaged")
                inside = f"{node.path}/" if node.path else ""
                waiting += [(node.second + child, inside) for child in range(node.first)]
            else:
                yield node

    def _node(self, index: int, folder: str) -> _Node:
        name, flags, first, second = _NODE.unpack_from(
            self._content, self._tree + index * self._node_bytes
        )
        # The root has no name, though its name offset points at one.
        return _Node(folder + self._name(name) if index else "", flags, first, second)

    def _name(self, offset: int) -> str:
        start = self._names + offset
        (characters,) = struct.unpack_from(">H", self._content, start)
        text_start = start + 6  # behind the length (2 bytes) and the hash (4 bytes)
        return self._content[text_start : text_start + 2 * characters].decode("utf-16-be")

    def _uint32(self, offset: int) -> int:
        try:
            (value,) = struct.unpack_from(">I", self._content, offset)
        except struct.error as error:
            raise QtResourceError("the Qt resource file is cut short") from error
        return int(value)


def _unpack_zlib(packed: bytes) -> bytes:
    stream = zlib.decompressobj()
    content = stream.decompress(packed, MAX_FILE_BYTES)
    if not stream.eof:
        raise zlib.error("cut short, or larger than the limit")
    return content


def _unpack_zstd(packed: bytes) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(packed) as stream:
        content = bytes(stream.read(MAX_FILE_BYTES + 1))
    if len(content) > MAX_FILE_BYTES:
        raise zstandard.ZstdError("larger than the limit")
    return content
