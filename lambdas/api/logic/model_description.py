"""What the API tells about the model that serves."""

from __future__ import annotations

from areyouacat.lake import utc_text
from areyouacat.model_spec import ModelSpec
from areyouacat.serving_pointer import CHAMPION, ServingPointer
from lambdas.api.logic.answers import (
    HealthAnswer,
    ModelAnswer,
    RunningDeployment,
    ServingModel,
    ServingVariant,
    VerdictBands,
)


def describe_model(pointer: ServingPointer, spec: ModelSpec) -> ModelAnswer:
    """The answer of `GET /model`; `spec` is the champion's."""
    champion = pointer.champion
    previous = [variant.version for variant in pointer.previous if variant.role == CHAMPION]
    return ModelAnswer(
        model=ServingModel(
            name=champion.name,
            version=champion.version,
            role=champion.role,
            mode=spec.mode,
            dataset_version=spec.dataset_version,
            threshold=spec.threshold,
            bands=VerdictBands(spec.bands.negative_to, spec.bands.positive_from),
        ),
        previous_version=previous[0] if previous else None,
        updated_at=utc_text(pointer.updated_at),
        variants=[
            ServingVariant(variant.version, variant.role, variant.weight)
            for variant in pointer.variants
        ],
        deployment=RunningDeployment(
            pointer.deployment.strategy.value, utc_text(pointer.deployment.began_at)
        )
        if pointer.deployment
        else None,
    )


def describe_health(pointer: ServingPointer | None) -> HealthAnswer:
    """The answer of `GET /health`: the API is up; is there a model behind it?"""
    if pointer is None:
        return HealthAnswer(status="no_model", model_version=None)
    return HealthAnswer(status="ok", model_version=pointer.champion.version)
