"""Every threshold and name of the domain, in one place, each with its unit.

The label names live here and nowhere else: change `LABELS` and `IMAGENET_ROWS`
and the same system answers another question.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class LabelNames:
    """The two answers: their names in data and the words people read."""

    positive: str
    negative: str
    positive_words: str
    negative_words: str
    unsure_words: str

    @property
    def all(self) -> tuple[str, str]:
        """Both labels, the positive one first."""
        return (self.positive, self.negative)

    def other(self, label: str) -> str:
        """The label that `label` is not."""
        return self.negative if label == self.positive else self.positive


LABELS: Final = LabelNames(
    positive="cat",
    negative="not_cat",
    positive_words="a cat",
    negative_words="not a cat",
    unsure_words="hard to tell",
)

UNSURE: Final = "unsure"
"""The verdict between the two bands; never a label."""

IMAGENET_ROWS: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {"cat": (281, 282, 283, 284, 285)}
)
"""ImageNet-1k class indices that mean a label; a label absent here starts from zero."""

MODEL_NAME: Final = "are-you-a-cat"
"""The registered model's name in MLflow."""


@dataclass(frozen=True, slots=True)
class BackboneSpec:
    """What decides a feature vector; any change starts a new feature cache."""

    name: str
    weights_sha256: str
    input_px: int
    embedding_dim: int
    grid: int
    preprocessing_version: int

    @property
    def hash(self) -> str:
        """16 hex digits over every field: the name of the feature cache."""
        text = "|".join(
            str(part)
            for part in (
                self.name,
                self.weights_sha256,
                self.input_px,
                self.embedding_dim,
                self.grid,
                self.preprocessing_version,
            )
        )
        return hashlib.sha256(text.encode()).hexdigest()[:16]


BACKBONE: Final = BackboneSpec(
    name="efficientnet-lite0",
    weights_sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    input_px=224,
    embedding_dim=1280,
    grid=7,
    preprocessing_version=1,
)

