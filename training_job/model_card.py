"""The model card: what a person should know before trusting the model."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict

from areyouacat.markdown import TITLES, in_words, table
from areyouacat.quality import FIGURES, SHARES
from areyouacat.settings import BOOTSTRAP, EVALUATION, LABELS, SLICES
from areyouacat.splits import SPLITS, Split
from training_job.evaluation import Assessment
from training_job.model_files import Job, Trained
from training_job.settings import BANDS


def model_card(job: Job, assessed: Mapping[Split, Assessment]) -> str:
    """Markdown."""
    sections = (
        _head(job),
        _use(),
        _photos(job.trained),
        _quality(job.trained, assessed),
        _slices(assessed),
        _choices(job),
        _training(job),
        _lineage(job),
    )
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _head(job: Job) -> list[str]:
    spec = job.spec
    return [
        f"# {spec.model_name}, trained on data set {spec.dataset_version}",
        "",
        f"Says whether a photo shows {LABELS.positive_words} or {LABELS.negative_words}: the "
        f"probability of `{LABELS.positive}`, a verdict (`{LABELS.positive}`, "
        f"`{LABELS.negative}` or {LABELS.unsure_words}) and a heat map of what spoke for it.",
        "",
        f"Mode: **{spec.mode}**. {_MODES[spec.mode]}",
    ]


_MODES = {
    "bootstrap": "Too few labelled photos to train: ImageNet's own head answers, with its "
    "threshold moved. The figures below rest on a handful of photos.",
    "trained": "A linear head trained on labelled photos on top of ImageNet's own.",
}


def _use() -> list[str]:
    return [
        "## Use and limits",
        "",
        "**Meant for** sorting everyday photos in which the subject fills a good part of the "
        "picture, where a wrong answer costs a second look.",
        "",
        "**Not meant for**",
        "",
        "- decisions about people, their safety, their rights or their money: nobody should be "
        "refused, charged or watched because of an answer;",
        "- veterinary, welfare or identification purposes: it knows neither breeds nor individuals "
        "nor health;",
        "- surveillance, hunting or trapping: a miss or a false alarm harms animals, and neither "
        "rate is known for such pictures;",
        "- proof: a picture can be made to fool it, and no such attack was tried.",
        "",
        "**Not examined**: drawings, toys, night-vision and aerial pictures, pictures under 64 "
        "pixels, subjects that are a small part of a large scene, several subjects at once. The "
        "figures hold for photos like those below; label some of your own and train again before "
        "trusting answers about others. The verdict between the bands means: ask a person.",
    ]


def _photos(trained: Trained) -> list[str]:
    summary, entries = trained.dataset.summary, trained.dataset.entries
    counts = Counter((entry.source, entry.split, entry.label) for entry in entries)
    splits = [split for split in SPLITS if any(key[1] == split for key in counts)]
    sources = [source for source, _ in Counter(entry.source for entry in entries).most_common()]
    shown, others = sources[: EVALUATION.max_sources], sources[EVALUATION.max_sources :]
    rows = {
        **{source: [source] for source in shown},
        **({f"{len(others)} other sources": others} if others else {}),
        "**all**": sources,
    }
    told = {
        "labelled by": summary.get("labelled_by"),
        "slices": summary.get("slices"),
        "look-alikes, each group kept in one split": summary.get("look_alikes"),
        "with an earlier label that said otherwise": summary.get("overruled_labels"),
        "left out because they were erased": summary.get("erased"),
        "left out because they cannot be read": len(trained.features.unreadable),
    }
    return [
        "## Photos",
        "",
        *table(
            ["source", *(f"{split}: {LABELS.positive} / {LABELS.negative}" for split in splits)],
            (
                [
                    name,
                    *(
                        " / ".join(
                            f"{sum(counts[source, split, label] for source in of_row):,}"
                            for label in LABELS.all
                        )
                        for split in splits
                    ),
                ]
                for name, of_row in rows.items()
            ),
        ),
        "",
        *(f"- {name}: {_plain(value)}" for name, value in told.items() if value is not None),
    ]


def _plain(value: object) -> str:
    """Counts in words; lists of photos are for summary.json."""
    if isinstance(value, Mapping):
        told = {name: part for name, part in value.items() if not isinstance(part, list)}
        return ", ".join(f"{_name(name)} {_plain(part)}" for name, part in told.items()) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _name(name: str) -> str:
    return name if name in LABELS.all else name.replace("_", " ")


def _quality(trained: Trained, assessed: Mapping[Split, Assessment]) -> list[str]:
    figures = table(
        ["split", "photos", *(TITLES[name] for name in FIGURES)],
        (
            [
                split,
                f"{found.quality.photos:,}",
                *(
                    in_words(assessed[split].figures.get(name))
                    if split in assessed
                    else f"{found.quality.figures()[name]:.4f}"
                    for name in FIGURES
                ),
            ]
            for split, found in trained.scored.items()
        ),
    )
    return [
        "## Quality",
        "",
        *figures,
        "",
        "In brackets: 95 % intervals, by drawing the photos again with replacement, look-alikes "
        f"together ({EVALUATION.min_resamples} to {EVALUATION.resamples:,} times, percentiles; "
        "Wilson's limits for a share of 0 or 1). A dash: nothing to divide by. The calibration "
        "error of few photos is mostly noise and above the true one; it has "
        f"{EVALUATION.calibration_bins} bins of equal width.",
        "",
        "Penalty, temperature, threshold and bands are chosen on validation; test and recent are "
        "only measured. What train says is what the model has learnt by heart.",
    ]


def _slices(assessed: Mapping[Split, Assessment]) -> list[str]:
    splits: list[Split] = [split for split in ("test", "recent") if split in assessed]
    if "test" not in assessed and "validation" in assessed:
        splits = ["validation", *splits]
    figures = table(
        ["split", "slice", "photos", LABELS.positive, *SHARES],
        (
            [
                split,
                found.name,
                f"{found.photos:,}",
                f"{found.positives:,}",
                *(in_words(found.figures.get(name)) for name in SHARES),
            ]
            if found.figures
            else [split, found.name, f"{found.photos:,}", f"{found.positives:,}", "too few"]
            for split in splits
            for found in assessed[split].slices
        ),
    )
    return [
        "## Slices",
        "",
        f"A good average can hide a bad corner. Small: shorter side under {SLICES.small_below_px} "
        f"pixels. Dark: mean grey under {SLICES.dark_below:.2f}. Under "
        f"{EVALUATION.min_slice_photos} photos say nothing.",
        "",
        *figures,
    ]


def _choices(job: Job) -> list[str]:
    spec = job.spec
    chosen = (
        f"`{LABELS.positive}` from {spec.threshold:.3f}; sure from {spec.bands.positive_from:.3f} "
        f"up and from {spec.bands.negative_to:.3f} down, {LABELS.unsure_words} between."
    )
    if spec.mode == "bootstrap":
        rule = (
            "ImageNet's log-odds are shifted until only "
            f"{100 - BOOTSTRAP.negatives_percentile:g} % of the known {LABELS.negative} photos of "
            "train lie at 0.5 or above; the bands are fixed, since there are too few photos to "
            "derive any. The probabilities are not calibrated."
        )
    else:
        rule = (
            "Threshold: of the cuts whose balanced accuracy on validation is within one standard "
            "error of the best, the one nearest to 0.5. Bands: the narrowest ones outside of "
            f"which at least {BANDS.min_precision:.0%} of the validation photos carry the label "
            f"of the verdict, at least {BANDS.narrowest:g} away from the threshold, and no "
            f"farther out than {BANDS.negative_to_at_least:g} and {BANDS.positive_from_at_most:g}. "
            f"Calibration: one temperature, {spec.temperature:.3f}, that makes validation's labels "
            "most likely."
        )
    return ["## Threshold and bands", "", chosen, "", rule]


def _training(job: Job) -> list[str]:
    trained, spec = job.trained, job.spec
    shipped = trained.shipped.chosen
    hyperparameters = asdict(job.environment.hyperparameters)
    lines = [
        f"- Backbone: {trained.backbone.name} with ImageNet weights, frozen "
        f"(`{spec.backbone_hash}`, preprocessing {spec.preprocessing_version}); photos squeezed "
        f"to {spec.input_px} x {spec.input_px}.",
        "- Hyperparameters: "
        + ", ".join(f"`{name}` {_setting(name, value)}" for name, value in hyperparameters.items())
        + ".",
    ]
    if trained.decider.fit:
        fit = trained.decider.fit
        tried = ", ".join(f"{curve.l2:g}" for curve in fit.curves)
        lines.append(f"- Penalty l2 = {fit.chosen.l2:g}, the best of {tried} by validation's loss.")
    return [
        "## Training",
        "",
        *lines,
        f"- Ships as TFLite {spec.tflite.variant}: {shipped.latency_ms:.1f} ms a photo on one "
        f"thread, {shipped.accuracy_loss_points:+.2f} points of accuracy lost, probabilities "
        f"within {shipped.parity_p99:.4f} of Keras's for 99 % of {trained.shipped.compared_photos} "
        "photos.",
    ]


_CHOSEN: Mapping[str, str] = {"l2": "chosen on validation", "class_weights": "balanced"}
"""What None means for a hyperparameter."""


def _setting(name: str, value: object) -> str:
    if value is None:
        return _CHOSEN.get(name, "none")
    if isinstance(value, tuple):
        return "+".join(map(str, value)) or "none"
    return _plain(value) if isinstance(value, Mapping) else str(value)


def _lineage(job: Job) -> list[str]:
    spec, provenance = job.spec, job.spec.provenance
    told = {
        "Data set": spec.dataset_version,
        "Manifest, SHA-256": str(job.trained.dataset.summary.get("manifest_sha256", "")),
        "Code revision": provenance.code_revision,
        "Requirements, SHA-256": provenance.requirements_sha256,
        "Training job": spec.training_job_name,
        "Training job ARN": provenance.training_job_arn,
        "Execution": provenance.execution_arn,
        "MLflow run": spec.mlflow_run_id or "",
        "TFLite file, SHA-256": spec.tflite.sha256,
    }
    return [
        "## Lineage",
        "",
        *(f"- {name}: {f'`{value}`' if value else 'not told'}" for name, value in told.items()),
    ]
