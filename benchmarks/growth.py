"""How time and memory grow with the lake and with what is predicted: exponents of each part.

From a thousand to a million items, each measurement the product's own code in a process of its own;
pages in a real browser, up to a hundred thousand predictions. 1 is linear. Leaves a picture,
`growth.png`, beside the figures.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import monitor, snapshot, stored_features, ui
from benchmarks.figures import Context, Figure
from benchmarks.growth_chart import draw
from benchmarks.growth_curves import Curve, Limit, PageCurve, Point, figures
from benchmarks.local_cloud import local_cloud
from benchmarks.process import Cost

NAME: Final = "growth"
DESCRIPTION: Final = "exponents of time and memory, from 1,000 to 1,000,000 items, and of the pages"
PICTURE: Final = "growth.png"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured. `repeats`: of each size but those from `once_from` on."""

    sizes: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    repeats: int = 3
    once_from: int = 1_000_000
    pages: tuple[int, ...] = (1_000, 10_000, 100_000)  # predictions stored
    visits: int = 5

    def runs(self) -> list[int]:
        """The size of each measurement, in order."""
        return [
            size
            for size in self.sizes
            for _ in range(1 if size >= self.once_from else self.repeats)
        ]


PLAN: Final = Plan()
QUICK_PLAN: Final = Plan((500, 2_000, 4_000), repeats=2, pages=(200, 1_000), visits=2)

SNAPSHOT: Final = "snapshot-dataset"
_TRAINING_MB: Final = {"ml.m5.xlarge": 16 * 1024}


def run(context: Context) -> list[Figure]:
    """The parts one after another, then the pages; the picture last."""
    plan = QUICK_PLAN if context.quick else PLAN
    curves = parts(context, plan)
    pages = _pages(context, plan)
    draw(curves, pages, context.state / PICTURE)
    context.say(f"  {context.state / PICTURE}")
    return figures(curves, pages)


def parts(context: Context, plan: Plan) -> list[Curve]:
    """Snapshot, features, head and monitor, each at all sizes."""
    # Imports the CDK, which starts Node; no measurement is made in this process.
    from infra_cdk.settings import FUNCTIONS, TRAINING  # noqa: PLC0415

    function = {
        name: Limit(name, FUNCTIONS[name].memory_mb) for name in (SNAPSHOT, monitor.FUNCTION)
    }
    instance = Limit(TRAINING.instance_type, _TRAINING_MB[TRAINING.instance_type])
    curves = []
    with TemporaryDirectory(dir=context.state) as folder:
        costs = _each(context, plan, SNAPSHOT, _snapshots(Path(folder)))
        curves.append(Curve("snapshot", "photos", costs["snapshot"], function[SNAPSHOT]))
    with TemporaryDirectory(dir=context.state) as folder:
        costs = _each(context, plan, "features", _features(Path(folder)))
        curves += [Curve(part, "photos", points, instance) for part, points in costs.items()]
    costs = _each(context, plan, monitor.FUNCTION, _window)
    curves.append(
        Curve("monitor window", "predictions", costs["monitor"], function[monitor.FUNCTION])
    )
    return curves


def _each(
    context: Context, plan: Plan, what: str, measure: Callable[[int], dict[str, Cost]]
) -> dict[str, tuple[Point, ...]]:
    """What `measure` gives for each size of the plan, part by part."""
    points: dict[str, tuple[Point, ...]] = {}
    for size in plan.runs():
        for part, cost in measure(size).items():
            points[part] = (*points.get(part, ()), Point(size, cost))
            context.say(
                f"  {what}, {size:,}: {part} {cost.processor_seconds:.3g} s of CPU, "
                f"{cost.seconds:.3g} s, {cost.memory_mb:,.0f} MB"
            )
    return points


def _snapshots(folder: Path) -> Callable[[int], dict[str, Cost]]:
    def measure(size: int) -> dict[str, Cost]:
        lake = folder / str(size)
        if not lake.exists():
            snapshot.generate(lake, size)
        return {"snapshot": snapshot.measure(lake, size)}

    return measure


def _features(folder: Path) -> Callable[[int], dict[str, Cost]]:
    def measure(size: int) -> dict[str, Cost]:
        lake = folder / str(size)
        stored = stored_features.measure_store(lake, size)
        retrained = stored_features.measure_retrain(lake, size)
        return {
            "features stored": stored,
            "features loaded": retrained[stored_features.LOADED],
            "head trained": retrained[stored_features.TRAINED],
        }

    return measure


def _window(size: int) -> dict[str, Cost]:
    return {"monitor": monitor.measure(monitor.TABLE, size)}


def _pages(context: Context, plan: Plan) -> Sequence[PageCurve]:
    """Each page's first views; the predictions of a smaller size are among those of a larger."""
    found: dict[str, PageCurve] = {}
    with local_cloud(context, NAME, starter=True) as cloud:
        for rows in plan.pages:
            for views in ui.first_views(context, cloud, rows, plan.visits):
                page = found.setdefault(views.page, PageCurve(views.page, {}, {}))
                page.seconds[rows], page.floor[rows] = views.warm, views.floor
    return list(found.values())
