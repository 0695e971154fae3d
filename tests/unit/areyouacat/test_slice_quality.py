from areyouacat.dataset import ManifestEntry
from areyouacat.settings import EvaluationRules
from areyouacat.slice_quality import slices


def entry(number: int, source: str = "seed", *special: str) -> ManifestEntry:
    return ManifestEntry(str(number), "cat", "test", source, "seed", str(number), special)


def test_photos_are_sliced_by_what_is_special_and_by_source() -> None:
    photos = [entry(0), entry(1, "camera", "dark"), entry(2, "camera", "dark", "small")]

    found = {part.name: part.members.tolist() for part in slices(photos)}

    assert found == {
        "dark": [1, 2],
        "small": [2],
        "source camera": [1, 2],
        "source seed": [0],
    }


def test_a_slice_of_few_photos_is_marked() -> None:
    photos = [entry(number, "many") for number in range(10)] + [entry(10, "few")]

    assert {part.name: part.enough for part in slices(photos)} == {
        "source many": True,
        "source few": False,
    }


def test_only_the_largest_sources_are_shown() -> None:
    photos = [entry(n, f"camera {n % 5}") for n in range(20)] + [entry(99, "camera 3")]

    found = slices(photos, EvaluationRules(max_sources=2))

    assert [part.name for part in found] == ["source camera 3", "source camera 0"]


def test_no_photos_have_no_slices() -> None:
    assert slices([]) == []
