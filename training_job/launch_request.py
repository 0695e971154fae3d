"""A CreateTrainingJob request, made of the state that the deployed train workflow makes it with.

So image, role, channels, resources and environment have one truth, and what is launched by hand is
what the workflow would have launched. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from areyouacat.execution_history import CAPACITY_STATE, TRAINING_STATE
from training_job.sagemaker_env import Hyperparameters

_STRING_TO_JSON = re.compile(r"States\.StringToJson\('(.*)'\)")


class LaunchError(Exception):
    """The job cannot be launched; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """What of a data set version a job is told. Addresses are `s3://bucket/key`."""

    version: str
    mode: str
    dataset_s3_uri: str
    channel_manifest_s3_uri: str


def training_request(
    definition: str, name: str, dataset: DatasetVersion, hyperparameters: Mapping[str, str]
) -> dict[str, Any]:
    """The payload of CreateTrainingJob.

    `definition`: the state machine's ASL. `name`: the training job's. `hyperparameters`: put over
    the state's own.

    Raises:
        LaunchError: the definition has no such state, or its arguments cannot be worked out here.
        HyperparameterError: the job would refuse the hyperparameters.
    """
    try:
        states = json.loads(definition)["States"]
        parameters = states[TRAINING_STATE]["Parameters"]
        capacity = states[CAPACITY_STATE]["Parameters"]
    except (ValueError, KeyError, TypeError) as error:
        raise LaunchError(
            f"The deployed train workflow has no {CAPACITY_STATE} and {TRAINING_STATE} with "
            "Parameters. "
            "Deploy it anew: make up (or make deploy)."
        ) from error
    known = {
        "$": {
            "lease": {"training_job_name": name},
            "capacity": _resolved(capacity, {}),
            "dataset": {
                "version": dataset.version,
                "mode": dataset.mode,
                "dataset_s3_uri": dataset.dataset_s3_uri,
                "channel_manifest_s3_uri": dataset.channel_manifest_s3_uri,
            },
        },
        "$$": {"Execution": {"Id": "", "Name": ""}},
    }
    request: dict[str, Any] = _resolved(parameters, known)
    request["HyperParameters"] = {**request.get("HyperParameters", {}), **hyperparameters}
    Hyperparameters.parse(request["HyperParameters"])
    return request


def _resolved(template: Any, known: Mapping[str, Any]) -> Any:
    """A payload template with its paths and intrinsic functions worked out."""
    if isinstance(template, dict):
        return {
            name.removesuffix(".$"): _evaluated(str(value), known)
            if name.endswith(".$")
            else _resolved(value, known)
            for name, value in template.items()
        }
    if isinstance(template, list):
        return [_resolved(value, known) for value in template]
    return template


def _evaluated(expression: str, known: Mapping[str, Any]) -> Any:
    if literal := _STRING_TO_JSON.fullmatch(expression):
        return json.loads(literal[1])
    root, _, path = expression.partition(".")
    try:
        value = known[root]
        for name in path.split("."):
            value = value[name]
    except (KeyError, TypeError) as error:
        raise LaunchError(
            f"The deployed state {TRAINING_STATE} uses {expression}, which only an execution "
            "knows: run the whole workflow instead (make train)."
        ) from error
    return value


def given_hyperparameters(words: list[str]) -> dict[str, str]:
    """From `name=value` words.

    Raises:
        LaunchError: a word is no such pair.
    """
    pairs = [word.partition("=") for word in words]
    if wrong := [name for name, sign, _ in pairs if not (name and sign)]:
        raise LaunchError(f"'{wrong[0]}' is no hyperparameter: write name=value.")
    return {name: value for name, _, value in pairs}
