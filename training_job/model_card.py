"""The model card: what a person should know before trusting the model."""

from collections.abc import Mapping, Sequence

from areyouacat.model_spec import ModelSpec
from areyouacat.settings import BACKBONE, LABELS
from areyouacat.splits import Split
from training_job.evaluation import Quality


def model_card(
    spec: ModelSpec,
    counts: Mapping[str, Mapping[str, int]],
    quality: Mapping[Split, Quality],
    unreadable: Sequence[str],
) -> str:
    """Markdown. `counts`: photos by split and label, as in the data set's summary."""
    return "\n".join(
        [
            f"# {spec.model_name}, data set {spec.dataset_version}",
            "",
            f"Says whether a photo shows {LABELS.positive_words} or {LABELS.negative_words}, "
            f"with a probability of `{LABELS.positive}`, a verdict and a heat map.",
            "",
            f"- Mode: **{spec.mode}**. {_MODES[spec.mode]}",
            f"- Backbone: {BACKBONE.name} with ImageNet weights, frozen "
            f"(`{spec.backbone_hash}`); photos squeezed to {spec.input_px} x {spec.input_px}.",
            f"- `{LABELS.positive}` from probability {spec.threshold:.3f}; sure from "
            f"{spec.bands.positive_from:.3f} up and from {spec.bands.negative_to:.3f} down, hard "
            f"to tell between. Temperature {spec.temperature:.2f}.",
            f"- Ships as TFLite {spec.tflite.variant}, SHA-256 `{spec.tflite.sha256}`.",
            f"- Training job: `{spec.training_job_name}`.",
            "",
            "## Photos",
            "",
            f"| split | {LABELS.positive} | {LABELS.negative} |",
            "|---|---|---|",
            *(
                f"| {split} | {found.get(LABELS.positive, 0):,} "
                f"| {found.get(LABELS.negative, 0):,} |"
                for split, found in counts.items()
            ),
            "",
            f"Left out because they cannot be read: {len(unreadable)}.",
            "",
            "## Quality",
            "",
            "| split | photos | accuracy | precision | recall | F1 | ROC AUC | ECE | log-loss |",
            "|---|---|---|---|---|---|---|---|---|",
            *(_row(split, found) for split, found in quality.items()),
            "",
            "Regularisation, temperature, threshold and bands are chosen on validation; test and "
            "recent are only measured.",
            "",
            "## Use and limits",
            "",
            "Meant for everyday photos in which the subject fills a good part of the picture. "
            "Not examined: drawings, pictures under 64 pixels, subjects that are a small part of "
            "a large scene. Not meant for decisions about people or safety. Photos unlike those "
            "above should be labelled and added before trusting an answer.",
            "",
        ]
    )


_MODES = {
    "bootstrap": "Too few labelled photos to train: ImageNet's own head answers, with its "
    "threshold moved so that few of the known negatives lie above. The figures below rest on a "
    "handful of photos.",
    "trained": "A linear head trained on labelled photos on top of ImageNet's own.",
}


def _row(split: str, found: Quality) -> str:
    values = (
        found.accuracy,
        found.precision,
        found.recall,
        found.f1,
        found.roc_auc,
        found.expected_calibration_error,
        found.log_loss,
    )
    return f"| {split} | {found.photos:,} | " + " | ".join(f"{v:.4f}" for v in values) + " |"
