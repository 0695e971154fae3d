"""The services, if they run. Imported only where the app environment is."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final
from xmlrpc.client import Fault

from local_cloud.cloud import Cloud
from local_cloud.doctor.finding import Finding, bad, ok, warn
from local_cloud.layout import Layout, StateError
from local_cloud.services import ALL, GATEWAY
from local_cloud.supervisor import Supervisor, SupervisorError, leftovers
from local_cloud.up import HTTP_HEALTH, answers

_NOT_YET: Final = frozenset({"STOPPED", "STARTING"})


def services(layout: Layout) -> tuple[bool, list[Finding]]:
    """Whether the local cloud runs, and what is to be said of its services."""
    try:
        supervisor = Supervisor(layout)
    except SupervisorError as error:
        return False, [bad("Services", str(error), "Do what it says, then: make up")]
    if not supervisor.is_running():
        return False, [at_rest(leftovers(layout))]
    try:
        states = {service: supervisor.state(service) for service in ALL}
    except (OSError, Fault):
        return True, [warn("Services", "they are just being stopped", "Wait, then: make doctor")]
    return True, [running(states, _health_checks(layout), str(layout.logs))]


def at_rest(left: Mapping[str, int]) -> Finding:
    """`left`: services without a supervisor, and the head of each one's process group."""
    if not left:
        return ok("Services", "at rest; make up starts them")
    names = ", ".join(f"{name} (pid {pid})" for name, pid in left.items())
    return warn("Services", f"left over by a supervisor that was killed: {names}", "make down")


def running(
    states: Mapping[str, str], answer: Mapping[str, Callable[[], bool]], logs: str
) -> Finding:
    """`states`: supervisord's word for each service; `answer`: whether one answers over HTTP."""
    waiting = [name for name, state in states.items() if state in _NOT_YET]
    ill = {name: state for name, state in states.items() if state not in {"RUNNING", *_NOT_YET}}
    for name, check in answer.items():
        if name not in ill and name not in waiting and not check():
            ill[name] = "does not answer"
    if ill:
        names = ", ".join(f"{name} ({state})" for name, state in ill.items())
        last = f"{logs}{os.sep}{next(iter(ill))}.log"
        remedy = f"make down && make up; if it stays so, its log says why: tail {last}"
        return bad("Services", f"not well: {names}", remedy)
    if waiting:
        says = f"not started yet: {', '.join(waiting)}; a make up is at work, or was stopped"
        return warn("Services", says, "make up goes on from there")
    return ok("Services", f"{', '.join(states)} run and answer")


def _health_checks(layout: Layout) -> dict[str, Callable[[], bool]]:
    try:
        ports = layout.ports()
    except StateError:  # a finding of its own
        return {}
    checks: dict[str, Callable[[], bool]] = {GATEWAY: partial(_gateway_answers, layout)}
    for service, path in HTTP_HEALTH.items():
        url = f"http://127.0.0.1:{getattr(ports, service)}{path}"
        checks[service] = partial(answers, url)
    return checks


def _gateway_answers(layout: Layout) -> bool:
    try:
        return Cloud(layout).health() is not None
    except (OSError, ValueError, KeyError):  # its credentials, among others, may be damaged
        return False
