"""Image files made to hurt, and small whole ones to damage."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from collections.abc import Callable

from PIL import Image

SIDE = 7_000  # 49 million pixels: just allowed


def chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def png(side: int, depth: int, colour: int, samples: int, extra: bytes = b"") -> bytes:
    """Nothing but zeros, which pack a thousandfold."""
    row = b"\0" * (1 + (side * samples * depth + 7) // 8)
    packer = zlib.compressobj(1)
    pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", pixels)
        + chunk(b"IEND", b"")
    )


def saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def endless_exif(size: int) -> bytes:
    """As many entries as fit, each of which names all the bytes as its value."""
    entries = min(65_535, size // 12 - 2)
    table = b"".join(
        struct.pack("<HHLL", (300 + entry) & 0xFFFF, 7, size - 16, 8) for entry in range(entries)
    )
    return (b"II*\0" + struct.pack("<LH", 8, entries) + table).ljust(size, b"\0")


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def endless_scans() -> bytes:
    """A progressive JPEG that passes over all its pixels again and again."""
    photo = saved(Image.new("RGB", (SIDE, SIDE)), "JPEG", progressive=True, subsampling=0)
    scans = [place for place in range(len(photo)) if photo[place : place + 2] == b"\xff\xda"]
    short = min((photo[begin:end] for begin, end in itertools.pairwise(scans)), key=len)
    end = photo.rindex(b"\xff\xd9")
    return photo[:end] + short * 20_000 + photo[end:]


def canvas_of_a_wall() -> bytes:
    """A small WebP whose header promises 16,384 x 16,384 pixels."""
    small = bytearray(saved(Image.new("RGBA", (64, 64), (1, 2, 3, 4)), "WEBP"))
    assert small[12:16] == b"VP8X"
    small[24:30] = b"\xff\x3f\x00" * 2
    return bytes(small)


def gradient() -> Image.Image:
    return Image.linear_gradient("L").resize((96, 64))


SMALL = saved(Image.new("RGB", (64, 64)), "JPEG")
BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "alpha in 16 bits": (lambda: png(SIDE, 16, 6, 4), "answered"),
    "grey in 16 bits": (lambda: png(SIDE, 16, 0, 1), "answered"),
    "palette with transparency": (
        lambda: png(SIDE, 8, 3, 1, chunk(b"PLTE", b"\0" * 768) + chunk(b"tRNS", b"\x01" * 256)),
        "answered",
    ),
    "WebP with alpha": (
        lambda: saved(Image.new("RGBA", (SIDE, SIDE), (1, 2, 3, 4)), "WEBP", lossless=True),
        "answered",
    ),
    "CMYK, progressive": (
        lambda: saved(Image.new("CMYK", (SIDE, SIDE)), "JPEG", progressive=True),
        "answered",
    ),
    "EXIF in PNG": (lambda: png(10, 8, 2, 3, chunk(b"eXIf", endless_exif(4_000_000))), "answered"),
    "EXIF in JPEG": (
        lambda: (
            SMALL[:2]
            + segment(0xE1, b"Exif\0\0" + endless_exif(65_000))
            + segment(0xE1, b"Exif\0\0" + b"\0" * 65_000) * 60
            + SMALL[20:]
        ),
        "answered",
    ),
    "several pictures in JPEG": (
        lambda: SMALL[:2] + segment(0xE2, b"MPF\0" + endless_exif(65_000)) + SMALL[2:],
        "answered",
    ),
    "scan after scan": (endless_scans, "too_complex"),
    "chunk after chunk": (
        lambda: png(10, 8, 2, 3, chunk(b"abCd", b"") * 1_400_000),
        "too_complex",
    ),
    "block after block": (
        lambda: (
            b"GIF89a" + struct.pack("<HHBBB", 10, 10, 0, 0, 0) + b"!\xfe" + b"\x01a" * 8_000_000
        ),
        "too_complex",
    ),
    "more pixels than allowed": (canvas_of_a_wall, "too_many_pixels"),
}
"""By name: the file, and how it is to end."""

SEEDS = [
    saved(gradient().convert("RGB"), "JPEG", exif=b"Exif\0\0" + endless_exif(400)),
    saved(gradient().convert("RGB"), "JPEG", progressive=True),
    saved(gradient().convert("RGBA"), "PNG"),
    saved(gradient().convert("P"), "GIF"),
    saved(gradient().convert("RGBA"), "WEBP"),
]
