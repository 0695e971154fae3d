"""Malformed requests by the thousand: none may be a 5xx, none may take long."""

import base64
import io
import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Final

from PIL import Image

from areyouacat.settings import IMAGES
from benchmarks.figures import Context, Figure
from benchmarks.http_load import Reply, Request, load
from benchmarks.local_api import KEY_HEADER, LocalApi
from benchmarks.local_cloud import local_cloud
from tests.hostile_images import BOMBS, gradient, saved

NAME = "malformed"
DESCRIPTION = "2,000 damaged photos, lying headers and wrong JSON: no 5xx, nothing over 5 s"
REQUESTS, QUICK_REQUESTS, CLIENTS, SEED = 2_000, 200, 2, 4
MAX_SECONDS: Final = 5.0
CONTENT_TYPES: Final = (
    *IMAGES.media_types,
    "application/octet-stream",
    "application/json",
    "application/json; charset=latin-1",
    "text/html",
    "multipart/form-data; boundary=x",
    "image/svg+xml",
    "",
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
)


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
    made = {name: saved(image, kind, **options) for name, (kind, image, options) in still.items()}
    archive = io.BytesIO(b"PK\x03\x04" + b"\0" * 60).getvalue()
    return made | {"PDF": b"%PDF-1.7\n%EOF", "text": b"no photo at all", "zip": archive}


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


def questions(requests: int, api_key: str, seed: int = SEED) -> Iterator[Request]:
    """The same requests for the same seed: bombs, wrong JSON, then damaged files of every kind."""
    chance = random.Random(seed)  # noqa: S311 - the same every time is what is wanted
    key = {KEY_HEADER: api_key}
    bombs = [make() for make, _ in BOMBS.values()]
    sent = 0
    for body in [bomb for bomb in bombs if len(bomb) < 6_000_000]:
        yield Request("POST", "predict", body, key | {"content-type": "image/png"})
        sent += 1
    for text in WRONG_JSON:
        yield Request("POST", "predict", text.encode(), key | {"content-type": "application/json"})
        sent += 1
    files = list(whole_files().values())
    for _ in range(requests - sent):
        body = damaged(chance, chance.choice(files))
        if chance.random() < 0.2:
            body = json.dumps({"image": base64.b64encode(body).decode()}).encode()
        headers = {"content-type": chance.choice(CONTENT_TYPES)}
        if chance.random() < 0.1:
            headers["idempotency-key"] = chance.choice(("ok", " ", "x" * 300, "two words"))
        yield Request("POST", "predict", body, key | headers)


def has_our_shape(one: Reply) -> bool:
    """An answer of a verdict, or an error with code and message and nothing else."""
    try:
        body = json.loads(one.body)
    except ValueError:
        return False
    if one.status == 200:
        return "prediction_id" in body
    return isinstance(body.get("error"), dict) and body["error"].keys() == {"code", "message"}


def run(context: Context) -> list[Figure]:
    """Send them all, and look at every answer."""
    requests = QUICK_REQUESTS if context.quick else REQUESTS
    with local_cloud(context, NAME, starter=True) as cloud:
        api = LocalApi.of(cloud)
        api.raise_throttles()
        context.say(f"  {requests:,} malformed requests")
        ran = load(api.connect, questions(requests, api.key), CLIENTS)
    statuses = Counter(one.status for one in ran.replies)
    unanswered = sum(number for status, number in statuses.items() if not 0 < status < 500)
    slow = sum(one.seconds > MAX_SECONDS for one in ran.replies)
    codes = Counter(
        json.loads(one.body)["error"]["code"]
        for one in ran.replies
        if one.status != 200 and has_our_shape(one)
    )
    told = ", ".join(f"{code} {number}" for code, number in codes.most_common())
    return [
        Figure.at_most("answered with a 5xx, or not at all", unanswered, "", 0),
        Figure.at_most(f"answered after {MAX_SECONDS:g} s", slow, "", 0),
        Figure.at_most("of another shape", sum(not has_our_shape(a) for a in ran.replies), "", 0),
        Figure.told("slowest", ran.milliseconds(1.0) / 1000, "s"),
        Figure.told("answered with a verdict all the same", statuses[200], "", "of whole pictures"),
        Figure.told("refused", len(ran.replies) - statuses[200], "", told),
    ]
