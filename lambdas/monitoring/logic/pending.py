"""Alarms whose training was turned away: they speak once, so their reason is kept and asked again.

An alarm acts only when its state changes. What the lease, the cooldown or the cap turned away
would be lost, were it not started again while the alarm still stands; when it stands no more it
says so, and its reason is forgotten.
"""

import hashlib
import json
from datetime import datetime
from typing import Final

from areyouacat.lake import utc_text
from areyouacat.training_ledger import RetrainRules, TrainingLedger
from lambdas.monitoring.logic.alarms import Start

_REASON_LIMIT: Final = 1_000  # characters


def pending_start(
    ledger: TrainingLedger, revision: int, rules: RetrainRules, now: datetime, *, holder_runs: bool
) -> Start | None:
    """The one execution of train for all that waits; None if nothing does, or it is too soon.

    Named after the ledger's `revision`: however often this is asked, as long as nothing has
    changed, it is one execution.
    """
    if not ledger.pending or holder_runs or ledger.closed_until(rules, now):
        return None
    alarm, oldest = min(ledger.pending.items(), key=lambda each: (each[1].since, each[0]))
    reasons = "; ".join(dict.fromkeys(one.reason for one in ledger.pending.values()))
    asked = {
        "reason": reasons[:_REASON_LIMIT],
        "source": "alarm",
        "alarm": alarm,
        "pending_since": utc_text(oldest.since),
    }
    digest = hashlib.sha256(f"{alarm}|{oldest.since}|{revision}".encode()).hexdigest()[:16]
    return Start(f"pending-{digest}", json.dumps(asked, sort_keys=True))
