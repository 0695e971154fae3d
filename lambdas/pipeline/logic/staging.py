"""StageVariant: is this model version whole, and how does the pointer name it?"""

import math
from dataclasses import dataclass
from typing import Final, TypeVar

from areyouacat.errors import CorruptModelError, ModelNotFoundError
from areyouacat.lake import model_prefix, sha256_hex
from areyouacat.model_spec import MODEL_FILE, SPEC_FILE
from areyouacat.serving_pointer import CHALLENGER, ServingPointer, Strategy, Variant
from areyouacat.settings import AB_TEST, CANARY
from lambdas.pipeline.logic.ports import Lake
from lambdas.shared.model_files import verified_spec

_MAX_CHECKS: Final = 2_000
"""An execution's history holds 25,000 events, and a check leaves about ten."""

_MODELS_PREFIX: Final = f"{model_prefix('').rstrip('/')}/"


def stage(lake: Lake, version: str) -> Variant:
    """The variant of a version whose files are all there and say what their hashes say.

    Looks at the lake alone, so that any version can be served again while MLflow is down.

    Raises:
        ModelNotFoundError: no such version; names those that exist.
        CorruptModelError: a file is missing, damaged, or not for this build of serving.
    """
    prefix = model_prefix(version)
    tflite = lake.read(f"{prefix}{MODEL_FILE}")
    spec_json = lake.read(f"{prefix}{SPEC_FILE}")
    if tflite is None and spec_json is None:
        raise ModelNotFoundError(
            f"There is no model version {version} in the lake. {_existing(lake)}"
        )
    if tflite is None or spec_json is None:
        missing = MODEL_FILE if tflite is None else SPEC_FILE
        raise CorruptModelError(
            f"Model version {version} lacks {missing}. Register it again, or choose another."
        )
    spec = verified_spec(spec_json, tflite, f"Model version {version}")
    return Variant(
        role=CHALLENGER,
        name=spec.model_name,
        version=version,
        weight=0.0,
        key=f"{prefix}{MODEL_FILE}",
        sha256=spec.tflite.sha256,
        model_json_key=f"{prefix}{SPEC_FILE}",
        model_json_sha256=sha256_hex(spec_json),
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a version is to be deployed; None: as settings say."""

    strategy: Strategy
    canary_weight: float | None
    bake_seconds: int | None
    check_seconds: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """How a version will be deployed. `canary_weight`: the challenger's share of the callers."""

    strategy: Strategy
    canary_weight: float
    bake_seconds: int
    check_seconds: int


def plan(
    variant: Variant,
    pointer: ServingPointer | None,
    wanted: Wanted,
    *,
    canary_bake_seconds: int,
    canary_check_seconds: int,
) -> Plan:
    """What was wanted, with what settings say where nothing was.

    The first version of all has no champion to stand beside, nor has the champion itself.
    """
    strategy = wanted.strategy
    if pointer is None or pointer.champion.version == variant.version:
        strategy = Strategy.ALL_AT_ONCE
    if strategy is Strategy.AB_TEST:
        usual = Plan(strategy, AB_TEST.weight, AB_TEST.bake_seconds, AB_TEST.check_seconds)
    else:
        usual = Plan(strategy, CANARY.weight, canary_bake_seconds, canary_check_seconds)
    bake_seconds = _or(wanted.bake_seconds, usual.bake_seconds)
    check_seconds = _or(wanted.check_seconds, usual.check_seconds)
    return Plan(
        strategy,
        _or(wanted.canary_weight, usual.canary_weight),
        bake_seconds,
        max(check_seconds, math.ceil(bake_seconds / _MAX_CHECKS)),
    )


Number = TypeVar("Number", int, float)


def _or(wanted: Number | None, usual: Number) -> Number:
    return usual if wanted is None else wanted


def _existing(lake: Lake) -> str:
    versions = sorted(lake.folders(_MODELS_PREFIX), key=lambda name: (len(name), name))
    return f"There are: {', '.join(versions)}." if versions else "There is none yet: make train."
