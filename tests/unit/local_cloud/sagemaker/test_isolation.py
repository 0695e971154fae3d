"""Each job has an /opt/ml of its own."""

import json
import signal
import socket
from pathlib import Path

import pytest

from local_cloud.sagemaker.containers import container
from local_cloud.sagemaker.containers.container import Isolation
from local_cloud.sagemaker.containers.launcher import exit_code
from local_cloud.sagemaker.control import JobControl, StopReason
from local_cloud.sagemaker.running import image_runners
from tests.unit.local_cloud.sagemaker.tiny_cloud import Cloud

# Two jobs meet in a folder that both see, and only then look at what is theirs.
MEET = """
import json, os, time
from pathlib import Path
base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
own, other, meeting = (os.environ[name] for name in ("OWN", "OTHER", "MEETING"))
(base / "model" / own).touch()
Path(meeting, own).touch()
deadline = time.monotonic() + 30
while not Path(meeting, other).exists() and time.monotonic() < deadline:
    time.sleep(0.05)
seen = {
    "met": Path(meeting, other).exists(),
    "model": sorted(path.name for path in (base / "model").iterdir()),
    "base": os.environ.get("SAGEMAKER_BASE_DIR"),
}
print(json.dumps(seen))
"""


def meet(cloud: Cloud, meeting: Path) -> dict[str, dict[str, object]]:
    meeting.mkdir()
    cloud.script(MEET)
    for own, other in (("left", "right"), ("right", "left")):
        environment = {"OWN": own, "OTHER": other, "MEETING": str(meeting)}
        cloud.create(own, Environment=environment)
    assert {cloud.ended(name)["TrainingJobStatus"] for name in ("left", "right")} == {"Completed"}
    return {name: json.loads(cloud.log(name).splitlines()[-1]) for name in ("left", "right")}


@pytest.mark.skipif(
    container.best_isolation() is Isolation.NONE, reason="this system allows no private mounts"
)
def test_two_jobs_at_once_each_see_an_opt_ml_of_their_own(cloud: Cloud, tmp_path: Path) -> None:
    existed = Path("/opt/ml").exists()

    seen = meet(cloud, tmp_path / "meeting")

    assert seen == {
        "left": {"met": True, "model": ["left"], "base": None},
        "right": {"met": True, "model": ["right"], "base": None},
    }
    assert Path("/opt/ml").exists() == existed


def test_where_mounts_are_not_allowed_jobs_get_a_base_directory(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_runners, "best_isolation", lambda: Isolation.NONE)

    seen = meet(cloud, tmp_path / "meeting")

    for name in ("left", "right"):
        assert seen[name]["met"] is True
        assert seen[name]["model"] == [name]
        assert str(seen[name]["base"]).startswith(str(cloud.config.work_dir))


@pytest.mark.parametrize("isolation", list(Isolation))
def test_every_isolation_passes_on_output_exit_code_and_stop(
    isolation: Isolation, tmp_path: Path
) -> None:
    if isolation is not Isolation.NONE and not container.works(isolation):
        pytest.skip(f"this system does not allow {isolation.value}")
    opt = tmp_path / "opt"
    (opt / "ml").mkdir(parents=True)
    script = "trap 'echo stops; exit 3' TERM; echo starts; while :; do sleep 0.05; done"
    job = container.Container(["sh", "-c", script], {"PATH": "/usr/bin:/bin"}, opt, opt, isolation)
    control, lines = JobControl(), list[str]()

    def on_line(line: str) -> None:
        lines.append(line)
        control.limit(0)

    ended = container.run(
        job, control, grace=lambda _: 30.0, on_line=on_line, on_stop=lambda _: None
    )

    assert lines == ["starts", "stops"]
    assert ended.code == 3


@pytest.mark.parametrize("isolation", list(Isolation))
def test_a_job_that_is_stopped_as_it_starts_hears_of_it(
    isolation: Isolation, tmp_path: Path
) -> None:
    if isolation is not Isolation.NONE and not container.works(isolation):
        pytest.skip(f"this system does not allow {isolation.value}")
    codes = []

    for attempt in range(5):
        opt = tmp_path / str(attempt) / "opt"
        (opt / "ml").mkdir(parents=True)
        job = container.Container(["sleep", "60"], {"PATH": "/usr/bin:/bin"}, opt, opt, isolation)
        control = JobControl()
        control.stop(StopReason.REQUESTED)
        ended = container.run(
            job, control, grace=lambda _: 5.0, on_line=print, on_stop=lambda _: None
        )
        codes.append(ended.code)

    assert codes == [128 + signal.SIGTERM] * 5  # after the grace it would be SIGKILL


@pytest.mark.parametrize(("code", "reported"), [(0, 0), (3, 3), (-9, 137), (-15, 143)])
def test_a_signal_becomes_an_exit_code_as_containers_have_it(code: int, reported: int) -> None:
    assert exit_code(code) == reported


def test_opt_keeps_what_the_machine_has_there(tmp_path: Path) -> None:
    isolation = container.best_isolation()
    opt = tmp_path / "opt"
    (opt / "ml").mkdir(parents=True)
    lines: list[str] = []

    container.run(
        container.Container(["ls", "-A", "/opt"], {"PATH": "/usr/bin:/bin"}, opt, opt, isolation),
        JobControl(),
        grace=lambda _: 0.0,
        on_line=lines.append,
        on_stop=lambda _: None,
    )

    there = {path.name for path in Path("/opt").iterdir()}
    expected = there if isolation is Isolation.NONE else there | {"ml"}
    assert set(lines) == expected


CONNECT = """
import json, os, socket
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname(), timeout=5).close()
try:
    socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), timeout=5)
    reached = True
except OSError:
    reached = False
print(json.dumps({"reached": reached, "aws": [n for n in os.environ if n.startswith("AWS_")]}))
"""


@pytest.mark.skipif(
    container.best_isolation() is Isolation.NONE, reason="this system allows no namespaces"
)
@pytest.mark.parametrize("isolated", [True, False])
def test_a_job_with_network_isolation_reaches_its_own_loopback_and_nothing_else(
    isolated: bool, cloud: Cloud
) -> None:
    cloud.script(CONNECT)
    with socket.create_server(("127.0.0.1", 0)) as server:
        environment = {"PORT": str(server.getsockname()[1])}

        job = cloud.run("alone", EnableNetworkIsolation=isolated, Environment=environment)

    seen = json.loads(cloud.log("alone").splitlines()[-1])
    assert job["TrainingJobStatus"] == "Completed"
    assert job["EnableNetworkIsolation"] is isolated
    assert seen["reached"] is not isolated
    assert ("AWS_ACCESS_KEY_ID" in seen["aws"]) is not isolated


@pytest.mark.parametrize(
    ("members", "remedy"),
    [
        ({"EnableNetworkIsolation": True}, "EnableNetworkIsolation needs a network namespace"),
        ({"Environment": {"DATA": "/opt/ml/input/data"}}, "Read SAGEMAKER_BASE_DIR instead"),
    ],
)
def test_where_namespaces_are_not_allowed_a_job_that_needs_one_is_refused_with_a_remedy(
    members: dict[str, object], remedy: str, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_runners, "best_isolation", lambda: Isolation.NONE)
    cloud.script("")

    job = cloud.run("needs", **members)

    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")
    assert remedy in job["FailureReason"]
