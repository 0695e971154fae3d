"""The tree of domain errors.

AreYouACatError
├── RequestError               an HTTP answer: `code` and `http_status`
│   ├── EmptyBodyError             400 empty_body
│   ├── UnreadableImageError       400 unreadable_image
│   ├── NotFoundError              404 not_found
│   ├── UploadUsedError            409 upload_used
│   ├── IdempotencyKeyReusedError  409 idempotency_key_reused
│   ├── PayloadTooLargeError       413 payload_too_large
│   ├── TooManyPixelsError         413 too_many_pixels
│   ├── TooComplexError            413 too_complex
│   ├── UnsupportedFormatError     415 unsupported_format
│   ├── InvalidRequestError        422 invalid_request
│   ├── TooMuchFeedbackError       429 too_much_feedback
│   └── NoModelError               503 no_model_yet
└── PipelineError              a state machine error: the class name is the ASL error name
    ├── DatasetError               the lake cannot make a data set
    │   ├── EmptyLakeError
    │   ├── MissingLabelError
    │   ├── ConflictingLabelsError
    │   ├── TooFewPhotosError
    │   ├── ImbalancedLabelsError
    │   └── UnreadableShardError
    ├── InvalidBatchError          a batch that cannot be meant so
    ├── EmptyBatchError            there is no photo where a batch looks for some
    ├── CorruptModelError          a model's bytes are not what its hashes say
    ├── ModelNotFoundError         no such version in the lake
    ├── RegistryError              MLflow cannot be reached or refuses
    ├── StalePointerError          somebody else moved the serving pointer
    ├── DeploymentInProgressError  another deployment's challenger has its share of the traffic
    ├── AbTestInProgressError      the same, of a test that may take days
    ├── AlreadyServingError        the version became the champion meanwhile
    ├── DeploymentSupersededError  this deployment's challenger was taken out meanwhile
    └── NothingToRollBackError     no version served before
"""

from typing import ClassVar


class AreYouACatError(Exception):
    """Base of every error this project raises on purpose."""


class RequestError(AreYouACatError):
    """A request that cannot be answered; the message is shown to the caller."""

    code: ClassVar[str] = "bad_request"
    http_status: ClassVar[int] = 400
    retry_after_seconds: int | None = None
    """When the same request may succeed; None where it never will."""


class EmptyBodyError(RequestError):
    """The request has no body."""

    code = "empty_body"


class UnreadableImageError(RequestError):
    """The bytes are no image that can be decoded."""

    code = "unreadable_image"


class NotFoundError(RequestError):
    """The named thing does not exist."""

    code = "not_found"
    http_status = 404


class UploadUsedError(RequestError):
    """An upload is good for one prediction, and it has been made."""

    code = "upload_used"
    http_status = 409


class IdempotencyKeyReusedError(RequestError):
    """The same Idempotency-Key came with another photo."""

    code = "idempotency_key_reused"
    http_status = 409


class PayloadTooLargeError(RequestError):
    """Too many bytes."""

    code = "payload_too_large"
    http_status = 413


class TooManyPixelsError(RequestError):
    """Too many pixels, whatever the bytes."""

    code = "too_many_pixels"
    http_status = 413


class TooComplexError(RequestError):
    """Built so that decoding it takes too long or too much memory."""

    code = "too_complex"
    http_status = 413


class UnsupportedFormatError(RequestError):
    """An image, but of a format that is not accepted."""

    code = "unsupported_format"
    http_status = 415


class InvalidRequestError(RequestError):
    """JSON of the wrong shape."""

    code = "invalid_request"
    http_status = 422


class TooMuchFeedbackError(RequestError):
    """One caller has said more within the hour than one caller may."""

    code = "too_much_feedback"
    http_status = 429

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        """`retry_after_seconds`: until the next hour begins."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class NoModelError(RequestError):
    """Nothing has been trained and promoted yet."""

    code = "no_model_yet"
    http_status = 503
    retry_after_seconds = 30


class PipelineError(AreYouACatError):
    """A workflow step failed; the class name is what the state machine catches."""


class DatasetError(PipelineError):
    """The lake cannot make a data set."""


class EmptyLakeError(DatasetError):
    """The lake holds no labelled photo."""


class MissingLabelError(DatasetError):
    """One of the two labels has no photo at all."""


class ConflictingLabelsError(DatasetError):
    """The same photo carries different labels of one moment, or one that settings do not know."""


class TooFewPhotosError(DatasetError):
    """A label has too few photos to learn from, or to be judged by."""


class ImbalancedLabelsError(DatasetError):
    """One label has so many more photos than the other that always saying it looks good."""


class UnreadableShardError(DatasetError):
    """Index or label shards are damaged, so that nobody knows which photos would be missing."""


class InvalidBatchError(PipelineError):
    """What was asked of batch scoring cannot be meant so; says what can."""


class EmptyBatchError(PipelineError):
    """There is no photo where a batch looks for some."""


class CorruptModelError(PipelineError):
    """A model's bytes are not what its hashes say, or its files are not whole."""


class ModelNotFoundError(PipelineError):
    """No such model version in the lake."""


class RegistryError(PipelineError):
    """MLflow cannot be reached or refuses."""


class StalePointerError(PipelineError):
    """Somebody else moved the serving pointer since it was read."""


class DeploymentInProgressError(PipelineError):
    """Another deployment's challenger has its share of the traffic."""


class AbTestInProgressError(PipelineError):
    """An A/B test has the traffic; it may take days, so nobody waits for it."""


class AlreadyServingError(PipelineError):
    """The version became the champion while its deployment waited for another one."""


class DeploymentSupersededError(PipelineError):
    """This deployment's challenger was taken out of the traffic meanwhile."""


class NothingToRollBackError(PipelineError):
    """No version served before."""


class LedgerContentionError(PipelineError):
    """The training ledger was changed by others at every attempt to change it."""
