"""From a deployment that was cut off to the execution that cleans up behind it."""

import hashlib
import json
from typing import Final

from areyouacat.serving_pointer import ServingPointer
from lambdas.monitoring.logic.alarms import Start

_PREFIX: Final = "abandoned-"


def cleanup_start(execution_arn: str, status: str, pointer: ServingPointer | None) -> Start | None:
    """The execution that takes a challenger out which nobody watches any more.

    It also lets the registry follow, if the deployment got no further than the pointer. None if
    the deployment has left no trace, or was such a cleaning itself: that must not go on for ever.
    """
    name = execution_arn.rpartition(":")[2]
    if pointer is None or name.startswith(_PREFIX):
        return None
    deployment = pointer.deployment
    holds = deployment is not None and deployment.execution_arn == execution_arn
    if not holds and pointer.updated_by != execution_arn:
        return None
    asked = {
        "strategy": "roll_back",
        "deployment": execution_arn,
        "reason": f"the deployment {name} ended before its end: {status}",
        "source": "abandoned",
    }
    digest = hashlib.sha256(execution_arn.encode()).hexdigest()[:16]
    return Start(f"{_PREFIX}{digest}", json.dumps(asked, sort_keys=True))