SKETCH_DIM: Final = 16
"""Length of the fixed projection of the embedding that drift is measured on."""


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What a photo may be."""

    max_bytes: int = 20_000_000  # what a camera of 50 million pixels writes
    max_pixels: int = 50_000_000
    max_decode_seconds: float = 3.0  # of one core; the largest photos take about two
    formats: tuple[str, ...] = ("JPEG", "PNG", "WEBP", "GIF")

    @property
    def media_types(self) -> tuple[str, ...]:
        """The formats as Content-Type names them."""
        return tuple(f"image/{name.lower()}" for name in self.formats)


IMAGES: Final = ImageLimits()


@dataclass(frozen=True, slots=True)
class DatasetRules:
    """How a data set version is made of the lake."""

    bootstrap_below: int = 50  # photos of a label under which the backbone's prior answers alone
    validation_share: float = 0.15
    test_share: float = 0.15
    recent_share: float = 0.2  # of feedback's photos, held out to see the changed world
    near_duplicate_bits: int = 3  # Hamming distance of 64-bit perceptual hashes
    min_photos_per_split: int = 2  # of each label in train, validation and test
    max_imbalance: float = 50.0  # photos of the larger label for one of the smaller


DATASET: Final = DatasetRules()


@dataclass(frozen=True, slots=True)
class SliceRules:
    """Which photos are measured by themselves."""

    small_below_px: int = 128  # the shorter side
    dark_below: float = 0.25  # mean grey, [0, 1]


SLICES: Final = SliceRules()


@dataclass(frozen=True, slots=True)
class EvaluationRules:
    """How figures and their intervals are computed."""

    calibration_bins: int = 15
    resamples: int = 1_000  # of the photos, for 95 % intervals
    min_resamples: int = 200
    most_draws: int = 4_000_000  # resamples x photos; more photos get fewer resamples
    min_slice_photos: int = 10  # fewer are listed but say nothing
    max_sources: int = 20  # shown as slices of their own, the largest first
    latency_photos: int = 32  # that time one inference, before all are scored
    disagreements_shown: int = 20  # photos named, each way


EVALUATION: Final = EvaluationRules()


@dataclass(frozen=True, slots=True)
class BootstrapRules:
    """The model of few photos (the backbone's own prior)."""

    negatives_percentile: float = 99.0
    unsure_from: float = 0.35  # probability
    unsure_to: float = 0.65  # probability


BOOTSTRAP: Final = BootstrapRules()


@dataclass(frozen=True, slots=True)
class GateRules:
    """What a candidate must show before it is registered."""

    min_accuracy: float = 0.90
    min_precision: float = 0.85
    min_recall: float = 0.85
    non_inferiority_points: float = 0.5  # percentage points of accuracy on the same photos
    min_recent_photos: int = 50
    max_parity_difference: float = 0.02  # |Keras - TFLite| of the probability, 99th percentile
    max_latency_ms: float = 150.0  # p50 of one inference, one thread
    # Of two models that disagree on 2 % of the photos, 1,500 tell a difference to 0.4 points (one
    # standard error), and retraining of a large lake takes hardly longer than of a small one.
    max_test_photos: int = 1_500


GATE: Final = GateRules()


@dataclass(frozen=True, slots=True)
class GoldenRules:
    """The photos that a challenger must know before it meets a caller."""

    photos: int = 50  # that the champion answers right and without a doubt
    tried: int = 100  # of which these are chosen
    max_wrong_share: float = 0.06


GOLDEN: Final = GoldenRules()


@dataclass(frozen=True, slots=True)
class CanaryRules:
    """How a challenger earns its traffic."""

    weight: float = 0.1  # share of the callers
    # Of one look at one question by chance. A bake of half an hour has thirty looks at three
    # questions: a sound challenger is rolled back by bad luck in less than one bake of ten.
    significance: float = 0.001
    max_failure_share: float = 0.01  # of the challenger's requests
    slower_factor: float = 1.5  # of the champion's latency p95 ...
    slower_ms: float = 50.0  # ... and by so much
    min_champion_requests: int = 20  # fewer have no p95 to compare with
    feedback_odds: float = 20.0  # against "it is as good": the chance of a wrong alarm is 1 in 20
    health_hours: float = 1.0  # back from now; feedback counts since the traffic was shifted


CANARY: Final = CanaryRules()


@dataclass(frozen=True, slots=True)
class AbTestRules:
    """How two variants are compared."""

    weight: float = 0.5  # share of the callers
    bake_seconds: int = 7 * 24 * 3600
    check_seconds: int = 600
    odds: float = 20.0  # against "they are equal": false promotion at most 1 in 20


AB_TEST: Final = AbTestRules()

MAX_BAKE_SECONDS: Final = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class ExportRules:
    """Which TFLite variant ships."""

    max_accuracy_loss_points: float = 0.3


EXPORT: Final = ExportRules()


@dataclass(frozen=True, slots=True)
class MonitoringRules:
    """What the monitor looks at and when it speaks."""

    window_hours: int = 24
    min_feedback_labels: int = 10  # fewer say nothing about accuracy
    min_feedback_accuracy: float = 0.75
    enough_new_feedback: int = 200  # labels since the champion took over: worth a training


MONITORING: Final = MonitoringRules()


@dataclass(frozen=True, slots=True)
class DriftRules:
    """When a window's photos are other photos than those that the model was built on."""

    bins: int = 10  # of each feature; a share of the baseline each
    min_baseline: int = 100  # photos; fewer have no distribution to speak of
    min_window: int = 100
    min_psi: float = 0.2  # the distance beyond chance from which a change matters
    significance: float = 0.001  # of all features of one window together


DRIFT: Final = DriftRules()


@dataclass(frozen=True, slots=True)
class DriftReportRules:
    """When the monitor has a report made of what has moved, and of how many photos."""

    sample_photos: int = 2_000  # of each side; enough for any histogram that a person looks at
    daily_hours: int = 24  # between two reports while nothing drifts
    drifted_hours: int = 1  # between two while something does
    slack_minutes: int = 10  # that a run of an hourly schedule may come early


DRIFT_REPORT: Final = DriftReportRules()


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """Which labels of callers may teach without a person's having looked at them."""

    min_agreement: float = 2 / 3  # share of a photo's labels
    # New labels of one training: half as many as the lake has, or so many where it has few.
    max_share: float = 0.5
    least_cap: int = 500
    surprise: float = 0.02  # probability that the model gave the label
    outliers_from: int = 50  # labels; fewer photos have no neighbourhood to speak of
    neighbours: int = 5
    opposing_share: float = 0.8  # of the neighbours' labels


REVIEW: Final = ReviewRules()


@dataclass(frozen=True, slots=True)
class ServingRules:
    """How the API serves."""

    pointer_max_age_seconds: float = 30.0
    prediction_ttl_days: int = 30
    # A photo without feedback; longer than a prediction, since the same photo may be asked again.
    photo_ttl_days: int = 60
    max_body_bytes: int = 4_500_000  # of a photo; Lambda takes 6 MB after base64
    upload_url_seconds: int = 300


SERVING: Final = ServingRules()


@dataclass(frozen=True, slots=True)
class BatchRules:
    """How batch scoring cuts its work."""

    # Some ten seconds of a function with two vCPU, so that little is lost with one that fails, and
    # starting one (0.1 s of transitions and reading the model) is little beside it.
    photos_per_chunk: int = 250
    # S3 lists 1,000 keys in about 0.1 s. Less than the function's time, by more than one page.
    planning_seconds: float = 600.0
    listed_manifest_bytes: int = 64 * 1024 * 1024  # of a JSON array; lines may be any number
    failures_named: int = 20  # in a summary; the rest is in files


BATCH: Final = BatchRules()


@dataclass(frozen=True, slots=True)
class FeedbackRules:
    """How much one caller may say, so that one caller cannot steer the model."""

    per_api_key_and_hour: int = 600
    per_address_and_hour: int = 120


FEEDBACK: Final = FeedbackRules()
