"""`GET /openapi.json` and `GET /docs`: what this API can do, for programs and for people.

The document is committed; `make openapi` writes it. Swagger UI comes from Powertools' own package
and is served inside the page: nothing is fetched from elsewhere, and the page's policy forbids it.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.event_handler.api_gateway import Router

from areyouacat.settings import LABELS

OPENAPI_FILE: Final = Path(__file__).parent.parent / "openapi.json"
_ASSETS = "aws_lambda_powertools.event_handler.openapi.swagger_ui"
# validatorUrl: Swagger UI would show the document to a service on the internet.
_START = """
SwaggerUIBundle({
  url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout",
});
"""

router = Router()  # type: ignore[no-untyped-call]


@router.get("/openapi.json", include_in_schema=False)
def get_openapi() -> Response[str]:
    """The OpenAPI document."""
    return Response(status_code=200, content_type=content_types.APPLICATION_JSON, body=_document())


@router.get("/docs", include_in_schema=False)
def get_docs() -> Response[str]:
    """Swagger UI on the document beside it."""
    body, policy = docs_page()
    return Response(
        status_code=200,
        content_type="text/html; charset=utf-8",
        body=body,
        headers={
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        },
    )


def read_ahead() -> None:
    """Has document and page in memory."""
    _document()
    docs_page()


@cache
def _document() -> str:
    return OPENAPI_FILE.read_text("utf-8")


@cache
def docs_page() -> tuple[str, str]:
    """The page, and the policy under which it works: its own scripts, its own API, nothing else."""
    assets = files(_ASSETS)
    script = assets.joinpath("swagger-ui-bundle.min.js").read_text("utf-8")
    style = assets.joinpath("swagger-ui.min.css").read_text("utf-8")
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>Are you {LABELS.positive_words}?</title>\n<style>{style}</style>\n</head>\n"
        f'<body>\n<div id="swagger-ui"></div>\n<script>{script}</script>\n'
        f"<script>{_START}</script>\n</body>\n</html>\n"
    )
    policy = (
        "default-src 'none'; "
        f"script-src {_digest(script)} {_digest(_START)}; "
        # Swagger UI writes style attributes.
        "style-src 'unsafe-inline'; "
        "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return page, policy


def _digest(script: str) -> str:
    """How a policy names a script that may run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
