"""What the workflows' own roles may do is what their definitions need, and nothing else."""

import re
from typing import Any

import pytest

from areyouacat.lease import training_job_name
from infra_cdk.settings import REPORT, TRAINING
from tests.infrastructure import workflows
from tests.infrastructure.template_reading import Template, actions_of, as_list, identity_statements
from tests.infrastructure.workflow_answers import REPORT_DUE
from tests.infrastructure.workflows import NAMES, tasks

MANAGED_RULE = {"events:PutTargets", "events:PutRule", "events:DescribeRule"}
MANAGED_RULES = {
    # Source, as for the next: "IAM policies for integrated services", Step Functions developer
    # guide.
    "arn:aws:states:::sagemaker:createTrainingJob.sync": (
        "StepFunctionsGetEventsForSageMakerTrainingJobsRule"
    ),
    "arn:aws:states:::sagemaker:createProcessingJob.sync": (
        "StepFunctionsGetEventsForSageMakerProcessingJobsRule"
    ),
    "arn:aws:states:::states:startExecution.sync:2": (
        "StepFunctionsGetEventsForStepFunctionsExecutionRule"
    ),
}
NEEDED_ACTIONS = {
    "arn:aws:states:::lambda:invoke": {"lambda:InvokeFunction"},
    "arn:aws:states:::sns:publish": {"sns:Publish"},
    "arn:aws:states:::sagemaker:createTrainingJob.sync": {
        "sagemaker:CreateTrainingJob",
        "sagemaker:DescribeTrainingJob",
        "sagemaker:StopTrainingJob",
        "sagemaker:AddTags",
        "sagemaker:ListTags",
        "iam:PassRole",
        *MANAGED_RULE,
    },
    "arn:aws:states:::sagemaker:createProcessingJob.sync": {
        "sagemaker:CreateProcessingJob",
        "sagemaker:DescribeProcessingJob",
        "sagemaker:StopProcessingJob",
        "sagemaker:AddTags",
        "sagemaker:ListTags",
        "iam:PassRole",
        *MANAGED_RULE,
    },
    "arn:aws:states:::states:startExecution.sync:2": {
        "states:StartExecution",
        "states:DescribeExecution",
        "states:StopExecution",
        *MANAGED_RULE,
    },
}


@pytest.mark.parametrize("name", NAMES)
def test_the_role_may_do_what_the_tasks_need_and_nothing_else(
    template: Template, name: str
) -> None:
    machine = workflows.machine_resource(template, name)
    role = machine["RoleArn"]["Fn::GetAtt"][0]
    resources_used = {
        state["Resource"] for state in tasks(workflows.definition(template, name)).values()
    }

    needed = set().union(*(NEEDED_ACTIONS[resource] for resource in resources_used))
    granted = {
        action for action in actions_of(template, role) if not re.match("logs:|xray:", action)
    }
    assert granted == needed


@pytest.mark.parametrize("name", NAMES)
def test_the_role_may_invoke_exactly_the_functions_of_the_definition(
    template: Template, name: str
) -> None:
    machine = workflows.machine_resource(template, name)
    (invoke,) = (
        statement
        for owner, statement in identity_statements(template)
        if owner == machine["RoleArn"]["Fn::GetAtt"][0]
        and "lambda:InvokeFunction" in as_list(statement["Action"])
    )

    named = {
        value["Fn::GetAtt"][0]
        for key, value in machine["DefinitionSubstitutions"].items()
        if key.endswith("FunctionArn")
    }
    assert {resource["Fn::GetAtt"][0] for resource in as_list(invoke["Resource"])} == named


@pytest.mark.parametrize("name", NAMES)
def test_a_role_may_watch_the_managed_rules_of_its_sync_tasks_and_no_other_rule(
    template: Template, name: str
) -> None:
    role = workflows.machine_resource(template, name)["RoleArn"]["Fn::GetAtt"][0]
    used = {state["Resource"] for state in tasks(workflows.definition(template, name)).values()}

    watched = {
        action: {
            _arn(resource)
            for owner, statement in identity_statements(template)
            if owner == role and action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }
        for action in MANAGED_RULE
    }
    rules = {
        f"arn:partition:events:region:account:rule/{MANAGED_RULES[resource]}"
        for resource in used
        if resource in MANAGED_RULES
    }
    assert watched == dict.fromkeys(MANAGED_RULE, rules)


def test_training_may_start_deploy_and_follow_its_executions_and_no_others(
    template: Template,
) -> None:
    role = workflows.machine_resource(template, "train")["RoleArn"]["Fn::GetAtt"][0]
    deploy = workflows.machine_resource(template, "deploy")

    allowed = {
        action: statement["Resource"]
        for owner, statement in identity_statements(template)
        if owner == role
        for action in as_list(statement["Action"])
        if action.startswith("states:")
    }
    started = template["Resources"][allowed.pop("states:StartExecution")["Ref"]]["Properties"]
    assert started is deploy
    executions = f"arn:partition:states:region:account:execution:{deploy['StateMachineName']}:*"
    assert {action: _arn(resource) for action, resource in allowed.items()} == {
        "states:DescribeExecution": executions,
        "states:StopExecution": executions,
    }


def _arn(resource: Any) -> str:
    """An ARN as CDK builds it, with words for what only CloudFormation knows."""
    words = {
        "AWS::Partition": "partition",
        "AWS::Region": "region",
        "AWS::AccountId": "account",
    }
    return "".join(
        part if isinstance(part, str) else words[part["Ref"]] for part in resource["Fn::Join"][1]
    )


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
