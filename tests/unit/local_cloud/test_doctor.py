"""Each fault that the doctor knows, provoked, and what it says of it."""

import fcntl
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cloud.checkpoint import CheckpointStore, write
from local_cloud.doctor import finding, installed, machine, ports, services, state
from local_cloud.doctor.finding import Level
from local_cloud.doctor.machine import GIGABYTE, Disk, Place
from local_cloud.layout import ROOT, Layout
from local_cloud.ministack_version import MINISTACK_VERSION

CLOSED = "http://127.0.0.1:9"
"""The port of `discard`, where nobody listens."""


def program(folder: Path, line: str, name: str = "program") -> str:
    """A program that does what a line of shell says."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this process listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


# --- the machine ---


def test_an_old_python_is_told_with_its_version(tmp_path: Path) -> None:
    old = program(tmp_path, "echo 3.9.18", "python3.9")

    found = machine.python(old, has_uv=True)

    assert (found.level, "3.9.18" in found.says) == (Level.BAD, True)
    assert "PYTHON=" in found.remedy


def test_a_python_that_is_not_there_is_told(tmp_path: Path) -> None:
    found = machine.python(str(tmp_path / "python3.99"), has_uv=True)

    assert (found.level, found.says) == (Level.BAD, "python3.99 is not on this machine")


@pytest.mark.parametrize(("has_uv", "level"), [(False, Level.BAD), (True, Level.OK)])
def test_the_venv_module_is_wanted_where_there_is_no_uv(
    tmp_path: Path, has_uv: bool, level: Level
) -> None:
    without = program(tmp_path, 'case "$2" in *venv*) exit 1;; esac; echo 3.12.3')

    assert machine.python(without, has_uv=has_uv).level is level


def test_this_python_is_good_enough() -> None:
    assert machine.python(sys.executable, has_uv=False).level is Level.OK


def test_without_git_there_is_a_remedy() -> None:
    assert machine.git(None).level is Level.BAD
    assert machine.git("/usr/bin/git").level is Level.OK


def test_the_needs_of_one_disk_are_added_up() -> None:
    places = [Place("the state", Path("/a"), GIGABYTE), Place("the rest", Path("/b"), GIGABYTE)]

    (together,) = machine.disk(places, lambda _: Disk(1, 2 * GIGABYTE - 1))
    apart = machine.disk(places, lambda path: Disk(hash(path), GIGABYTE))

    assert (together.level, "the state and the rest" in together.says) == (Level.BAD, True)
    assert "LOCAL_STATE_DIR" in together.remedy
    assert {one.level for one in apart} == {Level.OK}


def test_a_folder_that_is_still_to_be_made_is_measured_by_the_one_above_it(tmp_path: Path) -> None:
    assert machine.measured(tmp_path / "not" / "yet") == machine.measured(tmp_path)


def test_little_memory_is_a_warning_and_unknown_memory_nothing(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 8000000 kB\nMemAvailable:    1000000 kB\n")

    assert machine.memory(machine.free_memory(meminfo)).level is Level.WARN
    assert machine.memory(machine.free_memory(tmp_path / "none")).level is Level.OK


def test_a_system_without_user_namespaces_is_a_warning(tmp_path: Path) -> None:
    refusing = program(tmp_path, "echo unshare: Operation not permitted >&2; exit 1", "unshare")

    found = machine.namespaces(refusing)

    assert (found.level, "/opt/ml" in found.says) == (Level.WARN, True)
    assert machine.namespaces(program(tmp_path, "exit 0")).level is Level.OK


# --- environments and registries ---


def environment(root: Path, *, ready: bool = True, made: float = 2.0) -> installed.Environment:
    """One of `make up`'s, whole but for what the test takes away."""
    one = installed.FOR_UP[0]
    folder = root / one.folder
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    program_of_it = folder / "bin" / "mlflow"
    program_of_it.write_text(f"#!{folder / 'bin' / 'python'}\n")
    (root / one.sources[0]).write_text("mlflow==1")
    os.utime(root / one.sources[0], (1.0, 1.0))
    if ready:
        (folder / ".ready").touch()
        os.utime(folder / ".ready", (made, made))
    return one


def test_an_environment_is_whole(tmp_path: Path) -> None:
    assert installed.condition(tmp_path, environment(tmp_path)) is installed.Condition.WHOLE


