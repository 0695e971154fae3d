"""The images of the jobs: CodeBuild makes them in the account, and this follows it.

The stack names a project for each image that it builds (`constructs/image_build.py`). A build whose
image is in the registry already ends at once, so that building again costs a minute and no more.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

PROJECT_OUTPUTS: Final = {
    "TrainingImageProject": "training image",
    "ReportImageProject": "drift report's image",
}
"""Outputs of the stack that name a project; one whose image is elsewhere is not there."""
DEADLINE_SECONDS: Final = 45 * 60.0
"""Longer than a project lets a build queue and run."""
_POLL_SECONDS: Final = 5.0
_SHOWN_CHARACTERS: Final = 100  # of a log line on its way
_SHOWN_LINES: Final = 15  # of the log of a build that failed


class ImageBuildError(RuntimeError):
    """An image could not be made; the message says why and what to do."""


def build_images(
    session: boto3.session.Session,
    outputs: Mapping[str, str],
    *,
    say: Callable[[str], object],
    deadline_seconds: float = DEADLINE_SECONDS,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Build the images that the stack's `outputs` name, side by side, and wait for their end.

    `say` is told each step. What still runs when this is left is stopped: nothing goes on billing.

    Raises:
        ImageBuildError: a build failed, did not end in time, or AWS refused.
    """
    projects = {outputs[name]: title for name, title in PROJECT_OUTPUTS.items() if name in outputs}
    builds = _Builds(session.client("codebuild"), session.client("logs"), say)
    until = clock() + deadline_seconds
    try:
        for project, title in projects.items():
            builds.start(project, title)
        while builds.running:
            builds.look()
            if builds.running and clock() >= until:
                raise ImageBuildError(
                    f"The {builds.titles()} did not come within {deadline_seconds:,.0f} s and "
                    "was given up. What is done is kept: run make deploy again."
                )
            if builds.running:
                sleep(_POLL_SECONDS)
    except (BotoCoreError, ClientError) as error:
        raise ImageBuildError(
            f"CodeBuild cannot be asked for the images: {error}. Your credentials need "
            "codebuild:StartBuild, BatchGetBuilds and StopBuild on the stack's projects."
        ) from error
    finally:
        builds.stop()
    if builds.failures:
        raise ImageBuildError("\n".join(builds.failures))


@dataclass(slots=True)
class _Builds:
    """Builds that were started: which still run, and why others failed."""

    codebuild: Any
    logs: Any
    say: Callable[[str], object]
    running: dict[str, str] = field(default_factory=dict)  # title by id
    failures: list[str] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)  # what was said last, by id

    def start(self, project: str, title: str) -> None:
        """One more."""
        build = self.codebuild.start_build(projectName=project)["build"]
        self.running[build["id"]] = title
        self.say(f"{title}: CodeBuild starts {build['id']}")

    def titles(self) -> str:
        """Of those that run."""
        return " and the ".join(self.running.values())

    def look(self) -> None:
        """Tell what is new, and find out which have ended."""
        for build in self.codebuild.batch_get_builds(ids=list(self.running))["builds"]:
            title, status = self.running[build["id"]], build["buildStatus"]
            if status == "IN_PROGRESS":
                self._tell(build, title)
                continue
            del self.running[build["id"]]
            if status == "SUCCEEDED":
                self.say(f"{title}: there")
            else:
                self.failures.append(self._failure(build, title))

    def stop(self) -> None:
        """Give up what still runs."""
        for build in self.running:
            with suppress(BotoCoreError, ClientError):
                self.codebuild.stop_build(id=build)

    def _tell(self, build: Mapping[str, Any], title: str) -> None:
        phase = str(build.get("currentPhase", "SUBMITTED")).replace("_", " ").lower()
        line = "".join(self._last_lines(build, 1))[:_SHOWN_CHARACTERS]
        words = f"{title}: {phase}{': ' if line else ''}{line}"
        if words != self.told.get(build["id"]):
            self.told[build["id"]] = words
            self.say(words)

    def _last_lines(self, build: Mapping[str, Any], most: int) -> list[str]:
        """The log's end; nothing where it has not begun or may not be read."""
        log = build.get("logs", {})
        if not (log.get("groupName") and log.get("streamName")):
            return []
        with suppress(BotoCoreError, ClientError):
            events = self.logs.get_log_events(
                logGroupName=log["groupName"],
                logStreamName=log["streamName"],
                limit=most,
                startFromHead=False,
            )["events"]
            return [event["message"].rstrip() for event in events]
        return []

    def _failure(self, build: Mapping[str, Any], title: str) -> str:
        reasons = [
            f"{phase['phaseType']}: {context['message']}"
            for phase in build.get("phases", ())
            if phase.get("phaseStatus", "SUCCEEDED") != "SUCCEEDED"
            for context in phase.get("contexts", ())
            if context.get("message")
        ]
        log = build.get("logs", {})
        lines = self._last_lines(build, _SHOWN_LINES)
        return "\n".join(
            [
                f"The {title} could not be built: {build['buildStatus']}. {'; '.join(reasons)}",
                *(f"  | {line}" for line in lines),
                f"The whole log: {log.get('deepLink', 'in the CodeBuild console')}",
                "Run make deploy again once that is mended, or name an image that is elsewhere "
                "(training_image_uri=… or report_image_uri=… in SETTINGS).",
            ]
        )
