"""The smoke test: one photo's whole life through a deployed API.

`python -m ci_tools.smoke` reads `endpoints.json`, asks without a key and is refused, asks with one
and is answered, finds the prediction again, and erases it: nothing of it stays in the figures.
"""

import argparse
import io
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image

from areyouacat.settings import LABELS
from ci_tools.locks import ROOT

_ATTEMPTS: Final = 6  # a new stage or a new API key takes some seconds to be known everywhere
_WAIT_SECONDS: Final = 10.0
_TIMEOUT_SECONDS: Final = 40.0  # longer than API Gateway lets anybody wait
_SIDE: Final = 256  # pixels


class SmokeError(Exception):
    """The API does not do what it is for; the message says what was asked and what came."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON body."""

    status: int
    body: Any


Ask = Callable[[str, str, Mapping[str, str], bytes | None], Answer]
"""Method, path, headers, body."""


def check(ask: Ask, key: str, photo: bytes) -> str:
    """A photo is predicted, found and erased; a sentence about it.

    Raises:
        SmokeError: an answer is not what the API promises.
    """
    keyed = {"x-api-key": key}
    photo_type = {"content-type": "image/png"}
    refused = ask("POST", "predict", photo_type, photo)
    _hold(refused.status == 403, "a prediction without a key", refused)
    health = ask("GET", "health", keyed, None)
    _hold(health.status == 200 and health.body.get("status") == "ok", "health", health)
    answer = ask("POST", "predict", keyed | photo_type, photo)
    _hold(answer.status == 200 and _is_prediction(answer.body), "a prediction", answer)
    place = f"predictions/{answer.body['prediction_id']}"
    found = ask("GET", place, keyed, None)
    _hold(found.status == 200 and found.body["label"] == answer.body["label"], "it again", found)
    erased = ask("DELETE", place, keyed, None)
    _hold(erased.status in {200, 204}, "to erase it", erased)
    model = answer.body["model"]
    return f"{model['name']} {model['version']} says {answer.body['verdict']}"


def _hold(kept: bool, asked: str, answer: Answer) -> None:
    if not kept:
        raise SmokeError(f"asked for {asked}, got {answer.status}: {str(answer.body)[:300]}")


def _is_prediction(body: Any) -> bool:
    return (
        body.get("label") in LABELS.all
        and 0 <= body.get("probability", -1) <= 1
        and bool(body.get("prediction_id"))
        and bool(body.get("model", {}).get("version"))
        and len(body.get("explanation", {}).get("grid", ())) == 7
    )


def patiently(attempt: Callable[[], str], *, sleep: Callable[[float], object] = time.sleep) -> str:
    """What an attempt gives, tried again for a minute.

    Raises:
        SmokeError: the last attempt's.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return attempt()
        except SmokeError as error:
            print(f"Not yet: {error}")
            sleep(_WAIT_SECONDS)
    return attempt()


def api(endpoints: Mapping[str, Any]) -> Ask:
    """The API that `endpoints.json` names."""
    tls = ssl.create_default_context(cafile=endpoints.get("ca_bundle"))

    def ask(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        request = urllib.request.Request(  # noqa: S310 - the address of our own deployment
            endpoints["api_url"] + path, data=body, headers=dict(headers), method=method
        )
        try:
            with urllib.request.urlopen(request, context=tls, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                return Answer(answer.status, _json(answer.read()))
        except urllib.error.HTTPError as error:
            return Answer(error.code, _json(error.read()))
        except OSError as error:
            raise SmokeError(f"asked for {method} {path}, got no answer: {error}") from error

    return ask


def _json(data: bytes) -> Any:
    try:
        return json.loads(data or b"{}")
    except ValueError:
        return data.decode(errors="replace")


def new_photo() -> bytes:
    """A PNG that nobody has sent before: an erased photo would not be stored again."""
    file = io.BytesIO()
    Image.frombytes("RGB", (_SIDE, _SIDE), os.urandom(3 * _SIDE * _SIDE)).save(file, "PNG")
    return file.getvalue()


def main(arguments: Sequence[str] | None = None) -> int:
    """Test the deployment of an endpoints file; 0 if it works."""
    parser = argparse.ArgumentParser(description="One photo's whole life through the API")
    state = Path(os.environ.get("LOCAL_STATE_DIR") or ROOT / ".local")
    parser.add_argument("--endpoints", type=Path, default=state / "endpoints.json")
    chosen = parser.parse_args(arguments)
    endpoints = json.loads(chosen.endpoints.read_text())
    try:
        said = patiently(lambda: check(api(endpoints), endpoints["api_key"], new_photo()))
    except SmokeError as error:
        print(f"The smoke test failed: {error}", file=sys.stderr)
        return 1
    print(f"The API works: {said}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
