"""The golden photos: which they are, and what keeps a challenger from the callers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from areyouacat.dataset import ManifestEntry
from areyouacat.errors import CorruptModelError, ModelNotFoundError
from areyouacat.lake import photo_key, sha256_hex
from areyouacat.serving_pointer import CHALLENGER, Variant
from areyouacat.settings import GoldenRules
from areyouacat.verdicts import Bands
from lambdas.serving.handlers import score_golden_photos
from lambdas.serving.logic.golden import judge_golden
from lambdas.serving.logic.loaded_model import LoadedModel, ModelFiles
from lambdas.serving.logic.scoring import ScoredPhoto
from tests.unit.lambdas.conftest import FakeContext
from tests.unit.lambdas.serving.conftest import LAKE, Lake, jpeg, tiny_files, tiny_spec, tiny_tflite
from tests.unit.lambdas.serving.scored_photos import scored

DATASET = "0123456789abcdef"
RULES = GoldenRules(photos=10, max_wrong_share=0.1)
SPEC = tiny_spec(tiny_tflite(), bands=Bands(0.2, 0.8))
Try = Callable[..., dict[str, Any]]


def cats(number: int, candidate: float = 0.9, champion: float = 0.9) -> list[ScoredPhoto]:
    return [scored(f"cat {one}", "cat", candidate, champion) for one in range(number)]


def others(number: int, candidate: float = 0.1, champion: float = 0.1) -> list[ScoredPhoto]:
    return [scored(f"not {one}", "not_cat", candidate, champion) for one in range(number)]


def test_a_challenger_that_knows_all_golden_photos_passes() -> None:
    found = judge_golden([*cats(5), *others(5)], SPEC, SPEC, RULES)

    assert (found.photos, found.right, found.wrong, found.passed) == (10, 10, (), True)
    assert found.reason == "right on 10 of 10 golden photos"


def test_at_the_limit_it_passes_and_beyond_it_does_not() -> None:
    one_wrong = [*cats(4), scored("lost", "cat", 0.1, 0.9), *others(5)]
    two_wrong = [*one_wrong[:-1], scored("found", "not_cat", 0.9, 0.1)]

    assert judge_golden(one_wrong, SPEC, SPEC, RULES).passed
    found = judge_golden(two_wrong, SPEC, SPEC, RULES)
    assert (found.passed, found.right, found.wrong) == (False, 8, ("lost", "found"))
    assert found.reason.startswith("wrong on 2 of 10 golden photos")


@pytest.mark.parametrize("champion", [0.3, 0.7, 0.1], ids=["doubts", "doubts too", "is wrong"])
def test_what_the_champion_does_not_know_without_a_doubt_is_not_golden(champion: float) -> None:
    found = judge_golden([*cats(20, candidate=0.1, champion=champion)], SPEC, SPEC, RULES)

    assert (found.photos, found.passed) == (0, True)
    assert "no golden photo" in found.reason


def test_each_model_is_judged_by_its_own_threshold() -> None:
    strict = replace(SPEC, threshold=0.95)

    assert judge_golden(cats(10), SPEC, SPEC, RULES).right == 10
    assert judge_golden(cats(10), strict, SPEC, RULES).right == 0


def test_many_photos_of_one_label_do_not_hide_failures_on_the_other() -> None:
    found = judge_golden([*cats(500), *others(5, candidate=0.9)], SPEC, SPEC, RULES)

    assert (found.photos, found.right, found.passed) == (10, 5, False)


def test_a_short_label_leaves_its_place_to_the_other() -> None:
    assert judge_golden([*cats(500), *others(2)], SPEC, SPEC, RULES).photos == 10
    assert judge_golden(cats(500), SPEC, SPEC, RULES).photos == 10


@pytest.fixture
def manifest(s3: Any) -> list[str]:
    """The hashes of ten bright photos labelled as cats and ten dark ones that are not."""
    files = [jpeg(grey, (64, 64)) for grey in (*range(241, 251), *range(1, 11))]
    hashes = [sha256_hex(data) for data in files]
    for sha, data in zip(hashes, files, strict=True):
        s3.put_object(Bucket=LAKE, Key=photo_key(sha), Body=data)
    entries = [
        ManifestEntry(sha, "cat" if number < 10 else "not_cat", "test", "seed", "seed", sha)
        for number, sha in enumerate(hashes)
    ]
    body = "\n".join(json.dumps(asdict(entry)) for entry in entries)
    s3.put_object(Bucket=LAKE, Key=f"datasets/{DATASET}/manifest.jsonl", Body=body.encode())
    return hashes


@pytest.fixture
def try_out(manifest: list[str], lake: Lake) -> Try:
    """Tries version 2, made of these files, while version 1 serves."""
    lake.point(lake.stage("1", tiny_files()))

    def run(files: ModelFiles, spoil: bool = False) -> dict[str, Any]:
        challenger = lake.stage("2", files, role=CHALLENGER, weight=0.0)
        if spoil:
            lake.spoil(challenger)
        return ask(challenger)

    return run


def ask(variant: Variant) -> dict[str, Any]:
    return score_golden_photos.handler(
        {"variant": asdict(variant)},
        FakeContext(),  # type: ignore[arg-type]
    )


def test_a_good_challenger_passes_on_photos_of_the_lake(try_out: Try) -> None:
    answer = try_out(tiny_files(threshold=0.4))

    assert (answer["photos"], answer["right"], answer["passed"]) == (20, 20, True)


def test_an_inverted_one_knows_none_and_names_a_few(try_out: Try, manifest: list[str]) -> None:
    answer = try_out(tiny_files(inverted=True))

    assert (answer["photos"], answer["right"], answer["passed"]) == (20, 0, False)
    assert len(answer["wrong"]) == 5
    assert set(answer["wrong"]) <= set(manifest)


def test_a_challenger_that_cannot_be_loaded_fails_without_an_error(try_out: Try) -> None:
    answer = try_out(tiny_files(), spoil=True)

    assert (answer["photos"], answer["passed"]) == (0, False)
    assert "cannot be loaded" in answer["reason"]


@pytest.mark.parametrize("error", [CorruptModelError("no number"), RuntimeError("gave up")])
def test_a_challenger_that_has_no_answer_to_a_photo_fails_without_an_error(
    try_out: Try, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    works = LoadedModel.score

    def breaks(self: LoadedModel, model_input: Any) -> Any:
        if self.spec.threshold == 0.4:
            raise error
        return works(self, model_input)

    monkeypatch.setattr(LoadedModel, "score", breaks)

    answer = try_out(tiny_files(threshold=0.4))

    assert not answer["passed"]
    assert answer["reason"] == f"failed on a golden photo: {error}"


def test_a_broken_champion_does_not_keep_a_challenger_out(manifest: list[str], lake: Lake) -> None:
    champion = lake.stage("1", tiny_files())
    lake.point(champion)
    lake.spoil(champion)

    answer = ask(lake.stage("2", tiny_files(threshold=0.4), role=CHALLENGER))

    assert (answer["photos"], answer["passed"]) == (0, True)
    assert "the champion cannot be loaded" in answer["reason"]


def test_a_version_whose_data_set_is_gone_can_still_be_deployed(try_out: Try) -> None:
    answer = try_out(tiny_files(dataset_version="fedcba9876543210"))

    assert (answer["photos"], answer["passed"]) == (0, True)


def test_erased_photos_are_left_out(try_out: Try, manifest: list[str], s3: Any) -> None:
    for sha in manifest[:4]:
        s3.delete_object(Bucket=LAKE, Key=photo_key(sha))

    assert try_out(tiny_files(threshold=0.4))["photos"] == 16


def test_while_nothing_serves_no_photo_is_golden(lake: Lake) -> None:
    with pytest.raises(ModelNotFoundError, match="all_at_once"):
        ask(lake.stage("2", tiny_files(), role=CHALLENGER))
