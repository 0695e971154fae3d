"""Every target of the project: what is asked, and which figure of which benchmark measures it.

The benchmarks judge their figures themselves; a test holds this list and them together. A figure's
name may hold `*` where it stands for several: all of them are judged, the worst is shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from benchmarks.figures import AT_LEAST, AT_MOST, Figure
from benchmarks.runs import is_count

DRILL: Final = "drill"
WITH_PHOTOS: Final = frozenset({"quality", "training", "keras_fit", "drift"})


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked of a capability. `wanted`: as the figure says it; `unit`: the figure's."""

    capability: str
    says: str
    wanted: str
    unit: str
    benchmark: str
    figure: str

    @property
    def command(self) -> str:
        """What measures it."""
        if self.benchmark == DRILL:
            return "make drill CHANGE=all DATASET=… VISITORS=…"
        photos = " BENCH_DATA=…" if self.benchmark in WITH_PHOTOS else ""
        return f"make bench ONLY={self.benchmark}{photos}"


@dataclass(frozen=True, slots=True)
class TestedTarget:
    """What a test judges, since it is no matter of this machine: `file` fails if it is missed."""

    capability: str
    says: str
    wanted: str
    file: str


API: Final = "the API"
FUNCTION: Final = "the predict function"
MODEL: Final = "the model"
TRAINING: Final = "training"
DATA: Final = "data set versions"
DEPLOYMENT: Final = "deployment"
MONITORING: Final = "monitoring"
LOOP: Final = "the loop"
CLIENT: Final = "the client"
SAGEMAKER: Final = "SageMaker here"
BATCH: Final = "batch scoring"
LOAD: Final = "load"
GROWTH: Final = "growth"

TARGETS: Final = (
    Target(API, "median of `mlflow models serve` of the same model, over ours",
           "≥ 20", "times", "api_peer", "p50: mlflow / ours"),
    Target(API, "requests a second at 8 clients, over `mlflow models serve`'s",
           "≥ 10", "times", "api_peer", "at 8 clients: ours / mlflow"),
    Target(API, "memory of a serving process, over `mlflow models serve`'s",
           "≤ 0.25", "times", "api_peer", "memory of a serving process: ours / mlflow"),
    Target(API, "of 5,000 requests at 16 clients, failed",
           "≤ 0", "", "api_load", "requests that failed"),
    Target(API, "of their predictions, lost", "≤ 0", "", "api_load", "predictions lost"),
    Target(API, "of their predictions, doubled", "≤ 0", "", "api_load", "predictions doubled"),
    Target(API, "of their photos, missing", "≤ 0", "", "api_load", "photos missing"),
    Target(API, "of 2,000 malformed requests, a 5xx or no answer",
           "≤ 0", "", "malformed", "answered with a 5xx, or not at all"),
    Target(API, "of them, answered late", "≤ 0", "", "malformed", "answered after * s"),
    Target(API, "of them, errors of another shape", "≤ 0", "", "malformed", "of another shape"),
    Target(API, "uploaded bombs that are not refused as such",
           "≤ 0", "", "malformed", "bombs not answered as they should be"),
    Target(API, "status of a good photo after them", "200", "", "malformed", "a photo afterwards"),
    Target(FUNCTION, "warm, over bare decoding, resizing and LiteRT: 500x375",
           "≤ 1.15", "times", "api", "500x375: handler / bare"),
    Target(FUNCTION, "the same: 12 megapixels",
           "≤ 1.15", "times", "api", "12 megapixels: handler / bare"),
    Target(FUNCTION, "cold start, over its imports, the model and one answer",
           "≤ 1.6", "times", "api", "cold start: handler / bare"),
    Target(FUNCTION, "its bundle, unzipped", "≤ 150", "MB", "api", "bundle for *, unzipped"),
    Target(MODEL, "accuracy on photos never seen (aim: 99.2)",
           "≥ 98.8", "%", "quality", "accuracy"),
    Target(MODEL, "varied photos without a cat that are called one",
           "≤ 3", "of 124", "quality", "varied non-cats called cats"),
    Target(MODEL, "calibration error", "≤ 0.01", "", "quality", "expected calibration error"),
    Target(MODEL, "log-loss", "≤ 0.05", "nats", "quality", "log-loss"),
    Target(MODEL, "accuracy of the starter photos alone",
           "≥ 97", "%", "quality", "starter alone: accuracy"),
    Target(MODEL, "accuracy beside a plain Keras fit of the same photos",
           "≥ Keras'", "%", "keras_fit", "our accuracy beside it"),
    Target(TRAINING, "features of 8,000 photos, over bare decoding and LiteRT",
           "≤ 1.1", "times", "training", "first training: features / bare"),
    Target(TRAINING, "the rest of the first job",
           "≤ 90", "s", "training", "first training: the rest of the job"),
    Target(TRAINING, "200 new photos among 80,000 over among 8,000, whole execution",
           "≤ 1.2", "times", "training", "retrain: execution, * / * stored"),
    Target(TRAINING, "the same, the job alone",
           "≤ 1.2", "times", "training", "retrain: job, * / * stored"),
    Target(DATA, "a version of 1,000,000 photos: the function's timeout",
           "≤ 840", "s", "snapshot", "1,000,000 rows"),
    Target(DATA, "its memory", "≤ 500", "MB", "snapshot", "memory at 1,000,000 rows"),
    Target(DATA, "growth of its time, exponent", "≤ 1.15", "", "snapshot", "growth of its time"),
    Target(DEPLOYMENT, "last old answer after a rollback, at worst",
           "≤ 60", "s", "rollback", "the last old answer, at worst"),
    Target(MONITORING, "false drift alarms where nothing has changed, at worst",
           "≤ 1", "%", "drift", "false alarms: baseline *, window *"),
    Target(MONITORING, "1,000,000 predictions: the function's timeout, reckoned",
           "≤ 840", "s", "monitor", "collect-window: 1,000,000 predictions"),
    Target(MONITORING, "its memory", "≤ 1769", "MB", "monitor",
           "collect-window: memory at 1,000,000"),
    Target(MONITORING, "growth of its statistics' time, exponent",
           "≤ 1.15", "", "monitor", "statistics: growth of their time"),
    Target(LOOP, "lost accuracy that one retraining brings back, at worst",
           "≥ 80", "%", DRILL, "*: lost accuracy brought back"),
    Target(LOOP, "trainings of a drill", "1", "", DRILL, "*: trainings"),
    Target(LOOP, "failed requests of a drill", "≤ 0", "", DRILL, "*: failed requests"),
    Target(LOOP, "a whole drill, at worst", "≤ 600", "s", DRILL, "*: from change to recovery"),
    Target(CLIENT, "first view of a page, 100,000 predictions stored, slowest page",
           "≤ 2", "s", "ui", "*: first view, median"),
    Target(BATCH, "time of a batch's map, over bare decoding and LiteRT on all cores",
           "≤ 2", "times", "batch", "map: time / bare LiteRT's"),
    Target(BATCH, "going on with a quarter missing, over the first run",
           "≤ 0.5", "times", "batch", "resumed with a quarter missing / first run"),
    Target(BATCH, "a photo, over what the cost model takes for it",
           "≤ 1", "times", "batch", "a photo: measured / in the cost model"),
    Target(LOAD, "5xx or no answer up to the knee, in the soak and throttled",
           "≤ 0", "", "load",
           "answers from 500 on, or none, up to the knee, in the soak and throttled"),
    Target(LOAD, "of all predictions, lost", "≤ 0", "", "load", "predictions lost"),
    Target(LOAD, "of all predictions, doubled", "≤ 0", "", "load", "predictions doubled"),
    Target(LOAD, "share of 429 beyond the usage plan",
           "≥ 1", "%", "load", "throttled: share of 429"),
    Target(LOAD, "429 of another shape than the API's",
           "≤ 0", "", "load", "throttled: 429 in another shape than ours"),
    Target(LOAD, "p95 back to twice what it was, after the load",
           "≤ 10", "s", "load", "*: recovered after"),
    Target(LOAD, "how late the driver itself is, p99",
           "≤ 50", "ms", "load", "driver's lag up to the knee, p99"),
    Target(LOAD, "of the soak's requests, without a 200",
           "≤ 0", "", "load", "soak: requests without a 200"),
    Target(LOAD, "growth of the serving processes in the soak",
           "≤ 0.5", "MB/1,000", "load", "soak: growth of the serving processes"),
    Target(GROWTH, "exponent of time, 10³ to 10⁶ items",
           "≤ 1.15", "", "growth", "*: exponent of time"),
    Target(GROWTH, "exponent of memory, 10³ to 10⁶ items",
           "≤ 1.15", "", "growth", "*: exponent of memory"),
    Target(GROWTH, "memory at the largest size, of what the function or job is given",
           "≤ what it is given", "MB", "growth", "*: memory at *"),
    Target(GROWTH, "exponent of a page's first view, to 10⁵ predictions",
           "≤ 0.1", "", "growth", "*: exponent of its first view"),
    Target(SAGEMAKER, "of 20 jobs created at once, not Completed",
           "≤ 0", "", "sagemaker", "jobs at once: not Completed"),
)  # fmt: skip

