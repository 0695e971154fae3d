"""What MLflow is told of a finished job, besides its files."""

import re
from collections import Counter
from collections.abc import Mapping

from areyouacat.lake import dataset_prefix
from areyouacat.splits import Split
from training_job.evaluation import Assessment
from training_job.model_files import Job
from training_job.tracking import Run, UsedDataset

_NOT_IN_NAMES = re.compile(r"[^\w\-. /:]", re.ASCII)  # what MLflow takes in a metric's name


def track(
    run: Run, job: Job, assessed: Mapping[Split, Assessment], seconds: Mapping[str, float]
) -> None:
    """Log metrics, chosen parameters, curves and the data set. `seconds`: by stage."""
    dataset = job.trained.dataset
    counts = Counter((entry.split, entry.label) for entry in dataset.entries)
    metrics = {
        **job.trained.metrics(),
        **{
            name: v for split, found in assessed.items() for name, v in found.metrics(split).items()
        },
        **{f"dataset_{split}_{label}": float(n) for (split, label), n in sorted(counts.items())},
        **{f"seconds_{stage}": value for stage, value in seconds.items()},
    }
    run.metrics({_NOT_IN_NAMES.sub("_", name)[:250]: value for name, value in metrics.items()})
    run.dataset(
        UsedDataset(
            "photos",
            dataset.version,
            f"s3://{job.environment.lake_bucket}/{dataset_prefix(dataset.version)}",
            {"photos": len(dataset.entries), "counts": dataset.summary.get("counts", {})},
        )
    )
    run.parameters({"tflite_variant": job.trained.shipped.chosen.exported.variant})
    if job.trained.decider.fit:
        chosen = job.trained.decider.fit.chosen
        run.parameters({"l2_chosen": chosen.l2})
        run.curve("train_loss", chosen.steps, chosen.train_loss)
        run.curve("validation_loss", chosen.steps, chosen.validation_loss)
