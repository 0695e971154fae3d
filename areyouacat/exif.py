"""The one thing of EXIF data that a photo needs: how it is turned.

Read without Pillow's parser, which copies every value that the data name: some kilobytes can name
the same bytes thousands of times.
"""

import struct
from typing import Final

UPRIGHT: Final = 1
_HEADER: Final = b"Exif\x00\x00"
_ORIENTATION: Final = 0x0112
_SHORT: Final = 3
_MAX_ENTRIES: Final = 512


def orientation(data: bytes) -> int:
    """The EXIF orientation, 1 to 8; 1 (upright) where the data say nothing that can be read.

    Source: Exif 2.32 (CIPA DC-008), 4.6.2 and 4.6.4.
    """
    tiff = data[len(_HEADER) :] if data.startswith(_HEADER) else data
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}L", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, start)
        for entry in range(min(entries, _MAX_ENTRIES)):
            tag, kind, count, value = struct.unpack_from(
                f"{order}HHLH", tiff, start + 2 + 12 * entry
            )
            if tag == _ORIENTATION:
                known = kind == _SHORT and count == 1 and UPRIGHT <= value <= 8
                return value if known else UPRIGHT
    except struct.error:  # it ends before it says
        return UPRIGHT
    return UPRIGHT
