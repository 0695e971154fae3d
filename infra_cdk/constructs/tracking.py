"""Where experiments and model versions are recorded: an MLflow server that exists already."""

from aws_cdk import Annotations
from constructs import Construct

from infra_cdk.settings import TRAINING, Settings


class Tracking(Construct):
    """The MLflow tracking server's address, for the training job and the pipeline functions."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        """Warns at synthesis if no address was given: registration would fail for want of it."""
        super().__init__(scope, construct_id)
        self.uri = settings.mlflow_tracking_uri
        self.experiment = TRAINING.mlflow_experiment
        if not self.uri:
            Annotations.of(self).add_warning_v2(
                "are-you-a-cat:no-tracking-server",
                "no MLflow tracking server: pass -c mlflow_tracking_uri=<address> to deploy; "
                "without it models cannot be registered",
            )