def test_an_environment_that_was_never_made_is_no_fault(tmp_path: Path) -> None:
    assert {one.level for one in installed.environments(tmp_path)} == {Level.OK}


def test_an_environment_that_was_half_made_is_seen(tmp_path: Path) -> None:
    one = environment(tmp_path, ready=False)

    assert installed.condition(tmp_path, one) is installed.Condition.HALF


def test_an_environment_that_is_older_than_its_requirements_is_seen(tmp_path: Path) -> None:
    one = environment(tmp_path, made=0.5)

    assert installed.condition(tmp_path, one) is installed.Condition.OLD


def test_an_environment_whose_python_has_gone_has_to_be_made_anew(tmp_path: Path) -> None:
    one = environment(tmp_path)
    python = tmp_path / one.folder / "bin" / "python"
    python.unlink()
    python.symlink_to(tmp_path / "removed" / "python3.11")

    found = installed.environments(tmp_path)[0]

    assert (found.level, f"rm -rf {one.folder}" in found.remedy) == (Level.BAD, True)


def test_an_environment_that_was_moved_has_to_be_made_anew(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    one = environment(before)
    before.rename(after)

    assert installed.condition(after, one) is installed.Condition.BROKEN


def test_a_registry_is_needed_until_the_jobs_have_environments_too(tmp_path: Path) -> None:
    assert not installed.all_made(tmp_path, tmp_path / "jobs")


def test_without_uv_pip_is_asked_and_cited(tmp_path: Path) -> None:
    python = program(tmp_path, "echo ERROR: No matching distribution found for uv >&2; exit 1")

    found = installed.python_registry(None, python, "0.13.9", needed=True)

    assert (found.level, "No matching distribution" in found.says) == (Level.BAD, True)
    assert "PIP_INDEX_URL" in found.remedy


def test_no_registry_is_only_a_warning_once_every_environment_is_made(tmp_path: Path) -> None:
    offline = program(tmp_path, "cat >/dev/null; echo error: the network was disabled >&2; exit 2")

    needed = installed.python_registry(offline, "python3", "0.13.9", needed=True)
    made = installed.python_registry(offline, "python3", "0.13.9", needed=False)

    assert (needed.level, made.level) == (Level.BAD, Level.WARN)
    assert "the network was disabled" in made.says


def test_the_registry_is_asked_for_one_pinned_package_and_with_the_users_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_INDEX_URL", "http://mirror.example")
    uv = program(tmp_path, f'cat > {tmp_path}/asked; echo "$UV_INDEX_URL" >> {tmp_path}/asked')

    found = installed.python_registry(uv, "python3", "0.13.9", needed=True)

    assert found.level is Level.OK
    assert (tmp_path / "asked").read_text() == "uv==0.13.9http://mirror.example\n"


def test_npms_stack_is_left_out_of_what_it_says(tmp_path: Path) -> None:
    said = "npm error code ECONNREFUSED\\nnpm error     at ClientRequest (index.js:130:14)\\n"
    npm = program(tmp_path, f"printf '{said}' >&2; exit 1")

    found = installed.npm_registry(npm, "aws-cdk@2", needed=True)

    assert (found.level, found.says) == (Level.BAD, "code ECONNREFUSED")


def test_npm_is_not_missed_before_the_app_environment_is_made() -> None:
    assert installed.npm_registry(None, "aws-cdk@2", needed=True).level is Level.OK


def test_the_emulators_version_is_the_one_that_is_pinned() -> None:
    assert installed.pin(ROOT / "local_cloud/requirements.txt", "ministack") == MINISTACK_VERSION


def test_the_command_line_of_the_cdk_is_asked_for_as_it_is_pinned() -> None:
    assert installed.cli_pin(ROOT / "infra_cdk/cli/package.json").startswith("aws-cdk@2.")


# --- ports ---


def test_a_port_that_somebody_else_has_is_told_with_who_and_a_free_one(taken: int) -> None:
    found = ports.port(taken, "GATEWAY_PORT", ports.listeners(), [], runs=True)

    assert (found.level, f"(pid {os.getpid()})" in found.says) == (Level.BAD, True)
    assert "GATEWAY_PORT=" in found.remedy


def test_a_port_that_a_service_of_ours_has_is_fine(taken: int) -> None:
    found = ports.port(taken, "UI_PORT", ports.listeners(), [os.getpgid(0)], runs=True)

    assert found.level is Level.OK


@pytest.mark.parametrize(("runs", "level"), [(True, Level.OK), (False, Level.BAD)])
def test_where_nobody_may_know_who_listens_a_cloud_that_runs_is_the_likeliest(
    taken: int, runs: bool, level: Level
) -> None:
    assert ports.port(taken, "UI_PORT", {}, [], runs=runs).level is level


def test_a_port_that_is_no_number_is_told_by_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UI_PORT", "eighty")

    (found,) = ports.ports(Layout(tmp_path), runs=False)

    assert (found.level, "UI_PORT=eighty" in found.says) == (Level.BAD, True)


# --- the state folder ---


def test_a_state_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert state.folder(tmp_path / "file" / "state").level is Level.BAD
    assert state.folder(tmp_path / "folder" / "state").level is Level.OK


def test_the_lock_of_a_command_at_work_is_told_with_its_process(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        found = state.lock(file)

    assert found.level is Level.WARN
    if Path("/proc/locks").exists():
        assert f"kill {os.getpid()}" in found.remedy


def test_the_lock_of_a_killed_command_is_none(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()

    assert state.lock(tmp_path / "lock").level is Level.OK
    assert state.lock(tmp_path / "never").level is Level.OK


def saved(cloud: Path, emulator: str = MINISTACK_VERSION) -> Path:
    """A cloud with a bucket and one checkpoint; the checkpoint's folder."""
    (cloud / "s3" / "bucket").mkdir(parents=True)
    store = CheckpointStore(cloud / "checkpoints")
    folder = store.begin()
    state_of_it = [("s3", b"{}")]
    write(folder, state_of_it, cloud, emulator=emulator, state_id="1", previous=None)
    return store.publish(folder).path


def test_a_whole_checkpoint_is_found(tmp_path: Path) -> None:
    root = saved(tmp_path / "cloud").parent

    assert state.checkpoint(root, MINISTACK_VERSION).level is Level.OK


def test_before_the_first_start_no_checkpoint_is_missed_and_no_folder_made(tmp_path: Path) -> None:
    root = tmp_path / "cloud" / "checkpoints"

    assert state.checkpoint(root, MINISTACK_VERSION).level is Level.OK
    assert not root.exists()


def test_a_damaged_checkpoint_is_told_before_it_is_too_late(tmp_path: Path) -> None:
    checkpoint = saved(tmp_path / "cloud")
    (checkpoint / "s3.json").write_text("{")

    found = state.checkpoint(checkpoint.parent, MINISTACK_VERSION)

    assert (found.level, "damaged" in found.says) == (Level.WARN, True)
    assert f"cp -a {tmp_path}" in found.remedy


def test_a_checkpoint_of_another_ministack_is_told_with_both_versions(tmp_path: Path) -> None:
    root = saved(tmp_path / "cloud", "1.0.0").parent

    found = state.checkpoint(root, MINISTACK_VERSION)

    assert found.level is Level.WARN
    assert "1.0.0" in found.says
    assert MINISTACK_VERSION in found.says


def test_objects_without_any_checkpoint_are_told(tmp_path: Path) -> None:
    (tmp_path / "cloud" / "s3" / "bucket").mkdir(parents=True)
    (tmp_path / "cloud" / "checkpoints").mkdir()

    found = state.checkpoint(tmp_path / "cloud" / "checkpoints", MINISTACK_VERSION)

    assert (found.level, "nothing was saved whole" in found.says) == (Level.WARN, True)


def deployed(tmp_path: Path, url: str | None = "https://localhost:4566") -> Layout:
    layout = Layout(tmp_path)
    layout.endpoints_file.write_text(json.dumps({"aws_endpoint_url": url}))
    return layout


def test_endpoints_where_nobody_listens_are_told_only_if_the_cloud_runs(tmp_path: Path) -> None:
    layout = deployed(tmp_path)

    running = state.endpoints(layout, lambda _: False, runs=True)
    at_rest = state.endpoints(layout, lambda _: False, runs=False)

    assert (running.level, "localhost:4566" in running.says) == (Level.BAD, True)
    assert at_rest.level is Level.OK


def test_endpoints_of_an_account_are_fine(tmp_path: Path) -> None:
    found = state.endpoints(deployed(tmp_path, None), lambda _: False, runs=False)

    assert (found.level, "AWS account" in found.says) == (Level.OK, True)


def test_damaged_endpoints_are_told(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.endpoints_file.write_text("{")

    assert state.endpoints(layout, lambda _: True, runs=True).level is Level.BAD


@pytest.mark.parametrize(
    ("listens", "bundle", "level"),
    [
        (False, "tls/ca.pem", Level.WARN),
        (True, "../another/tls/ca.pem", Level.WARN),
        (True, "tls/ca.pem", Level.OK),
    ],
)
def test_a_shell_that_sourced_another_cloud_or_a_dead_one_is_told(
    tmp_path: Path, listens: bool, bundle: str, level: Level
) -> None:
    sourced = {
        "AWS_ENDPOINT_URL": "https://localhost:4599",
        "AWS_CA_BUNDLE": str(tmp_path / bundle),
    }

    found = state.shell(sourced, Layout(tmp_path), lambda _: listens)

    assert found.level is level
    assert bool(found.remedy) == (level is Level.WARN)


def test_a_shell_that_sourced_nothing_is_fine(tmp_path: Path) -> None:
    assert state.shell({}, Layout(tmp_path), lambda _: False).level is Level.OK


@pytest.mark.parametrize(("exempt", "level"), [("", Level.WARN), ("localhost,127.0.0.1", Level.OK)])
def test_a_proxy_for_this_machine_itself_is_told(
    monkeypatch: pytest.MonkeyPatch, exempt: str, level: Level
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", CLOSED)
    monkeypatch.setenv("no_proxy", exempt)
    monkeypatch.delenv("NO_PROXY", raising=False)

    assert state.proxy().level is level


# --- services ---


def test_services_that_outlived_their_supervisor_are_told(tmp_path: Path) -> None:
    found = services.at_rest({"gateway": 4242})

    assert (found.level, found.remedy) == (Level.WARN, "make down")
    assert "gateway (pid 4242)" in found.says
    assert services.at_rest({}).level is Level.OK


def test_a_service_that_failed_or_does_not_answer_is_told_with_its_log() -> None:
    states = {"gateway": "RUNNING", "mlflow": "FATAL", "ui": "RUNNING"}

    found = services.running(states, {"ui": lambda: False, "gateway": lambda: True}, "logs")

    assert found.says == "not well: mlflow (FATAL), ui (does not answer)"
    assert "logs/mlflow.log" in found.remedy


def test_services_that_wait_for_the_rest_of_a_make_up_are_a_warning() -> None:
    states = {"gateway": "RUNNING", "mlflow": "STARTING", "ui": "STOPPED"}

    found = services.running(states, {"ui": lambda: False}, "logs")

    assert (found.level, "mlflow, ui" in found.says) == (Level.WARN, True)


def test_services_that_answer_are_well() -> None:
    assert services.running({"ui": "RUNNING"}, {"ui": lambda: True}, "logs").level is Level.OK


def test_a_cloud_that_does_not_run_is_at_rest(tmp_path: Path) -> None:
    runs, (found,) = services.services(Layout(tmp_path))

    assert (runs, found.level) == (False, Level.OK)


# --- what is said ---


def test_a_finding_is_a_line_with_its_remedy_below_it_and_the_verdict_last() -> None:
    text = finding.as_text([finding.ok("A", "fine"), finding.bad("B", "broken", "mend it")])

    assert text.splitlines() == [
        "ok    A: fine",
        "bad   B: broken",
        "      mend it",
        "",
        "One thing is in the way. Do what stands below each 'bad', then: make doctor",
    ]


def test_warnings_keep_nothing_from_working() -> None:
    found = [finding.warn("A", "slow", "wait")]

    assert not finding.is_bad(found)
    assert finding.as_text(found).endswith("Next: make up")


def test_programs_get_an_array() -> None:
    assert json.loads(finding.as_json([finding.ok("A", "fine")])) == [
        {"check": "A", "level": "ok", "says": "fine", "remedy": ""}
    ]


def test_it_runs_with_the_standard_library_alone(tmp_path: Path) -> None:
    code = (
        "from local_cloud.doctor import examination as its;"
        "print(its._services(its.Layout.from_environment()))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(ROOT), "LOCAL_STATE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "the app environment is not made yet" in done.stdout
