"""What workflows and rules may do, held against what they are told to do.

The emulator does not check the roles of services, so these tests alone stand for them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from areyouacat.batches import results_prefix, run_key
from areyouacat.lease import training_job_name
from infra_cdk.settings import REPORT, TRAINING
from tests.infrastructure import workflows
from tests.infrastructure.template_reading import (
    Template,
    actions_of,
    as_list,
    identity_statements,
    resources,
)
from tests.infrastructure.workflow_answers import REPORT_DUE
from tests.infrastructure.workflows import NAMES, tasks

ARN = "arn:${AWS::Partition}"
HERE = "${AWS::Region}:${AWS::AccountId}"
MANAGED_RULE = ("events:PutTargets", "events:PutRule", "events:DescribeRule")
JOB_NAMES = {"Training": TRAINING.job_names, "Processing": REPORT.job_names}
LOGGING = {
    # Source: "Logging using CloudWatch Logs", Step Functions developer guide.
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}
TRACING = {
    # Source: "Trace Step Functions request data in X-Ray", Step Functions developer guide.
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
}

Pair = tuple[str, str]
"""An action and the resource it is on."""


def text(resource: Any) -> str:
    """A resource as `Fn::Sub` would have it."""
    if isinstance(resource, str):
        return resource
    if "Fn::Join" in resource:
        return "".join(text(part) for part in resource["Fn::Join"][1])
    return f"${{{resource['Ref'] if 'Ref' in resource else '.'.join(resource['Fn::GetAtt'])}}}"


def granted(template: Template, role: str) -> set[Pair]:
    return {
        (action, text(resource))
        for owner, statement in identity_statements(template)
        if owner == role
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def needed(template: Template, task: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[Pair]:
    """What a task needs, by its integration and the resources that its parameters name.

    Source: "IAM policies for integrated services", Step Functions developer guide.
    """

    def named(parameter: str) -> str:
        return text(given[task["Parameters"][parameter].strip("${}")])

    integration = task["Resource"].removeprefix("arn:aws:states:::")
    if integration == "lambda:invoke":
        yield "lambda:InvokeFunction", named("FunctionName")
    elif integration == "sns:publish":
        yield "sns:Publish", named("TopicArn")
    elif integration == "states:startExecution.sync:2":
        machine = named("StateMachineArn")
        name = template["Resources"][machine.strip("${}")]["Properties"]["StateMachineName"]
        yield "states:StartExecution", machine
        for action in ("DescribeExecution", "StopExecution"):
            yield f"states:{action}", f"{ARN}:states:{HERE}:execution:{name}:*"
        yield from watching("StepFunctionsExecution")
    elif found := re.fullmatch(r"sagemaker:create(\w+)Job\.sync", integration):
        kind = found[1]
        jobs = f"{ARN}:sagemaker:{HERE}:{kind.lower()}-job/{JOB_NAMES[kind]}"
        for action in (f"Create{kind}Job", f"Describe{kind}Job", f"Stop{kind}Job"):
            yield f"sagemaker:{action}", jobs
        yield "sagemaker:AddTags", jobs
        yield "sagemaker:ListTags", jobs
        yield "iam:PassRole", named("RoleArn")
        yield from watching(f"SageMaker{kind}Jobs")
    else:
        raise AssertionError(f"say here which rights {integration} needs")


def needed_by_map(own: str, lake: str) -> Iterator[Pair]:
    """What a Distributed Map needs, whose children are executions of its own state machine.

    Source: "IAM policies for using Distributed Map states", Step Functions developer guide.
    """
    yield "states:StartExecution", f"{ARN}:states:{HERE}:stateMachine:{own}"
    for action in ("DescribeExecution", "StopExecution"):
        yield f"states:{action}", f"{ARN}:states:{HERE}:execution:{own}:*"
    yield "s3:GetObject", f"{lake}/{run_key('*', '*')}"
    for action in ("PutObject", "GetObject", "ListMultipartUploadParts", "AbortMultipartUpload"):
        yield f"s3:{action}", f"{lake}/{results_prefix('*')}/*"


def watching(kind: str) -> Iterator[Pair]:
    for action in MANAGED_RULE:
        yield action, f"{ARN}:events:{HERE}:rule/StepFunctionsGetEventsFor{kind}Rule"


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_may_do_to_each_resource_what_its_tasks_need_and_nothing_else(
    template: Template, name: str
) -> None:
    machine = workflows.machine_resource(template, name)
    definition = json.loads((workflows.FOLDER / f"{name}.asl.json").read_text())

    own = {(action, "*") for action in LOGGING}
    if machine.get("TracingConfiguration", {}).get("Enabled"):
        own |= {(action, "*") for action in TRACING}
    given = machine["DefinitionSubstitutions"]
    for task in tasks(definition).values():
        own |= set(needed(template, task, given))
    for state in definition["States"].values():
        if state["Type"] == "Map":
            bucket = state["ItemReader"]["Parameters"]["Bucket"].strip("${}")
            lake = f"${{{given[bucket]['Ref']}.Arn}}"
            own |= set(needed_by_map(machine["StateMachineName"], lake))
    assert machine["LoggingConfiguration"]["Destinations"]
    assert granted(template, machine["RoleArn"]["Fn::GetAtt"][0]) == own


def test_a_schedule_may_start_its_own_workflow_and_nothing_else(template: Template) -> None:
    roles = {
        target["RoleArn"]["Fn::GetAtt"][0]: text(target["Arn"])
        for rule in resources(template, "Events::Rule").values()
        for target in rule["Targets"]
        if "RoleArn" in target
    }

    assert len(roles) == 2
    for role, machine in roles.items():
        assert granted(template, role) == {("states:StartExecution", machine)}


def test_each_service_may_invoke_a_function_for_one_source_of_ours_alone(
    template: Template,
) -> None:
    permissions = resources(template, "Lambda::Permission").values()

    assert {permission["Principal"] for permission in permissions} == {
        "apigateway.amazonaws.com",
        "events.amazonaws.com",
        "sns.amazonaws.com",
    }
    for permission in permissions:
        source = text(permission["SourceArn"])
        assert permission["Action"] == "lambda:InvokeFunction"
        assert re.match(r"\$\{(Serving|Retraining|Rollback)|arn:.*\$\{ServingHttpApi", source)


def test_the_role_may_create_jobs_of_the_name_that_the_lease_gives(template: Template) -> None:
    prefix = TRAINING.job_names.removesuffix("*")

    assert training_job_name("an execution").startswith(prefix)
    assert f"training-job/{TRAINING.job_names}" in str(list(identity_statements(template)))


def test_the_role_may_create_the_reports_job_and_no_training(template: Template) -> None:
    role = workflows.machine_resource(template, "monitor")["RoleArn"]["Fn::GetAtt"][0]
    jobs = str(
        [
            statement["Resource"]
            for owner, statement in identity_statements(template)
            if owner == role and "sagemaker:CreateProcessingJob" in as_list(statement["Action"])
        ]
    )

    assert REPORT_DUE["report"]["job_name"].startswith(REPORT.job_names.removesuffix("*"))
    assert f"processing-job/{REPORT.job_names}" in jobs
    assert not actions_of(template, role) & {"sagemaker:CreateTrainingJob"}
