from collections import Counter

from lambdas.serving.logic.sample import choose_sample
from tests.unit.lambdas.serving.scored_photos import entries


def test_a_small_test_split_is_taken_whole_with_the_recent_photos() -> None:
    photos = [*entries(3, 4), *entries(5, 5, "train"), *entries(1, 1, "recent")]

    sample = choose_sample(photos, "trained", limit=100)

    assert Counter(e.split for e in sample) == {"test": 7, "recent": 2}


def test_a_large_one_is_sampled_in_proportion_to_its_labels() -> None:
    sample = choose_sample(entries(300, 100), "trained", limit=100)

    assert Counter(e.label for e in sample) == {"cat": 75, "not_cat": 25}


def test_a_rare_label_is_never_left_out() -> None:
    sample = choose_sample(entries(1, 5_000), "trained", limit=100)

    assert Counter(e.label for e in sample)["cat"] == 1


def test_the_sample_is_the_same_every_time_and_in_any_order() -> None:
    photos = entries(300, 100)

    assert choose_sample(photos, "trained", limit=50) == choose_sample(
        photos[::-1], "trained", limit=50
    )


def test_new_photos_leave_most_of_the_sample_as_it_was() -> None:
    before = choose_sample(entries(300, 300), "trained", limit=100)
    after = choose_sample(entries(330, 330), "trained", limit=100)

    assert len(set(before) & set(after)) > 75


def test_a_bootstrap_model_is_tried_on_every_split() -> None:
    photos = [*entries(1, 1), *entries(5, 5, "train"), *entries(1, 0, "validation")]

    assert len(choose_sample(photos, "bootstrap", limit=100)) == 13


def test_without_a_test_photo_some_of_validation_stand_in() -> None:
    photos = [*entries(50, 50, "validation"), *entries(1, 1, "recent"), *entries(9, 9, "train")]

    sample = choose_sample(photos, "trained", limit=100)

    assert Counter(e.split for e in sample) == {"validation": 32, "recent": 2}


def test_a_data_set_without_photos_to_test_on_gives_no_sample() -> None:
    assert choose_sample(entries(5, 5, "train"), "trained", limit=100) == []
    assert choose_sample([], "bootstrap", limit=100) == []
