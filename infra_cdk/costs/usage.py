"""What one prediction, one training and one quiet month use: measured figures, and three sizes.

A figure that could not be measured without an account says so. Times are of two cores of a laptop:
`predict` is given one vCPU and a training four, so real times differ, both ways.
"""

from dataclasses import dataclass
from typing import Final

MONTH_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class PredictionUsage:
    """Of one prediction."""

    handler_ms: float = 28.0  # through API Gateway, so rather too much: make bench ONLY=api_peer
    photo_bytes: float = 60_000  # mean of the starter photos: they are 13.9 MB
    item_bytes: float = 1_500  # of the table's item; its copy in the index is as large
    answer_bytes: float = 1_500  # the JSON is 500; headers and TLS assumed
    log_bytes: float = (
        2_000  # one request's lines in the local log are 1,600; the access log's assumed
    )
    tags: int = 1  # of the photo: it says that nobody has labelled it
    monitor_reads: int = 24  # hourly looks at a window of 24 hours
    monitor_ms: float = 0.141  # of one look: make bench ONLY=monitor, 141 s for 1,000,000
    traced_share: float = 0.05  # X-Ray's default rule; the one a second beside it is left out


@dataclass(frozen=True, slots=True)
class TrainingUsage:
    """Of one training that ends with a canary."""

    kept_mb: float = 110.0  # archive, model version and MLflow's copy, as they lie in the lake
    build_minutes: float = 8.0  # of a new training image; assumed, no build was timed
    register_seconds: float = 8.5  # RegisterModel, starter photos: make train
    report_seconds: float = 120.0  # of the drift report's job; assumed to be at most so long
    instance_start_seconds: float = 60.0  # billed before the container starts; assumed
    fixed_transitions: int = 20  # of train and deploy together, without looks at the canary
    look_transitions: int = 3  # CheckCanary, the choice after it, Wait
    monitor_transitions: int = 5
    image_gb: float = 2.0  # of both images, compressed; assumed from 3.1 GB installed


@dataclass(frozen=True, slots=True)
class BatchUsage:
    """Of a batch. Times are of a chunk's function, which has two vCPU."""

    photo_ms: float = 15.0  # reading included; 13.7 measured: make bench ONLY=batch
    chunk_seconds: float = 0.4  # beside its photos; 0.04 measured here, S3 is farther away there
    cold_start_seconds: float = 3.0  # of each function that scores at once; assumed
    listed_a_second: float = 8_000.0  # photos; S3 lists 1,000 keys in about 0.1 s; assumed
    manifest_lines_a_second: float = 100_000.0  # 250,000 measured without S3: the same
    counted_a_second: float = 1_000.0  # chunks, by 32 threads; assumed
    started_in_ten_seconds: int = 1_000  # functions that Lambda adds; AWS's own quota
    chunk_transitions: int = 3  # the child's start, its task, its end
    row_bytes: float = 60.0  # of Parquet, compressed; 56 measured: the same


@dataclass(frozen=True, slots=True)
class Size:
    """A user of some size.

    `execution_seconds`: of one training with so many labelled photos stored, measured from its
    start to its end without the canary, and taken for the job's billed time and for the
    evaluation's, neither of which is longer.
    """

    name: str
    predictions_a_month: int
    labelled_photos: int
    trainings_a_month: int
    new_photos_a_training: int
    execution_seconds: float


SIZES: Final = (
    Size("small", 10_000, 235, 30, 10, 52.0),  # make train with the starter photos
    Size("medium", 1_000_000, 8_000, 30, 200, 77.0),  # make bench ONLY=training
    Size("large", 100_000_000, 80_000, 60, 200, 92.0),  # the same, 80,000 stored
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the stack has that is billed whether anybody asks or not.

    A test holds the alarms against the template. Metrics by dimension are counted by hand: how many
    there are depends on the errors and model versions of the month.
    """

    alarms: int = 22
    dimensioned_metrics: int = 40  # by feature (23), error code, outcome and model version


PREDICTION: Final = PredictionUsage()
TRAINING: Final = TrainingUsage()
BATCH: Final = BatchUsage()
STANDING: Final = Standing()
