"""Which format some bytes are, by how they begin: no header field and no name is believed."""

from typing import Final

_REFUSED: Final = (
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"\x00\x00\x01\x00", "ICO"),
    (b"8BPS", "PSD"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"SIMPLE  =", "FITS"),
    (b"qoif", "QOI"),
    (b"%PDF-", "PDF"),
)
_BRANDS: Final = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"heif": "HEIC",
    b"hevc": "HEIC",
    b"mif1": "HEIC",
    b"msf1": "HEIC",
}
"""What a file in the ISO base media format says it is (ISO/IEC 23008-12)."""

_TEXT_BEGINS: Final = 512  # bytes in which an SVG names itself


def format_of(data: bytes) -> str | None:
    """Pillow's name of the format, among those that `settings.IMAGES` accepts; else `None`."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    return None


def name_of_refused(data: bytes) -> str | None:
    """The name of a known image format that is not accepted; `None` if it is none we know."""
    for beginning, name in _REFUSED:
        if data.startswith(beginning):
            return name
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "This kind of video or picture")
    if data[:1] == b"P" and data[1:2] in b"123456" and data[2:3].isspace():
        return "PPM"
    if b"<svg" in data[:_TEXT_BEGINS]:
        return "SVG"
    return None
