"""Malformed requests by the thousand: none may be a 5xx, none may take long."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from benchmarks.figures import Context, Figure
from benchmarks.http_load import Reply, Request, load
from benchmarks.local_api import KEY_HEADER, LocalApi
from benchmarks.local_cloud import local_cloud
from benchmarks.malformed_requests import malformed_requests
from benchmarks.sample_photos import SMALL, photo_like
from tests.hostile_images import BOMBS

NAME = "malformed"
DESCRIPTION = "2,000 damaged photos, lying headers and wrong JSON: no 5xx, nothing over 5 s"
REQUESTS, QUICK_REQUESTS, CLIENTS, SEED = 2_000, 200, 2, 4
MAX_SECONDS: Final = 5.0


def run(context: Context) -> list[Figure]:
    """Send them all, and look at every answer."""
    count = (QUICK_REQUESTS if context.quick else REQUESTS) - len(BOMBS)
    with local_cloud(context, NAME, starter=True) as cloud:
        api = LocalApi.of(cloud)
        api.raise_throttles()
        photo = photo_like(SMALL)
        api.warm_up(photo, CLIENTS)
        context.say(f"  {count:,} malformed requests")
        sent = list(_with_key(malformed_requests(count, SEED), api.key))
        found = load(api.connect, sent, CLIENTS)
        context.say(f"  {len(BOMBS)} bombs by upload")
        with api.connect() as connection:
            bombs = {
                name: connection.send(api.uploaded(connection, make()))
                for name, (make, _) in BOMBS.items()
            }
            afterwards = connection.send(api.predict(photo))
    replies = [*found.replies, *bombs.values()]
    slowest = max(replies, key=lambda reply: reply.seconds)
    return [
        *judged(replies),
        Figure.told("slowest", slowest.seconds, "s", _words(slowest)),
        Figure.at_most(
            "bombs not answered as they should be",
            sum(outcome(bombs[name]) != expected for name, (_, expected) in BOMBS.items()),
            "",
            0,
            f"of {len(BOMBS)} by upload",
        ),
        Figure("a photo afterwards", afterwards.status, "", "200", afterwards.status == 200),
    ]


def judged(replies: Iterable[Reply]) -> list[Figure]:
    """What they say together."""
    replies = list(replies)
    broken = [reply for reply in replies if not 0 < reply.status < 500]
    shapeless = [reply for reply in replies if outcome(reply) is None]
    slow = sum(reply.seconds > MAX_SECONDS for reply in replies)
    outcomes = Counter(outcome(reply) for reply in replies)
    answered = outcomes.pop(ANSWERED, 0)
    codes = ", ".join(f"{code} {many}" for code, many in outcomes.most_common() if code)
    return [
        Figure.at_most("answered with a 5xx, or not at all", len(broken), "", 0, _first(broken)),
        Figure.at_most(f"answered after {MAX_SECONDS:g} s", slow, "", 0, f"of {len(replies):,}"),
        Figure.at_most("of another shape", len(shapeless), "", 0, _first(shapeless)),
        Figure.told("answered", 100 * answered / len(replies), "%", "whole after all"),
        Figure.told("refused", 100 - 100 * answered / len(replies), "%", codes),
    ]


ANSWERED: Final = "answered"


def outcome(reply: Reply) -> str | None:
    """`answered`, or an error's code; `None` if it is neither in the one shape that ours have."""
    try:
        body = json.loads(reply.body)
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    if reply.status == 200:
        return ANSWERED if "error" not in body else None
    error = body.get("error")
    if body.keys() != {"error"} or not isinstance(error, dict):
        return None
    texts = error.keys() == {"code", "message"} and all(
        isinstance(text, str) and text for text in error.values()
    )
    return error["code"] if texts else None


def _with_key(requests: Iterable[Request], key: str) -> Iterator[Request]:
    for request in requests:
        yield replace(request, headers={KEY_HEADER: key, **request.headers})


def _first(replies: list[Reply]) -> str:
    return f"the first: {_words(replies[0])}" if replies else ""


def _words(reply: Reply) -> str:
    return f"{reply.status} {reply.body[:150].decode(errors='replace')}".replace("|", "/")
