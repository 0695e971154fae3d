"""What each part asks of MLflow's REST API, by the names that IAM has for it.

Source of the names: "Actions, resources, and condition keys for Amazon SageMaker with MLflow",
Service Authorization Reference. Tests run each part and hold its requests against this list.
"""

from collections.abc import Mapping
from typing import Final

_ALIASES: Final = (
    "GetRegisteredModel",
    "GetModelVersion",
    "SetModelVersionTag",
    "SetRegisteredModelAlias",
    "DeleteRegisteredModelAlias",
)
_A_RUN: Final = ("GetExperimentByName", "CreateExperiment", "CreateRun", "LogBatch", "UpdateRun")

CALLS: Final[Mapping[str, tuple[str, ...]]] = {
    "register-model": (
        "SearchModelVersions",
        "CreateRegisteredModel",
        "CreateModelVersion",
        "GetRegisteredModel",
        "SetRegisteredModelAlias",
        "SetTag",
        "LogBatch",
        "GetRun",
    ),
    "record-outcome": (
        "GetExperimentByName",
        "SearchRuns",
        "GetRun",
        "UpdateRun",
        "SetTag",
        "LogBatch",
    ),
    "move-alias": (*_ALIASES, "LogBatch"),
    "verify-registry": _ALIASES,
    "training-job": (*_A_RUN, "LogInputs", "GetRun"),
    "drift-report-job": (*_A_RUN, "SearchRuns", "GetRun"),
}
