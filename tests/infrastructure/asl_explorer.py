"""Finds runs through a state machine until nothing new happens any more.

Whenever a task begins in a way that was not seen before, every answer of it is tried, and a
failure for every rule that its definition has for one. What counts as seen is the task and which
fields are known when it begins: by these, and by the answers, a run goes one way or another, and
by these a reference finds something or not.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tests.infrastructure.asl_simulator import Run, TaskFailure, states_of

Answer = Mapping[str, Any] | TaskFailure
Script = Sequence[Answer | None]

_WILDCARDS = {
    "States.ALL": ("States.Timeout", "Lambda.Unknown"),
    "States.TaskFailed": ("States.TaskFailed",),
}
_CAUSES = {
    "States.Timeout": "",  # as AWS has it: the field is there and says nothing
    "States.TaskFailed": '{"TrainingJobStatus":"Failed","FailureReason":"AlgorithmError: exit 1"}',
}
_LAMBDAS_CAUSE = '{"errorMessage":"it broke","errorType":"X","requestId":"1","stackTrace":[]}'


def explore(
    machine: Mapping[str, Any],
    inputs: Sequence[Mapping[str, Any]],
    answers: Mapping[str, Sequence[Mapping[str, Any]]],
    play: Callable[[Mapping[str, Any], Script], Run],
) -> Iterator[Run]:
    """Every run that was needed.

    `answers`: of the tasks that can answer in ways that matter, beside the usual success.
    `play`: runs an input; the script holds the answers of the tasks as they come, None for the
    usual one.
    """
    known: set[tuple[str, frozenset[str]]] = set()
    ahead: list[tuple[Mapping[str, Any], Script]] = [(asked, ()) for asked in inputs]
    while ahead:
        asked, script = ahead.pop()
        run = play(asked, script)
        yield run
        for place, begun in enumerate(run.asked):
            if place < len(script) or begun in known:
                continue
            known.add(begun)
            before: Script = [*script, *[None] * (place - len(script))]
            state = begun[0]
            others: list[Answer] = [*answers.get(state, ()), *failures(states_of(machine)[state])]
            ahead += [(asked, [*before, other]) for other in others]


def failures(state: Mapping[str, Any]) -> Iterator[TaskFailure]:
    """A failure for each of a state's retriers and catchers: what one rule names goes one way."""
    first = [rule["ErrorEquals"][0] for rule in (*state["Retry"], *state.get("Catch", []))]
    for error in dict.fromkeys(error for name in first for error in _WILDCARDS.get(name, (name,))):
        yield TaskFailure(error, _CAUSES.get(error, _LAMBDAS_CAUSE))
