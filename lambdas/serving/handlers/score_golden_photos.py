"""Step of the deploy workflow: does the challenger know what it has to know?

It is part of the serving bundle so that what is tried is what will serve.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from areyouacat.errors import CorruptModelError, DatasetError, ModelNotFoundError
from areyouacat.serving_pointer import Variant
from areyouacat.settings import GOLDEN
from lambdas.serving.dal.evaluation_store import EvaluationStore
from lambdas.serving.dal.model_store import ModelStore
from lambdas.serving.dal.photo_store import PhotoStore
from lambdas.serving.logic.golden import Golden, judge_golden, refused, unknown
from lambdas.serving.logic.loaded_model import load_variant
from lambdas.serving.logic.sample import choose_sample
from lambdas.serving.logic.scoring import score
from lambdas.shared import aws
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger
from lambdas.shared.serving_pointer_store import ServingPointerStore


@dataclass(frozen=True)
class GoldenEnvironment:
    """The environment variables of this function."""

    lake_bucket: str


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Tries the challenger, `event["variant"]`, on the golden photos of its data set.

    A challenger that fails them, or cannot answer at all, is not an error: `passed` is False.

    Raises:
        ModelNotFoundError: nothing serves, so no photo is golden.
    """
    lake = load_environment(GoldenEnvironment).lake_bucket
    found = _tried(Variant(**event["variant"]), lake)
    logger.info("golden photos", **asdict(found))
    return asdict(found)


def _tried(variant: Variant, lake: str) -> Golden:
    s3 = aws.client("s3")
    stored = ServingPointerStore(s3, lake).read()
    if stored is None:
        raise ModelNotFoundError("Nothing serves yet: deploy with the strategy all_at_once.")
    models, champion = ModelStore(s3, lake), stored.pointer.champion
    try:
        champion_files = models.read(champion)
        champion_spec = load_variant(champion, champion_files).spec
    except CorruptModelError as error:
        # A champion that is broken must not keep a good challenger from replacing it.
        logger.error("champion refused", model_version=champion.version, reason=str(error))
        return unknown(f"the champion cannot be loaded, so no photo is golden: {error}")
    try:
        challenger_files = models.read(variant)
        challenger_spec = load_variant(variant, challenger_files).spec
    except CorruptModelError as error:
        return refused(f"cannot be loaded: {error}")
    manifest = EvaluationStore(s3, lake).manifest(challenger_spec.dataset_version)
    try:
        sample = choose_sample(manifest, challenger_spec.mode, GOLDEN.tried)
    except DatasetError as error:
        # A version that outlived its data set can still be gone back to.
        logger.warning("no golden photos", problem=str(error))
        sample = []
    read = PhotoStore(s3, lake).get_many([entry.photo for entry in sample])
    photos = ((entry, data) for entry, (_, data) in zip(sample, read, strict=True))
    try:
        scored = list(score(photos, challenger_files, champion_files))
    except (CorruptModelError, RuntimeError) as error:
        return refused(f"failed on a golden photo: {error}")
    return judge_golden(scored, challenger_spec, champion_spec)
