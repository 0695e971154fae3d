"""What builds the jobs' images on AWS: where from, where to, and with which rights."""

import re
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template as Synthesised

from infra_cdk.constructs.data_lake import DataLake
from infra_cdk.constructs.encryption import Encryption
from infra_cdk.constructs.tracking import Tracking
from infra_cdk.constructs.training_job import TrainingJob
from infra_cdk.image_context import ImageContext
from infra_cdk.images import DEADLINE_SECONDS, PROJECT_OUTPUTS
from infra_cdk.settings import IMAGE_BUILD, REPORT, REPOSITORY_ROOT, TRAINING, JobImage, Settings
from tests.infrastructure import workflows
from tests.infrastructure.conftest import FLAGS
from tests.infrastructure.template_reading import Template, identity_statements, resources

IMAGES = [
    pytest.param(TRAINING.image, "train", "TrainingImageUri", id="training"),
    pytest.param(REPORT.image, "monitor", "ReportImageUri", id="report"),
]


def project_of(template: Template, image: JobImage) -> dict[str, Any]:
    (found,) = (
        project
        for project in resources(template, "CodeBuild::Project").values()
        if project["Name"] == f"AreYouACat-{image.name}-image"
    )
    return found


def variables(project: dict[str, Any]) -> dict[str, Any]:
    return {one["Name"]: one["Value"] for one in project["Environment"]["EnvironmentVariables"]}


def key_of(source: dict[str, Any]) -> str:
    """Of the object that a project's source is."""
    (key,) = re.findall(r"/(\w+\.zip)", str(source["Location"]))
    return str(key)


def tag_of(image: JobImage) -> str:
    return ImageContext.of(REPOSITORY_ROOT, image.dockerfile, edition=image.edition).tag


@pytest.mark.parametrize(("image", "machine", "substitution"), IMAGES)
def test_the_workflow_runs_the_image_that_the_project_builds(
    aws_template: Template, image: JobImage, machine: str, substitution: str
) -> None:
    told = variables(project_of(aws_template, image))
    given = workflows.machine_resource(aws_template, machine)["DefinitionSubstitutions"]

    assert told["IMAGE_TAG"] == tag_of(image)
    assert told["DOCKERFILE"] == image.dockerfile
    *address, tag = given[substitution]["Fn::Join"][1]
    assert tag == f":{tag_of(image)}"
    assert told["REPOSITORY_NAME"] in [part for part in address if isinstance(part, dict)]


def test_each_project_has_its_own_source_and_the_commands_of_the_one_buildspec(
    aws_template: Template,
) -> None:
    sources = [p["Source"] for p in resources(aws_template, "CodeBuild::Project").values()]

    assert {source["Type"] for source in sources} == {"S3"}
    assert len({key_of(source) for source in sources}) == 2
    (commands,) = {source["BuildSpec"] for source in sources}
    assert commands == (REPOSITORY_ROOT / "infra_cdk/image_buildspec.yml").read_text()


@pytest.mark.parametrize(("image", "machine", "substitution"), IMAGES)
def test_the_machine_is_small_ends_in_time_and_may_run_a_docker_engine(
    aws_template: Template, image: JobImage, machine: str, substitution: str
) -> None:
    project = project_of(aws_template, image)

    assert project["TimeoutInMinutes"] == IMAGE_BUILD.timeout_minutes
    assert project["QueuedTimeoutInMinutes"] == IMAGE_BUILD.queued_minutes
    environment = project["Environment"]
    assert environment["ComputeType"] == "BUILD_GENERAL1_SMALL"
    assert environment["Type"] == "LINUX_CONTAINER"
    assert environment["PrivilegedMode"] is True
    assert project["Artifacts"] == {"Type": "NO_ARTIFACTS"}


@pytest.mark.parametrize(("image", "machine", "substitution"), IMAGES)
def test_a_build_may_read_its_source_write_its_log_and_push_its_image(
    aws_template: Template, image: JobImage, machine: str, substitution: str
) -> None:
    project = project_of(aws_template, image)
    role = project["ServiceRole"]["Fn::GetAtt"][0]
    bucket = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"

    allowed = {
        action: str(statement["Resource"])
        for owner, statement in identity_statements(aws_template)
        if owner == role
        for action in statement["Action"]
        if isinstance(statement["Action"], list)
    }

    assert allowed.keys() == {
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:GetBucketAcl",
        "s3:GetBucketLocation",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:DescribeImages",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
    }
    assert bucket in allowed["s3:GetObject"]
    assert f"/{key_of(project['Source'])}" in allowed["s3:GetObject"]
    assert variables(project)["REPOSITORY_NAME"]["Ref"] in allowed["ecr:PutImage"]
    assert (
        project["LogsConfig"]["CloudWatchLogs"]["GroupName"]["Ref"] in allowed["logs:PutLogEvents"]
    )


def test_an_image_is_never_overwritten_is_scanned_and_one_day_forgotten(
    aws_template: Template,
) -> None:
    for repository in resources(aws_template, "ECR::Repository").values():
        assert repository["ImageTagMutability"] == "IMMUTABLE"
        assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
        assert '"countNumber":3' in repository["LifecyclePolicy"]["LifecyclePolicyText"]


def test_the_outputs_name_the_projects_for_whoever_starts_them(aws_template: Template) -> None:
    named = {aws_template["Outputs"][output]["Value"] for output in PROJECT_OUTPUTS}

    assert named == {
        project["Name"] for project in resources(aws_template, "CodeBuild::Project").values()
    }


def test_whoever_waits_waits_longer_than_a_build_may_queue_and_run() -> None:
    longest = 60 * (IMAGE_BUILD.queued_minutes + IMAGE_BUILD.timeout_minutes)

    assert longest < DEADLINE_SECONDS


def training_job(**context: str) -> tuple[TrainingJob, dict[str, Any]]:
    """The job alone, and its template."""
    app = App(context={**FLAGS, "target": "aws", **context})
    stack = Stack(app, "Small")
    settings = Settings.from_context(app.node)
    Encryption(stack, settings=settings)
    lake = DataLake(stack, "Lake", settings=settings)
    tracking = Tracking(stack, "Tracking", lake=lake, settings=settings)
    job = TrainingJob(stack, "Job", lake=lake, tracking=tracking, settings=settings)
    return job, dict(Synthesised.from_stack(stack).to_json())


def test_an_image_that_is_elsewhere_is_neither_kept_nor_built_here() -> None:
    job, template = training_job(training_image_uri="elsewhere/image:1")

    assert job.substitutions()["TrainingImageUri"] == "elsewhere/image:1"
    assert job.image_project is None
    for kind in ("ECR::Repository", "CodeBuild::Project", "Logs::LogGroup"):
        assert resources(template, kind) == {}


def test_the_workflow_is_told_which_capacity_the_command_line_asked_for() -> None:
    uri = "elsewhere/image:1"

    on_demand, _ = training_job(training_image_uri=uri)
    spot, _ = training_job(training_image_uri=uri, training_spot="true")

    assert on_demand.substitutions()["TrainingCapacity"] == "on_demand"
    assert spot.substitutions()["TrainingCapacity"] == "spot"
