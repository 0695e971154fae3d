"""Look through held labels: `python -m training_job.review [--approve …] [--reject …]`.

Without a decision it lists what waits, by reason, and writes a page with the photos.
"""

from __future__ import annotations

import argparse
import base64
import getpass
import io
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from PIL import Image, ImageOps

from areyouacat.lake import HeldLabel
from areyouacat.review_queue import Decision, ReviewQueue, ReviewQueueError, chosen
from training_job.endpoints import STATE_DIR, Endpoints, UnknownEndpointError
from training_job.lake_store import ObjectMissingError, S3Lake

_SHOWN = 200
_THUMBNAIL_PX = 180
_NAME_DIGITS = 10
_STYLE = """
body { font-family: system-ui, sans-serif; margin: 2rem; }
main { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; width: 180px; font-size: 0.85rem; }
img { width: 180px; height: 180px; object-fit: contain; background: #8883; }
"""


def main(arguments: Sequence[str] | None = None, queue: ReviewQueue | None = None) -> int:
    """Exit codes: 0 done, 2 the lake cannot be reached or a name fits nothing."""
    parser = argparse.ArgumentParser(
        prog="python -m training_job.review",
        description="Decide which labels of callers may teach.",
    )
    parser.add_argument("--approve", nargs="*", default=[], metavar="PHOTO")
    parser.add_argument("--reject", nargs="*", default=[], metavar="PHOTO")
    parser.add_argument("--page", type=Path, help="where to write the page with the photos")
    options = parser.parse_args(arguments)
    try:
        queue = queue or ReviewQueue(_lake())
        waiting = queue.waiting()
        if not options.approve and not options.reject:
            page = (
                options.page or Path(os.environ.get("LOCAL_STATE_DIR") or STATE_DIR) / "review.html"
            )
            _show(queue, waiting, page)
            return 0
        approved = chosen(waiting, options.approve)
        refused = {one.photo: one for one in chosen(waiting, options.reject)}
        both = [one.photo[:_NAME_DIGITS] for one in approved if one.photo in refused]
        if both:
            raise ReviewQueueError(f"approved and rejected at once: {', '.join(both)}")
        queue.decide(
            Decision(approved, tuple(refused.values()), getpass.getuser(), datetime.now(UTC))
        )
    except (UnknownEndpointError, ReviewQueueError) as error:
        print(error, file=sys.stderr)
        return 2
    except (BotoCoreError, ClientError) as error:
        print(f"The lake cannot be reached or refused: {error}. Is it up?", file=sys.stderr)
        return 2
    print(f"Approved: {len(approved)}, rejected: {len(refused)}. The next training learns of it.")
    return 0


def _show(queue: ReviewQueue, waiting: Sequence[HeldLabel], page: Path) -> None:
    if not waiting:
        print("No label waits for anybody.")
        return
    for reason, count in Counter(one.reason for one in waiting).most_common():
        print(f"{count:6,}  {reason}")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join(_lines(queue, waiting)) + "\n", encoding="utf-8")
    print(f"Look at them: {page}")
    print('Then: make review APPROVE=all, or APPROVE="<photo> …" REJECT="<photo> …"')


def _lines(queue: ReviewQueue, waiting: Sequence[HeldLabel]) -> Iterator[str]:
    title = f"{len(waiting):,} labels wait for a person"
    yield f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>'
    yield f"<style>{_STYLE}</style>\n<h1>{title}</h1>\n<main>"
    for one in waiting[:_SHOWN]:
        name, label = one.photo[:_NAME_DIGITS], escape(one.label)
        yield (
            f'<figure><img src="{_thumbnail(queue, one)}" alt="said to be {label}">'
            f"<figcaption><b>{label}</b> <code>{name}</code><br>{escape(one.reason)}</figcaption>"
            "</figure>"
        )
    yield "</main>"
    if len(waiting) > _SHOWN:
        yield f"<p>And {len(waiting) - _SHOWN:,} more.</p>"
    yield "</html>"


def _thumbnail(queue: ReviewQueue, held: HeldLabel) -> str:
    """A data URL; empty where the photo is gone or cannot be drawn."""
    try:
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(queue.photo(held)))).convert("RGB")
    except (ObjectMissingError, OSError, ValueError, Image.DecompressionBombError):
        return ""
    image.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
    drawn = io.BytesIO()
    image.save(drawn, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(drawn.getvalue()).decode()}"


def _lake() -> S3Lake:
    endpoints = Endpoints.load()
    return S3Lake(endpoints.require_lake_bucket(), endpoints.client("s3"))


if __name__ == "__main__":
    sys.exit(main())
