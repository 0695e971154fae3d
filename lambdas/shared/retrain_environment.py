"""The environment variables that hold the limits of automatic trainings."""

from dataclasses import dataclass
from datetime import timedelta

from areyouacat.training_ledger import RetrainRules


@dataclass(frozen=True)
class RetrainEnvironment:
    """For whoever asks the training ledger; the limits are numbers as text."""

    control_table: str
    retrain_cooldown_seconds: str
    retrain_daily_cap: str
    retrain_same_cause_seconds: str

    @property
    def rules(self) -> RetrainRules:
        """The limits."""
        return RetrainRules(
            cooldown=timedelta(seconds=float(self.retrain_cooldown_seconds)),
            daily_cap=int(self.retrain_daily_cap),
            same_cause=timedelta(seconds=float(self.retrain_same_cause_seconds)),
        )
