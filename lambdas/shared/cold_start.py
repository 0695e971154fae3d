"""Imported first by a function that must start quickly: no garbage is looked for meanwhile.

What imports and boto3's service models leave in memory stays for good, yet the collector walks
through it again and again while it grows.
"""

from __future__ import annotations

import gc
import os


def started() -> None:
    """What is there now is left alone for ever, and the collector works as usual on the rest."""
    gc.freeze()
    gc.enable()


# Lambda sets it; whoever else imports a function's code keeps the collector.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    gc.disable()
