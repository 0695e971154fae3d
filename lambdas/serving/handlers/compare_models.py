"""Any model versions on any data set version, side by side.

It is part of the serving bundle so that what is compared is what would serve: the same decoding,
the same interpreter, the same loading.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from areyouacat.comparison_text import figures, to_markdown
from areyouacat.errors import DatasetError
from areyouacat.lake import COMPARISON_JSON, COMPARISON_MARKDOWN
from areyouacat.settings import EVALUATION, GATE
from lambdas.serving.dal.evaluation_store import EvaluationStore
from lambdas.serving.dal.photo_store import PhotoStore
from lambdas.serving.dal.version_store import VersionStore
from lambdas.serving.logic.comparison_question import (
    Compared,
    choose_models,
    complete,
    read_question,
)
from lambdas.serving.logic.loaded_model import LoadedModel
from lambdas.serving.logic.model_comparison import record
from lambdas.serving.logic.sample import choose_photos
from lambdas.serving.logic.scoring import Photo, median_latency_ms, model_inputs, score_all
from lambdas.shared import aws
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger


@dataclass(frozen=True)
class CompareEnvironment:
    """The environment variables of this function."""

    lake_bucket: str


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Scores the models on one sample and writes down what that shows.

    Input: `{"versions": ["1", "2"], "dataset_version": ..., "split": ...}`; without a data set
    that of the newest of the versions, without a split `test`. The answer holds the table of
    figures; everything is in the lake under its `prefix`, where the same question finds the same
    folder.

    Raises:
        InvalidRequestError: the input has another form.
        ModelNotFoundError, CorruptModelError: a version is not there, or not whole.
        DatasetError: the data set version is not there, or has no such photo.
    """
    lake = load_environment(CompareEnvironment).lake_bucket
    s3 = aws.client("s3")
    versions, store, photos = (
        VersionStore(s3, lake),
        EvaluationStore(s3, lake),
        PhotoStore(s3, lake),
    )
    asked = read_question(event)
    models = choose_models(asked, versions)
    question = complete(asked, models, versions)

    sample = choose_photos(
        store.manifest(question.dataset_version), question.split, GATE.max_test_photos
    )
    if not sample:
        raise DatasetError(
            f"Data set {question.dataset_version} has no photo in the split {question.split}: "
            "choose another split or data set version"
        )
    found = record(
        question,
        models,
        score_all(photos.with_bytes(sample), [model.files for model in models]),
        latencies_ms=_latencies_ms(models, photos.with_bytes(sample)),
        chosen=len(sample),
    )
    store.write(f"{question.prefix}{COMPARISON_JSON}", found.to_json(), "application/json")
    store.write(f"{question.prefix}{COMPARISON_MARKDOWN}", to_markdown(found), "text/markdown")
    logger.info("compared", versions=question.versions, photos=found.comparison.photos)
    return {
        "prefix": question.prefix,
        "photos": found.comparison.photos,
        "table": "\n".join(figures(found.comparison).markdown(aligned=True)),
    }


def _latencies_ms(models: Sequence[Compared], photos: Generator[Photo, None, None]) -> list[float]:
    """Each model's, on the same photos; 0 where none can be read, which `record` refuses."""
    with closing(photos):  # so that nothing is read ahead any more while the clock runs
        inputs = model_inputs(photos, EVALUATION.latency_photos)
    return [
        median_latency_ms(LoadedModel(model.files), inputs) if inputs else 0.0 for model in models
    ]