TESTED: Final = (
    TestedTarget(LOOP, "two alarms, a schedule and a person at one instant, 100 times",
                 "one training each", "tests/integration/test_starts.py"),
    TestedTarget(DEPLOYMENT, "A/B tests that promote a challenger that is no better",
                 "≤ 5 %", "tests/unit/areyouacat/test_sequential.py"),
    TestedTarget(SAGEMAKER, "processes and folders that are left over of storms of jobs and kills",
                 "none", "tests/integration/sagemaker/test_storm.py"),
)  # fmt: skip


def of(target: Target, measured: Mapping[str, Sequence[Figure]]) -> list[Figure]:
    """The figures that measure it, the worst first; none where it was not measured."""
    found = (
        figure
        for figure in measured.get(target.benchmark, ())
        if figure.target and fnmatchcase(figure.name, target.figure)
    )
    return sorted(found, key=lambda figure: (bool(figure.met), margin(figure) or 1.0))


def unlisted(measured: Mapping[str, Iterable[Figure]]) -> list[tuple[str, Figure]]:
    """Figures that have a target of which this list knows nothing, with their benchmark."""
    return [
        (name, figure)
        for name, figures in measured.items()
        for figure in figures
        if figure.target
        and not any(
            target.benchmark == name and fnmatchcase(figure.name, target.figure)
            for target in TARGETS
        )
    ]


def margin(figure: Figure) -> float | None:
    """How many times as good as its target a figure is; 1 is just met, None is no ratio.

    A share of right answers is judged by its mistakes: 99 % are twice as good as 98 %.
    """
    return as_margin(figure, figure.value)


def as_margin(figure: Figure, value: float) -> float | None:
    """The margin if the figure's value were another one, such as a limit of its spread."""
    limit = figure.limit
    if limit is None or figure.target is None or is_count(figure) or figure.target[0] not in _SENSE:
        return None
    higher = figure.target.startswith(AT_LEAST)
    if higher and figure.unit == "%":
        limit, value, higher = 100 - limit, 100 - value, False
    if limit <= 0 or value <= 0:
        return None
    return value / limit if higher else limit / value


_SENSE: Final = (AT_MOST, AT_LEAST)
