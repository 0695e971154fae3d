"""Who may train: the lease, the cooldown, the cap, and the alarms that have to wait."""

from datetime import UTC, datetime, timedelta

import pytest

from areyouacat.training_ledger import (
    Admission,
    Admitted,
    Asker,
    Pending,
    RetrainRules,
    TrainingLedger,
    admit,
    forget,
    release,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = NOON + timedelta(minutes=3)  # than what comes of the same cause
RULES = RetrainRules(cooldown=6 * HOUR, daily_cap=3, same_cause=timedelta(minutes=2))
ACCURACY = Asker("arn:accuracy", "accuracy fell", "alarm", "FeedbackAccuracy")
DRIFT = Asker("arn:drift", "brightness moved", "alarm", "DataDrift")
SCHEDULE = Asker("arn:schedule", "daily schedule", "schedule")
PERSON = Asker("arn:person", "because", "manual")


def ask(
    ledger: TrainingLedger, asker: Asker, at: datetime = NOON, *, holder_runs: bool = True
) -> tuple[TrainingLedger, Admitted]:
    return admit(ledger, asker, RULES, at, holder_runs=holder_runs)


def trained(asker: Asker, at: datetime, ledger: TrainingLedger | None = None) -> TrainingLedger:
    """The ledger after a training of no length."""
    taken, admitted = ask(ledger or TrainingLedger(), asker, at)
    assert admitted.admission is Admission.ACQUIRED
    return release(taken, asker.execution_arn, at)


@pytest.mark.parametrize("asker", [ACCURACY, SCHEDULE, PERSON])
def test_the_first_may_train(asker: Asker) -> None:
    ledger, admitted = ask(TrainingLedger(), asker)

    assert admitted == Admitted(Admission.ACQUIRED, asker.execution_arn)
    assert ledger.holder == asker.execution_arn


def test_who_asks_again_holds_the_lease_still_and_changes_nothing() -> None:
    once, _ = ask(TrainingLedger(), ACCURACY)

    twice, admitted = ask(once, ACCURACY, NOON + HOUR)

    assert twice is once
    assert admitted.admission is Admission.ACQUIRED


@pytest.mark.parametrize("asker", [DRIFT, SCHEDULE, PERSON])
def test_while_one_trains_nobody_else_does(asker: Asker) -> None:
    ledger, _ = ask(TrainingLedger(), ACCURACY)

    after, admitted = ask(ledger, asker)

    assert admitted == Admitted(Admission.ALREADY_RUNNING, ACCURACY.execution_arn)
    assert after.holder == ACCURACY.execution_arn


def test_an_execution_that_has_ended_holds_nothing() -> None:
    ledger, _ = ask(TrainingLedger(), SCHEDULE)

    after, admitted = ask(ledger, PERSON, holder_runs=False)

    assert (admitted.admission, after.holder) == (Admission.ACQUIRED, PERSON.execution_arn)


@pytest.mark.parametrize("before", [ACCURACY, PERSON])
def test_after_a_training_alarms_and_schedule_wait_until_it_has_cooled_down(before: Asker) -> None:
    ledger = trained(before, NOON)

    for asker in (DRIFT, SCHEDULE):
        _, admitted = ask(ledger, asker, NOON + 6 * HOUR - timedelta(seconds=1))
        assert admitted == Admitted(Admission.COOLING_DOWN, None, NOON + 6 * HOUR)
    assert ask(ledger, DRIFT, NOON + 6 * HOUR)[1].admission is Admission.ACQUIRED


def test_the_cooldown_begins_when_the_training_ends() -> None:
    taken, _ = ask(TrainingLedger(), ACCURACY)
    ledger = release(taken, ACCURACY.execution_arn, NOON + 2 * HOUR)

    assert ask(ledger, DRIFT, NOON + 7 * HOUR)[1].until == NOON + 8 * HOUR


def test_one_that_was_killed_cools_down_from_its_beginning() -> None:
    ledger, _ = ask(TrainingLedger(), ACCURACY)

    assert ask(ledger, DRIFT, NOON + HOUR, holder_runs=False)[1].until == NOON + 6 * HOUR


def test_a_person_waits_for_no_cooldown_and_no_cap() -> None:
    ledger = trained(ACCURACY, NOON)

    assert ask(ledger, PERSON, NOON + HOUR)[1].admission is Admission.ACQUIRED


def test_a_day_has_only_so_many_automatic_trainings() -> None:
    ledger = TrainingLedger()
    for number in range(RULES.daily_cap):
        ledger = trained(ACCURACY, NOON + number * 7 * HOUR, ledger)

    _, admitted = ask(ledger, DRIFT, NOON + 23 * HOUR)
    assert admitted == Admitted(Admission.CAPPED, None, NOON + 24 * HOUR)
    assert ask(ledger, DRIFT, NOON + 24 * HOUR)[1].admission is Admission.ACQUIRED


def test_peoples_trainings_do_not_count_against_the_cap() -> None:
    ledger = TrainingLedger()
    for number in range(10):
        ledger = trained(PERSON, NOON + timedelta(minutes=number), ledger)

    assert ledger.begun == ()
    assert ask(ledger, ACCURACY, NOON + 7 * HOUR)[1].admission is Admission.ACQUIRED


@pytest.mark.parametrize("first", [ACCURACY, PERSON])
def test_an_alarm_right_after_a_training_has_begun_is_what_that_is_for(first: Asker) -> None:
    running, _ = ask(TrainingLedger(), first)

    ledger, admitted = ask(running, DRIFT, NOON + timedelta(seconds=119))

    assert admitted.admission is Admission.ALREADY_RUNNING
    assert ledger.pending == {}


def test_an_alarm_that_is_turned_away_waits_with_its_reason() -> None:
    running, _ = ask(TrainingLedger(), PERSON)

    ledger, _ = ask(running, ACCURACY, LATER)
    ledger, _ = ask(ledger, DRIFT, NOON + HOUR)

    assert ledger.pending == {
        "FeedbackAccuracy": Pending("accuracy fell", LATER, Admission.ALREADY_RUNNING),
        "DataDrift": Pending("brightness moved", NOON + HOUR, Admission.ALREADY_RUNNING),
    }


def test_it_keeps_its_place_when_it_is_turned_away_again() -> None:
    running, _ = ask(TrainingLedger(), PERSON)
    ledger, _ = ask(running, ACCURACY, LATER)
    ledger = release(ledger, PERSON.execution_arn, NOON + HOUR)

    ledger, _ = ask(ledger, ACCURACY, NOON + 2 * HOUR)

    assert ledger.pending["FeedbackAccuracy"] == Pending(
        "accuracy fell", LATER, Admission.COOLING_DOWN
    )


def test_schedule_and_people_leave_nothing_behind_when_they_are_turned_away() -> None:
    running, _ = ask(TrainingLedger(), ACCURACY)

    assert ask(running, SCHEDULE)[0] is running
    assert ask(running, PERSON)[0] is running


def test_who_trains_trains_for_all_that_wait() -> None:
    running, _ = ask(TrainingLedger(), PERSON)
    ledger, _ = ask(running, ACCURACY, LATER)
    ledger, _ = ask(ledger, DRIFT, LATER)
    ledger = release(ledger, PERSON.execution_arn, LATER)

    ledger, admitted = ask(ledger, SCHEDULE, LATER + 6 * HOUR)

    assert admitted.answers == ("DataDrift", "FeedbackAccuracy")
    assert ledger.pending == {}


def test_alarms_that_no_longer_stand_are_forgotten() -> None:
    running, _ = ask(TrainingLedger(), PERSON)
    ledger, _ = ask(running, ACCURACY, LATER)
    ledger, _ = ask(ledger, DRIFT, LATER)

    assert set(forget(ledger, frozenset({"DataDrift"})).pending) == {"FeedbackAccuracy"}
    assert forget(ledger, frozenset({"unknown"})) is ledger


def test_nobody_releases_the_lease_of_another() -> None:
    ledger, _ = ask(TrainingLedger(), ACCURACY)

    assert release(ledger, "arn:other", NOON) is ledger
    assert release(ledger, ACCURACY.execution_arn, NOON).holder is None


def test_the_document_is_read_as_it_was_written() -> None:
    ledger = trained(ACCURACY, NOON - 5 * HOUR)
    ledger, _ = ask(ledger, PERSON)
    ledger, _ = ask(ledger, DRIFT, LATER)

    assert ledger.pending
    assert TrainingLedger.from_json(ledger.to_json()) == ledger
    assert TrainingLedger.from_json(TrainingLedger().to_json()) == TrainingLedger()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"holder": null}', "null"])
def test_what_is_no_ledger_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a training ledger"):
        TrainingLedger.from_json(text)
