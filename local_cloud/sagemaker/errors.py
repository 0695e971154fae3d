"""What can go wrong, and what a client sees of it.

    SageMakerError          an API call is refused; becomes an HTTP error of the JSON protocol
    ├── ValidationError         ValidationException
    ├── SerializationError      SerializationException
    ├── UnknownOperationError   UnknownOperationException
    ├── ResourceInUseError      ResourceInUse
    ├── ResourceNotFoundError   ResourceNotFound
    ├── ResourceLimitError      ResourceLimitExceeded
    └── StorageError            InternalFailure
    JobFailure              a job ends as Failed; its text is the FailureReason
    ├── DataOrImageError        "ClientError: ..."
    ├── AlgorithmError          "AlgorithmError: ..."
    └── InternalError           "InternalServerError: ..."

The names to the right are AWS's own, as clients catch them.
"""

# The length of FailureReason in SageMaker's service model.
MAX_FAILURE_REASON = 1024


class SageMakerError(Exception):
    """An API call that is refused. `code` is AWS's error code, `message` what the client reads."""

    code = "InternalFailure"
    http_status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ValidationError(SageMakerError):
    """A request that AWS, or this emulator, does not accept; also an unknown job, as on AWS."""

    code = "ValidationException"


class SerializationError(SageMakerError):
    """A JSON value of the wrong type."""

    code = "SerializationException"


class UnknownOperationError(SageMakerError):
    """An action of the SageMaker API that this emulator does not have."""

    code = "UnknownOperationException"


class ResourceInUseError(SageMakerError):
    """The name of a job is taken, or the job still runs."""

    code = "ResourceInUse"


class ResourceNotFoundError(SageMakerError):
    """There is no such job, where AWS does not say ValidationException."""

    code = "ResourceNotFound"


class ResourceLimitError(SageMakerError):
    """More than this machine has."""

    code = "ResourceLimitExceeded"


class StorageError(SageMakerError):
    """The disk does not take the service's records."""

    http_status = 500


class JobFailure(Exception):  # noqa: N818 (it is the outcome of a job, not an error of this program)
    """A job that ends as Failed."""

    origin = ""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = f"{self.origin}: {reason}"[:MAX_FAILURE_REASON]


class DataOrImageError(JobFailure):
    """The caller's part: data, image, role."""

    origin = "ClientError"


class AlgorithmError(JobFailure):
    """The container's part: it wrote `failure`, or ended with an exit code that is not 0."""

    origin = "AlgorithmError"

    def __init__(self, reason: str, exit_code: int) -> None:
        ending = f", exit code: {exit_code}"
        room = MAX_FAILURE_REASON - len(f"{self.origin}: {ending}")
        super().__init__(f"{reason[:room]}{ending}")


class InternalError(JobFailure):
    """The emulator's part."""

    origin = "InternalServerError"
