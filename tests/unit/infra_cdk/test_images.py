"""Following CodeBuild to the images' end."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from infra_cdk.images import PROJECT_OUTPUTS, ImageBuildError, build_images

OUTPUTS = {"TrainingImageProject": "train", "ReportImageProject": "report", "ApiUrl": "https://x"}
LOG = {"groupName": "/aws/codebuild/train", "streamName": "one", "deepLink": "https://the.log"}


class FakeCloud:
    """CodeBuild and its log; the answers of each build are given beforehand."""

    def __init__(self, **answers: list[dict[str, Any]]) -> None:
        self.answers = {f"{project}:1": iter(found) for project, found in answers.items()}
        self.stopped: list[str] = []
        self.lines = ["Collecting tensorflow"]

    def client(self, name: str) -> "FakeCloud":
        assert name in {"codebuild", "logs"}
        return self

    def start_build(self, *, projectName: str) -> dict[str, Any]:  # noqa: N803 - AWS's own
        build = f"{projectName}:1"
        if build not in self.answers:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "StartBuild")
        return {"build": {"id": build}}

    def batch_get_builds(self, *, ids: list[str]) -> dict[str, Any]:
        return {"builds": [{"id": build, **next(self.answers[build])} for build in ids]}

    def stop_build(self, *, id: str) -> None:  # noqa: A002 - AWS's own
        self.stopped.append(id)

    def get_log_events(self, *, limit: int, **_: Any) -> dict[str, Any]:
        return {"events": [{"message": f"{line}\n"} for line in self.lines[-limit:]]}


class Clock:
    """Time that passes while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


RUNS = {"buildStatus": "IN_PROGRESS", "currentPhase": "BUILD", "logs": LOG}
QUEUES = {"buildStatus": "IN_PROGRESS", "currentPhase": "QUEUED"}
DONE = {"buildStatus": "SUCCEEDED", "logs": LOG}
FAILED = {
    "buildStatus": "FAILED",
    "logs": LOG,
    "phases": [
        {"phaseType": "QUEUED", "phaseStatus": "SUCCEEDED"},
        {"phaseType": "BUILD", "phaseStatus": "FAILED", "contexts": [{"message": "exit 1"}]},
        {"phaseType": "COMPLETED"},
    ],
}


def build(cloud: FakeCloud, deadline_seconds: float = 60.0) -> list[str]:
    """What is said on the way."""
    said: list[str] = []
    clock = Clock()
    build_images(
        cloud,  # type: ignore[arg-type]
        OUTPUTS,
        say=said.append,
        deadline_seconds=deadline_seconds,
        sleep=clock.sleep,
        clock=lambda: clock.now,
    )
    return said


def test_both_images_are_followed_side_by_side_and_nothing_is_said_twice() -> None:
    cloud = FakeCloud(train=[QUEUES, RUNS, RUNS, DONE], report=[RUNS, DONE])

    assert build(cloud) == [
        "training image: CodeBuild starts train:1",
        "drift report's image: CodeBuild starts report:1",
        "training image: queued",
        "drift report's image: build: Collecting tensorflow",
        "training image: build: Collecting tensorflow",
        "drift report's image: there",
        "training image: there",
    ]
    assert cloud.stopped == []


def test_a_build_that_fails_says_where_why_and_what_to_do_once_the_other_has_ended() -> None:
    cloud = FakeCloud(train=[FAILED], report=[RUNS, DONE])
    cloud.lines = ["Step 3", "no such package"]

    with pytest.raises(ImageBuildError) as raised:
        build(cloud)

    message = str(raised.value)
    assert message.startswith("The training image could not be built: FAILED. BUILD: exit 1\n")
    assert "  | Step 3\n  | no such package\n" in message
    assert "https://the.log" in message
    assert "Run make deploy again" in message
    assert cloud.stopped == []


def test_a_build_that_does_not_end_in_time_is_stopped() -> None:
    cloud = FakeCloud(train=[RUNS] * 100, report=[DONE])

    with pytest.raises(ImageBuildError, match=r"training image did not come within 60 s"):
        build(cloud)

    assert cloud.stopped == ["train:1"]


def test_a_refusal_names_the_rights_and_stops_what_has_begun() -> None:
    cloud = FakeCloud(train=[RUNS])  # no project for the report

    with pytest.raises(ImageBuildError, match="codebuild:StartBuild"):
        build(cloud)

    assert cloud.stopped == ["train:1"]


def test_whoever_interrupts_leaves_nothing_running() -> None:
    cloud = FakeCloud(train=[RUNS], report=[RUNS])

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_images(cloud, OUTPUTS, say=print, sleep=interrupted)  # type: ignore[arg-type]

    assert cloud.stopped == ["train:1", "report:1"]


def test_a_log_that_may_not_be_read_is_no_reason_to_give_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cloud = FakeCloud(train=[RUNS, DONE], report=[DONE])

    def refused(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetLogEvents")

    monkeypatch.setattr(cloud, "get_log_events", refused)

    assert "training image: build" in build(cloud)


def test_images_that_are_elsewhere_are_not_built() -> None:
    cloud = FakeCloud()
    said: list[str] = []

    build_images(cloud, {"ApiUrl": "https://x"}, say=said.append)  # type: ignore[arg-type]

    assert said == []


@pytest.fixture
def session() -> Iterator[boto3.session.Session]:
    with mock_aws():
        yield boto3.session.Session("testing", "testing", region_name="eu-west-1")


def test_the_calls_are_those_that_codebuild_takes(session: boto3.session.Session) -> None:
    session.client("codebuild").create_project(
        name="train-image-project",
        source={"type": "S3", "location": "bucket/context.zip"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole="arn:aws:iam::123456789012:role/service-role/images",
    )
    said: list[str] = []

    build_images(session, {next(iter(PROJECT_OUTPUTS)): "train-image-project"}, say=said.append)

    assert said[-1] == "training image: there"
