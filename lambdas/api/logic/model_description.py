"""What the API tells about the model that serves."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from areyouacat.lake import utc_text
from areyouacat.model_spec import ModelSpec
from areyouacat.serving_pointer import CHAMPION, ServingPointer


def describe_model(pointer: ServingPointer, spec: ModelSpec) -> dict[str, Any]:
    """The answer of `GET /model`; `spec` is the champion's."""
    champion = pointer.champion
    previous = [variant.version for variant in pointer.previous if variant.role == CHAMPION]
    return {
        "model": {
            "name": champion.name,
            "version": champion.version,
            "role": champion.role,
            "mode": spec.mode,
            "dataset_version": spec.dataset_version,
            "threshold": spec.threshold,
            "bands": asdict(spec.bands),
        },
        "previous_version": previous[0] if previous else None,
        "updated_at": utc_text(pointer.updated_at),
    }


def describe_health(pointer: ServingPointer | None) -> dict[str, Any]:
    """The answer of `GET /health`: the API is up; is there a model behind it?"""
    if pointer is None:
        return {"status": "no_model", "model_version": None}
    return {"status": "ok", "model_version": pointer.champion.version}
