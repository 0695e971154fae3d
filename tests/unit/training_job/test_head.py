import numpy as np
import pytest

from areyouacat.settings import LabelNames
from training_job.backbone import ImagenetHead
from training_job.head import Head, bootstrap_head, make_prior, margins, sigmoid

LABELS = LabelNames("yes", "no", "", "", "")
DIM, CLASSES = 6, 20


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.fixture
def imagenet(random: np.random.Generator) -> ImagenetHead:
    return ImagenetHead(
        random.normal(0, 1, (CLASSES, DIM)).astype(np.float32),
        random.normal(0, 1, CLASSES).astype(np.float32),
    )


def test_the_margin_is_the_log_odds_of_the_labels_rows(
    imagenet: ImagenetHead, random: np.random.Generator
) -> None:
    prior = make_prior(imagenet, {"yes": (2, 5)}, LABELS)
    x = random.normal(0, 1, (4, DIM))

    share = np.exp(x @ imagenet.rows.T + imagenet.bias)
    share /= share.sum(axis=1, keepdims=True)
    yes = share[:, [2, 5]].sum(axis=1)

    np.testing.assert_allclose(margins(prior, x), np.log(yes / (1 - yes)), rtol=1e-6)


def test_rows_of_the_negative_label_alone_leave_all_others_to_the_positive(
    imagenet: ImagenetHead, random: np.random.Generator
) -> None:
    x = random.normal(0, 1, (4, DIM))

    of_negative = margins(make_prior(imagenet, {"no": (2, 5)}, LABELS), x)
    of_positive = margins(make_prior(imagenet, {"yes": (2, 5)}, LABELS), x)

    np.testing.assert_allclose(of_negative, -of_positive)


def test_labels_without_rows_start_from_zero(imagenet: ImagenetHead) -> None:
    assert make_prior(imagenet, {"something else": (1,)}, LABELS) is None
    assert not margins(None, np.ones((3, DIM))).any()


def test_the_gradient_is_what_small_steps_measure(
    imagenet: ImagenetHead, random: np.random.Generator
) -> None:
    head = Head(make_prior(imagenet, {"yes": (2, 5)}, LABELS), random.normal(0, 1, DIM), 0.3, 2.0)
    x, step = random.normal(0, 1, DIM), 1e-5

    steps = step * np.eye(DIM)
    measured = (head.logits(x + steps) - head.logits(x - steps)) / (2 * step)

    np.testing.assert_allclose(head.gradient(x) / head.temperature, measured, rtol=1e-5)


def test_the_bootstrap_threshold_is_the_percentile_of_the_negatives_margin(
    imagenet: ImagenetHead, random: np.random.Generator
) -> None:
    prior = make_prior(imagenet, {"yes": (2, 5)}, LABELS)
    negatives = random.normal(0, 1, (1000, DIM))

    assert prior is not None
    head = bootstrap_head(prior, prior.margin(negatives), 99.0)

    probabilities = head.probabilities(negatives)
    assert np.mean(probabilities >= 0.5) == pytest.approx(0.01)
    order = np.argsort(margins(prior, negatives))
    assert (np.diff(probabilities[order]) >= 0).all()
    assert head.temperature == 1.0


def test_a_known_margin_gives_the_same_logits_as_one_computed_anew(
    imagenet: ImagenetHead, random: np.random.Generator
) -> None:
    prior = make_prior(imagenet, {"yes": (2, 5)}, LABELS)
    head = Head(prior, random.normal(0, 1, DIM), 0.3, 2.0)
    x = random.normal(0, 1, (10_000, DIM))  # more than are computed at once

    np.testing.assert_allclose(head.logits(x, margins(prior, x)), head.logits(x))


def test_extreme_logits_neither_overflow_nor_leave_the_unit_interval() -> None:
    with np.errstate(over="raise"):
        np.testing.assert_allclose(sigmoid(np.array([-1e4, 0.0, 1e4])), [0.0, 0.5, 1.0])
