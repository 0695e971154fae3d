import pytest

from areyouacat.images import Photo, decode
from lambdas.serving.logic import scoring
from lambdas.serving.logic.loaded_model import LoadedModel
from lambdas.serving.logic.scoring import median_latency_ms, model_inputs, score, score_all
from tests.unit.lambdas.serving.conftest import jpeg, tiny_files
from tests.unit.lambdas.serving.scored_photos import entry


def test_erased_and_unreadable_photos_are_left_out(bright: bytes) -> None:
    photos = [(entry("a"), bright), (entry("b"), None), (entry("c"), b"noise")]

    scored = list(score(photos, tiny_files(), champion=None))

    assert [photo.entry.photo for photo in scored] == ["a"]
    assert scored[0].candidate > 0.9
    assert scored[0].champion is None


def test_both_models_see_every_photo(bright: bytes, dark: bytes) -> None:
    photos = [(entry("a"), bright), (entry("b"), dark)]

    scored = list(score(photos, tiny_files(), tiny_files(inverted=True)))

    assert [photo.candidate > 0.5 for photo in scored] == [True, False]
    assert [(photo.champion or 0.0) > 0.5 for photo in scored] == [False, True]


@pytest.mark.parametrize("cores", [1, 5])
def test_the_scores_do_not_depend_on_the_number_of_cores(
    cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = [(entry(str(grey)), jpeg(grey)) for grey in range(0, 250, 5)]
    model = LoadedModel(tiny_files())
    inputs = model_inputs(photos, len(photos))
    expected = [model.score(found).probability for found in inputs]

    monkeypatch.setattr("os.cpu_count", lambda: cores)
    scored = list(score(photos, tiny_files(), None))

    assert [photo.entry.photo for photo in scored] == [e.photo for e, _ in photos]
    assert [photo.candidate for photo in scored] == expected


def test_the_clock_runs_on_the_first_photos_that_can_be_read(bright: bytes) -> None:
    photos = [(entry("a"), None), (entry("b"), b"noise"), *[(entry("c"), bright)] * 5]

    inputs = model_inputs(photos, most=3)

    assert len(inputs) == 3
    assert median_latency_ms(LoadedModel(tiny_files()), inputs) > 0


def test_a_photo_is_decoded_once_however_many_models_score_it(
    bright: bytes, dark: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[bytes] = []

    def decode_once(data: bytes) -> Photo:
        decoded.append(data)
        return decode(data)

    monkeypatch.setattr(scoring, "decode", decode_once)
    models = [tiny_files(), tiny_files(inverted=True), tiny_files()]

    scored = list(score_all([(entry("a"), bright), (entry("b"), dark)], models))

    assert sorted(decoded) == sorted([bright, dark])
    assert [[p > 0.5 for p in found] for _, found in scored] == [
        [True, False, True],
        [False, True, False],
    ]
