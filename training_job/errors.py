"""What can go wrong in a training job.

TrainingError
├── HyperparameterError   a hyperparameter is unknown, mistyped or out of range
├── EnvironmentalError    the container's configuration, channels or variables are incomplete
├── WeightsError          the backbone's weights file is not the one that was pinned
├── TrainingDataError     the data set or its photos cannot be trained on
└── TrackingError         the MLflow tracking server does not answer

Every message names the problem and the remedy: SageMaker shows it as the job's `FailureReason`.
"""

from areyouacat.errors import AreYouACatError


class TrainingError(AreYouACatError):
    """A training job cannot go on, for a reason its owner can act on."""


class HyperparameterError(TrainingError):
    """A hyperparameter is unknown, has the wrong type or is out of range."""


class EnvironmentalError(TrainingError):
    """The container's configuration, channels or environment variables are incomplete."""


class WeightsError(TrainingError):
    """The backbone's weights file is not the one that was pinned, or cannot be read."""


class TrainingDataError(TrainingError):
    """The data set or its photos cannot be trained on."""


class TrackingError(TrainingError):
    """The MLflow tracking server does not answer."""
