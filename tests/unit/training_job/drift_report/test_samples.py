from pathlib import Path

import pytest

from areyouacat.drift_sample import COLUMNS
from tests.unit.training_job.drift_report.made_samples import fill
from training_job.drift_report.samples import SampleError, load_samples


def test_what_is_known_often_enough_on_both_sides_is_compared(tmp_path: Path) -> None:
    paths = fill(tmp_path)

    samples = load_samples(paths.reference, paths.window)

    assert samples.compared == tuple(name for name in COLUMNS if name != "label")
    assert samples.left_out == {"label": "known of 0 photos of the window, 100 are the least"}
    assert (len(samples.reference["size"]), len(samples.window["size"])) == (400, 300)


def test_too_few_photos_are_nothing_to_compare(tmp_path: Path) -> None:
    paths = fill(tmp_path, photos=99)

    with pytest.raises(SampleError, match="there is nothing to compare: of 400 photos of the"):
        load_samples(paths.reference, paths.window)


@pytest.mark.parametrize("content", [b"", b"brightness\n", b"\xff"])
def test_a_sample_that_is_none_is_named_with_who_should_have_written_it(
    tmp_path: Path, content: bytes
) -> None:
    paths = fill(tmp_path)
    paths.window.write_bytes(content)

    with pytest.raises(SampleError, match=r"window\.csv cannot be read: .* CollectWindow wrote"):
        load_samples(paths.reference, paths.window)


def test_a_sample_that_is_missing_is_named(tmp_path: Path) -> None:
    paths = fill(tmp_path)
    paths.reference.unlink()

    with pytest.raises(SampleError, match=r"reference\.csv cannot be read: .* training wrote"):
        load_samples(paths.reference, paths.window)
