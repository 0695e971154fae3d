"""Requests as nobody should send them, the same for the same seed."""

import base64
import io
import json
import random
import zipfile
from collections.abc import Iterator
from typing import Final

from PIL import Image, features

from areyouacat.settings import IMAGES
from benchmarks.http_load import Request
from benchmarks.sample_photos import SMALL, photo_like
from tests.hostile_images import BOMBS, gradient, saved

CONTENT_TYPES: Final = (
    *IMAGES.media_types,
    "application/octet-stream",
    "application/json",
    "application/json; charset=latin-1",
    "text/html",
    "multipart/form-data; boundary=x",
    "image/svg+xml",
    "",
    None,  # not sent
)
ODD_HEADERS: Final[tuple[tuple[str, str], ...]] = (
    ("Idempotency-Key", " "),
    ("Idempotency-Key", "x" * 300),
    ("Idempotency-Key", "two words"),
    ("Idempotency-Key", "\xe9\xff"),
    ("X-Session-Id", "x" * 4_000),
    ("Content-Encoding", "gzip"),
    ("Accept", "text/html"),
    ("X-HTTP-Method-Override", "DELETE"),
)
WRONG_JSON: Final = (
    "",
    "{",
    "[]",
    "null",
    "7",
    '"text"',
    "{}",
    '{"image": null}',
    '{"image": ""}',
    '{"image": 1e400}',
    '{"image": ["aGk="]}',
    '{"image": "%%%"}',
    '{"image": "aGk="}',
    '{"image": "aGk=", "upload_key": "x"}',
    '{"upload_key": "serving/live.json"}',
    '{"upload_key": "uploads/../models/1/model.tflite"}',
    '{"upload_key": "uploads/00000000-0000-0000-0000-000000000000"}',
    '{"photo": "aGk="}',
    '{"image": "\\ud800"}',
    "[" * 50_000,
    '{"a":' * 20_000,
    '{"image": "' + "A" * 100_000,
    '{"content_type": "image/bmp"}',
    '{"content_type": ["image/jpeg"]}',
    '{"prediction_id": 7, "label": true}',
    '{"prediction_id": "' + "x" * 5_000 + '", "label": "x"}',
    '{"prediction_id": "../../serving", "label": "\\u0000"}',
)
ODD_IDS: Final = ("%00", "..%2f..%2fserving", "x" * 4_000, "%ff%fe", "a b".replace(" ", "%20"))
_GATEWAY_BYTES: Final = 10_000_000  # API Gateway takes no more in one request
_OPTIONAL: Final = {"AVIF": "avif", "JPEG2000": "jpg_2000"}  # Pillow may have been built without


def whole_files() -> dict[str, bytes]:
    """One small whole file of every kind, accepted or not."""
    grey, frames = gradient(), [gradient().rotate(90 * turn) for turn in range(3)]
    still: dict[str, tuple[str, Image.Image, dict[str, object]]] = {
        "JPEG": ("JPEG", grey.convert("RGB"), {}),
        "JPEG progressive": ("JPEG", grey.convert("RGB"), {"progressive": True}),
        "JPEG CMYK": ("JPEG", grey.convert("CMYK"), {}),
        "JPEG grey": ("JPEG", grey, {"exif": b"Exif\0\0II*\0" + b"\xff" * 64}),
        "PNG": ("PNG", grey.convert("RGB"), {}),
        "PNG palette": ("PNG", grey.convert("P"), {"transparency": 3}),
        "PNG alpha": ("PNG", grey.convert("RGBA"), {}),
        "PNG 1 bit": ("PNG", grey.convert("1"), {}),
        "PNG 16 bit": ("PNG", grey.point(lambda value: value * 257, "I").convert("I;16"), {}),
        "PNG animated": ("PNG", frames[0], {"save_all": True, "append_images": frames[1:]}),
        "WebP": ("WEBP", grey.convert("RGB"), {}),
        "WebP lossless": ("WEBP", grey.convert("RGBA"), {"lossless": True}),
        "WebP animated": ("WEBP", frames[0], {"save_all": True, "append_images": frames[1:]}),
        "GIF": ("GIF", grey, {}),
        "GIF animated": ("GIF", frames[0], {"save_all": True, "append_images": frames[1:]}),
        "BMP": ("BMP", grey, {}),
        "TIFF": ("TIFF", grey, {}),
        "ICO": ("ICO", grey, {}),
        "PPM": ("PPM", grey, {}),
        "JPEG 2000": ("JPEG2000", grey, {}),
        "AVIF": ("AVIF", grey.convert("RGB"), {}),
    }
    made = {
        name: saved(image, kind, **options)
        for name, (kind, image, options) in still.items()
        if _OPTIONAL.get(kind) is None or features.check(_OPTIONAL[kind])
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        # By name alone it would hold the time, and be other bytes two seconds later.
        opened.writestr(zipfile.ZipInfo("photo.jpg"), made["JPEG"])
    return made | {
        "photo": photo_like(SMALL),
        "PDF": b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\n%%EOF",
        "SVG": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        "HTML": b"<!doctype html><script>alert(1)</script>",
        "text": b"no photo at all",
        "zip": archive.getvalue(),
    }


def damaged(chance: random.Random, data: bytes) -> bytes:
    """Some bytes changed, the end cut off, something put in front or behind, or several of it."""
    broken = bytearray(data)
    for _ in range(chance.choice((0, 1, 4, 32))):
        broken[chance.randrange(len(broken))] = chance.randrange(256)
    if chance.random() < 0.5:
        del broken[chance.randrange(len(broken)) :]
    if chance.random() < 0.1:
        broken[:0] = chance.randbytes(chance.randrange(1, 16))
    if chance.random() < 0.2:
        broken += chance.randbytes(chance.randrange(1, 4_096))
    return bytes(broken)


def malformed_requests(count: int, seed: int) -> Iterator[Request]:
    """So many: bombs, wrong JSON, odd ids, then damaged files of every kind. Without a key."""
    chance = random.Random(seed)  # noqa: S311 - the same every time is what is wanted
    fixed = list(_fixed_requests())
    files = list(whole_files().values())
    yield from fixed[:count]
    for _ in range(count - len(fixed)):
        yield _damaged_request(chance, chance.choice(files))


def _fixed_requests() -> Iterator[Request]:
    for make, _ in BOMBS.values():
        if len(bomb := make()) < _GATEWAY_BYTES:
            yield Request("POST", "predict", bomb, {"Content-Type": "image/png"})
    for text in WRONG_JSON:
        for path in ("predict", "uploads", "feedback"):
            yield Request("POST", path, text.encode(), {"Content-Type": "application/json"})
    for name in ODD_IDS:
        yield Request("GET", f"predictions/{name}")
        yield Request("DELETE", f"predictions/{name}")


def _damaged_request(chance: random.Random, data: bytes) -> Request:
    body = damaged(chance, data)
    if chance.random() < 0.2:
        body = json.dumps({"image": base64.b64encode(body).decode()}).encode()
    headers = {}
    if (content_type := chance.choice(CONTENT_TYPES)) is not None:
        headers["Content-Type"] = content_type
    if chance.random() < 0.1:
        name, value = chance.choice(ODD_HEADERS)
        headers[name] = value
    return Request("POST", "predict", body, headers)
