"""Whether a challenger has earned its traffic."""

import random
from dataclasses import replace

import pytest

from areyouacat.serving_pointer import Strategy
from areyouacat.traffic import Decision, RoleEvidence, Verdict, at_least, decide, golden_harm

CHAMPION = RoleEvidence("1", [30.0] * 95 + [50.0] * 5, 0, [], 50, 50)
CHALLENGER = RoleEvidence("2", [30.0] * 20, 0, [], 50, 50)


def decided(
    challenger: RoleEvidence,
    *,
    champion: RoleEvidence = CHAMPION,
    strategy: Strategy = Strategy.CANARY,
    over: bool = False,
) -> Decision:
    return decide(champion, challenger, strategy, bake_is_over=over)


def test_as_long_as_it_bakes_a_sound_challenger_is_watched() -> None:
    assert decided(CHALLENGER).verdict is Verdict.WAIT


def test_no_harm_until_the_bake_ends_promotes_it_and_says_what_was_seen() -> None:
    decision = decided(CHALLENGER, over=True)

    assert decision.verdict is Verdict.PROMOTE
    assert decision.reasons == (
        "no harm was seen until the bake ended",
        "20 requests, 0 failed",
        "50 of 50 golden photos right",
        "no feedback on both variants to compare",
    )


def test_without_any_request_golden_photos_and_health_decide() -> None:
    nobody = replace(CHALLENGER, latencies_ms=[], golden=0, golden_right=0)

    decision = decided(nobody, over=True)

    assert decision.verdict is Verdict.PROMOTE
    assert "there were no golden photos to try" in decision.reasons


@pytest.mark.parametrize(("failures", "verdict"), [(1, Verdict.WAIT), (4, Verdict.ROLL_BACK)])
def test_failures_beyond_luck_end_it_at_once(failures: int, verdict: Verdict) -> None:
    failing = replace(CHALLENGER, failures=failures)

    decision = decided(failing)

    assert decision.verdict is verdict
    if verdict is Verdict.ROLL_BACK:
        assert decision.reasons[0].startswith(f"failed {failures} of {20 + failures} requests")


def test_a_challenger_that_fails_every_request_is_out_after_two() -> None:
    assert decided(replace(CHALLENGER, latencies_ms=[], failures=1)).verdict is Verdict.WAIT
    assert decided(replace(CHALLENGER, latencies_ms=[], failures=2)).verdict is Verdict.ROLL_BACK


def test_slow_answers_beyond_luck_end_it_at_once() -> None:
    # The limit: 1.5 times the champion's p95 of 30 ms, but at least 50 ms more.
    just_below = decided(replace(CHALLENGER, latencies_ms=[80.0] * 30))
    slow = decided(replace(CHALLENGER, latencies_ms=[81.0] * 3))

    assert just_below.verdict is Verdict.WAIT
    assert slow.verdict is Verdict.ROLL_BACK
    assert "3 of 3 answers took longer than 80 ms" in slow.reasons[0]


def test_a_few_slow_answers_are_luck() -> None:
    some = replace(CHALLENGER, latencies_ms=[30.0] * 28 + [900.0] * 2)

    assert decided(some).verdict is Verdict.WAIT


def test_a_champion_that_hardly_answered_says_nothing_about_speed() -> None:
    few = replace(CHAMPION, latencies_ms=[30.0] * 19)

    slow = replace(CHALLENGER, latencies_ms=[900.0] * 30)

    assert decided(slow, champion=few).verdict is Verdict.WAIT


@pytest.mark.parametrize(("right", "harm"), [(47, False), (46, True)])
def test_golden_photos_forgive_little(right: int, harm: bool) -> None:
    assert (golden_harm(50, right) is not None) == harm
    assert (decided(replace(CHALLENGER, golden_right=right)).verdict is Verdict.ROLL_BACK) == harm


def test_no_golden_photo_is_no_harm() -> None:
    assert golden_harm(0, 0) is None


def test_answers_that_people_call_wrong_end_it_at_once() -> None:
    champion = replace(CHAMPION, judged=[True] * 30)

    wrong = decided(replace(CHALLENGER, judged=[False] * 8), champion=champion)

    assert wrong.verdict is Verdict.ROLL_BACK
    assert "people called 0 of 8 of its answers right and 30 of 30" in wrong.reasons[0]


def test_a_few_wrong_answers_are_luck() -> None:
    champion = replace(CHAMPION, judged=[True] * 30)

    decision = decided(replace(CHALLENGER, judged=[False, True, False, True]), champion=champion)

    assert decision.verdict is Verdict.WAIT
    assert any("no evidence of harm" in reason for reason in decision.reasons)


def test_every_harm_is_named() -> None:
    awful = replace(CHALLENGER, latencies_ms=[900.0] * 9, failures=9, golden_right=0)

    assert len(decided(awful).reasons) == 3


def test_an_ab_test_promotes_who_was_shown_to_be_better_before_its_end() -> None:
    champion = replace(CHAMPION, judged=[True, False] * 40)
    better = replace(CHALLENGER, judged=[True] * 80)

    decision = decided(better, champion=champion, strategy=Strategy.AB_TEST)

    assert decision.verdict is Verdict.PROMOTE
    assert "80 of 80" in decision.reasons[0]


def test_an_ab_test_without_evidence_keeps_the_champion() -> None:
    equal = replace(CHALLENGER, judged=[True] * 40)
    champion = replace(CHAMPION, judged=[True] * 40)

    running = decided(equal, champion=champion, strategy=Strategy.AB_TEST)
    ended = decided(equal, champion=champion, strategy=Strategy.AB_TEST, over=True)

    assert running.verdict is Verdict.WAIT
    assert ended.verdict is Verdict.ROLL_BACK
    assert "not shown to be better" in ended.reasons[0]


def test_harm_ends_an_ab_test_as_well() -> None:
    failing = replace(CHALLENGER, failures=9)

    assert decided(failing, strategy=Strategy.AB_TEST).verdict is Verdict.ROLL_BACK


def test_a_sound_challenger_hardly_ever_falls_to_bad_luck() -> None:
    chance = random.Random(6)  # noqa: S311 - simulated requests, no secret
    rolled_back = 0
    for _ in range(100):
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(30):  # looks
            theirs += [chance.lognormvariate(3.4, 0.4) for _ in range(18)]
            ours += [chance.lognormvariate(3.4, 0.4) for _ in range(2)]
            failures = sum(chance.random() < 0.002 for _ in ours)
            evidence = replace(CHALLENGER, latencies_ms=ours, failures=failures)
            champion = replace(CHAMPION, latencies_ms=theirs)
            if decided(evidence, champion=champion).verdict is Verdict.ROLL_BACK:
                rolled_back += 1
                break

    assert rolled_back <= 2


@pytest.mark.parametrize(
    ("number", "of", "share", "chance"),
    [(0, 5, 0.1, 1.0), (5, 5, 0.1, 1e-5), (1, 2, 0.5, 0.75), (7, 30, 0.05, 0.000573)],
)
def test_tails_of_the_binomial_distribution(
    number: int, of: int, share: float, chance: float
) -> None:
    assert at_least(number, of, share) == pytest.approx(chance, rel=0.01)


def test_many_events_are_counted_by_the_normal_distribution() -> None:
    exact, approximate = at_least(65, 1_000, 0.05), at_least(66, 1_001, 0.05)

    assert approximate == pytest.approx(exact, rel=0.4)
    assert at_least(5_000, 50_000, 0.05) < 1e-9
