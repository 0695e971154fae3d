"""Logging and metrics, declared once for every function of every bundle.

The service's name and the level come from `POWERTOOLS_SERVICE_NAME` and `LOG_LEVEL`.
"""

from __future__ import annotations

import sys

from aws_lambda_powertools.logging import Logger

logger = Logger()


def write_metrics(emf_line: str) -> None:
    """Puts one line in CloudWatch's embedded metric format (`areyouacat.metrics.emf`) in the log.

    It goes out bare: a logger would wrap it, and CloudWatch would no longer see the metrics.
    """
    sys.stdout.write(emf_line + "\n")
    sys.stdout.flush()
