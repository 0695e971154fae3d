"""Numbers of the training job alone, each with its unit; areyouacat.settings has the others."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """How feature vectors are computed and stored."""

    photos_per_shard: int = 2_000  # about 5 MB a shard; also what a killed job can lose
    max_unreadable_share: float = 0.05  # of the data set; more fails the job
    names_shown: int = 10  # unreadable photos named in a message
    progress_seconds: float = 2.0  # between two progress lines
    transfer_threads: int = 8  # shards read from the lake side by side
    shards_at_once: int = 16  # in memory beside what was taken from those before: 80 MB


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """How the head is trained."""

    l2_grid: tuple[float, ...] = (1e-3, 1e-2, 3e-2, 1e-1, 3e-1)  # on standardised features
    batch_photos: int = 256
    min_batch_photos: int = 16
    min_steps: int = 8  # an epoch, where the photos suffice for such batches
    # Cross-validated on 8,600 photos, 240 to 880 batches do equally well, so more photos need no
    # more batches, and a retrain does not grow with them.
    max_steps: int = 600
    curve_points: int = 20  # at least, where there are so many batches
    loss_photos: int = 4_000  # of each split, on which a point of the curve is measured
    temperature_range: tuple[float, float] = (0.1, 10.0)


@dataclass(frozen=True, slots=True)
class BandSettings:
    """What the two sure verdicts must be worth, and how far the unsure band may reach."""

    min_precision: float = 0.99  # of each sure verdict, on validation
    narrowest: float = 0.05  # probability on each side of the threshold
    negative_to_at_least: float = 0.02  # probability
    positive_from_at_most: float = 0.98  # probability


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """How TFLite variants are made and compared."""

    representative_photos: int = 100  # that calibrate int8
    compared_photos: int = 400  # 0.3 points is one photo in 333
    keras_photos: int = 64  # of those, also put through the whole Keras model
    latency_runs: int = 50
    latency_tie: float = 0.2  # share by which latencies may differ and count as equal


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """What people get to see."""

    worst_mistakes: int = 24
    thumbnail_px: int = 180
    caption_px: int = 15  # height of the letters under a thumbnail


FEATURES = FeatureSettings()
HEAD = HeadSettings()
BANDS = BandSettings()
EXPORT_MEASURES = ExportSettings()
REPORT = ReportSettings()

SKETCH_SEED = 20_240_229
"""Of the sketch's projection. Changing it makes sketches of old and new models incomparable."""
