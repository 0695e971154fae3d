"""What must hold in both templates, whatever else changes."""

from collections import Counter
from typing import Any

from areyouacat.settings import SERVING
from infra_cdk.settings import FUNCTIONS
from tests.infrastructure.template_reading import (
    Template,
    as_list,
    identity_statements,
    lake,
    resources,
    role_of,
)

DENIES_PLAIN_HTTP = {"Bool": {"aws:SecureTransport": "false"}}

UNNAMEABLE = {
    # Actions for which AWS knows no resource, and why they are there. Source: the service
    # authorization reference, which gives them no resource type, and a condition key to two alone:
    # PutMetricData (in use) and PutTraceSegments (for traces of logs).
    "cloudwatch:GetMetricStatistics": "reads figures, nobody's data",
    "cloudwatch:PutMetricData": "narrowed by the condition on the namespace",
    "ecr:GetAuthorizationToken": "the login to a registry, not to a repository",
    "logs:CreateLogDelivery": "a state machine's logging",
    "logs:GetLogDelivery": "a state machine's logging",
    "logs:UpdateLogDelivery": "a state machine's logging",
    "logs:DeleteLogDelivery": "a state machine's logging",
    "logs:ListLogDeliveries": "a state machine's logging",
    "logs:PutResourcePolicy": "a state machine's logging",
    "logs:DescribeResourcePolicies": "a state machine's logging",
    "logs:DescribeLogGroups": "a state machine's logging",
    "xray:PutTraceSegments": "tracing",
    "xray:PutTelemetryRecords": "tracing",
    "xray:GetSamplingRules": "tracing",
    "xray:GetSamplingTargets": "tracing",
}


def denials(policy: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        statement
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement.get("Condition") == DENIES_PLAIN_HTTP
    ]


def test_the_lake_is_encrypted_versioned_and_private(template: Template) -> None:
    bucket = lake(template)

    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert "BucketName" not in bucket


def test_buckets_are_reached_over_tls_alone(template: Template) -> None:
    policies = resources(template, "S3::BucketPolicy").values()

    guarded = set()
    for policy in policies:
        (denial,) = denials(policy)
        assert denial["Action"] == "s3:*"
        assert denial["Principal"] == {"AWS": "*"}
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in [
            statement.get("Condition") for statement in policy["PolicyDocument"]["Statement"]
        ]
        guarded.add(policy["Bucket"]["Ref"])
    assert guarded == set(resources(template, "S3::Bucket"))


def test_requests_to_the_lake_are_noted_in_a_private_bucket_which_forgets(
    template: Template,
) -> None:
    buckets = resources(template, "S3::Bucket")

    name = lake(template)["LoggingConfiguration"]["DestinationBucketName"]["Ref"]
    notes = buckets[name]
    assert len(buckets) == 2
    assert set(notes["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(notes["PublicAccessBlockConfiguration"]) == 4
    (rule,) = notes["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 30)
    (delivery,) = (
        statement
        for policy in resources(template, "S3::BucketPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    )
    assert delivery["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert delivery["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_the_lake_forgets_old_versions_uploads_and_half_uploads(template: Template) -> None:
    rules = lake(template)["LifecycleConfiguration"]["Rules"]
    by_id = {rule["Id"]: rule for rule in rules}

    assert by_id["forget-what-was-overwritten"]["NoncurrentVersionExpiration"] == {
        "NoncurrentDays": 30
    }
    assert by_id["forget-uploads"]["Prefix"] == "uploads/"
    assert by_id["forget-uploads"]["ExpirationInDays"] == 1
    assert by_id["forget-half-uploads"]["AbortIncompleteMultipartUpload"] == {
        "DaysAfterInitiation": 2
    }
    assert all(rule["Status"] == "Enabled" for rule in rules)


def test_photos_that_nobody_labelled_are_forgotten(template: Template) -> None:
    rules = lake(template)["LifecycleConfiguration"]["Rules"]
    (rule,) = (rule for rule in rules if rule.get("Prefix") == "photos/")

    assert rule["TagFilters"] == [{"Key": "origin", "Value": "request"}]
    assert rule["ExpirationInDays"] == SERVING.photo_ttl_days
    assert rule["ExpirationInDays"] > SERVING.prediction_ttl_days


def test_no_lifecycle_rule_expires_anything_else(template: Template) -> None:
    rules = lake(template)["LifecycleConfiguration"]["Rules"]

    assert [
        (rule["Prefix"], "TagFilters" in rule) for rule in rules if "ExpirationInDays" in rule
    ] == [("uploads/", False), ("batch-input/", False), ("photos/", True)]


def test_tables_are_on_demand_and_restorable_and_forget_what_has_expired(
    template: Template,
) -> None:
    tables = resources(template, "DynamoDB::Table")

    assert len(tables) == 2
    for table in tables.values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_predictions_are_indexed_by_hour(template: Template) -> None:
    (table,) = (
        table
        for table in resources(template, "DynamoDB::Table").values()
        if "GlobalSecondaryIndexes" in table
    )

    indexes = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in table["GlobalSecondaryIndexes"]
    }
    assert indexes == {
        "by_predicted_hour": ["predicted_bucket", "predicted_at"],
        "by_feedback_hour": ["feedback_bucket", "feedback_at"],
    }


def test_no_role_has_a_managed_policy(template: Template) -> None:
    roles = resources(template, "IAM::Role")

    assert roles
    assert not [name for name, role in roles.items() if role.get("ManagedPolicyArns")]


def test_every_action_on_any_resource_is_one_that_aws_lets_nobody_name(
    template: Template,
) -> None:
    on_anything = {
        action
        for _, statement in identity_statements(template)
        if "*" in as_list(statement["Resource"])
        for action in as_list(statement["Action"])
    }

    assert on_anything <= set(UNNAMEABLE)


def test_no_statement_allows_a_whole_service(template: Template) -> None:
    actions = {
        action
        for _, statement in identity_statements(template)
        for action in as_list(statement["Action"])
    }

    assert not {action for action in actions if "*" in action}


def test_every_role_can_be_taken_by_one_service_and_by_nobody_else(template: Template) -> None:
    for role in resources(template, "IAM::Role").values():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert (trust["Effect"], trust["Action"]) == ("Allow", "sts:AssumeRole")
        ((kind, service),) = trust["Principal"].items()
        assert (kind, service.partition(".")[2]) == ("Service", "amazonaws.com")


def test_every_function_has_a_role_of_its_own(template: Template) -> None:
    functions = resources(template, "Lambda::Function").values()

    used = Counter(role_of(function) for function in functions)
    assert {function["FunctionName"] for function in functions} == {
        f"AreYouACat-{name}" for name in FUNCTIONS
    }
    assert set(used.values()) == {1}


def test_every_function_logs_to_its_own_group_which_forgets(template: Template) -> None:
    groups = resources(template, "Logs::LogGroup")

    for function in resources(template, "Lambda::Function").values():
        group_id = function["LoggingConfig"]["LogGroup"]["Ref"]
        group = groups[group_id]
        assert group["LogGroupName"] == f"/aws/lambda/{function['FunctionName']}"
        assert group["RetentionInDays"] == 30
        (writes,) = (
            statement
            for owner, statement in identity_statements(template)
            if owner == role_of(function) and "logs:PutLogEvents" in statement["Action"]
        )
        assert writes["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
        assert writes["Resource"] == {"Fn::GetAtt": [group_id, "Arn"]}


def test_what_workflows_do_is_logged(template: Template) -> None:
    machines = resources(template, "StepFunctions::StateMachine").values()

    assert {machine["LoggingConfiguration"]["Level"] for machine in machines} == {"ALL"}


def test_a_resource_with_a_role_waits_for_what_the_role_may_do_and_for_nothing_else(
    template: Template,
) -> None:
    policies = {
        policy["Roles"][0]["Ref"]: name
        for name, policy in resources(template, "IAM::Policy").items()
    }

    for kind, role in (("Lambda::Function", "Role"), ("StepFunctions::StateMachine", "RoleArn")):
        for name, properties in resources(template, kind).items():
            waits = template["Resources"][name]["DependsOn"]
            assert waits == [policies[properties[role]["Fn::GetAtt"][0]]]


def test_every_log_group_forgets(template: Template) -> None:
    groups = resources(template, "Logs::LogGroup").values()

    assert {group.get("RetentionInDays") for group in groups} == {30}


def test_topics_take_messages_over_tls_alone(template: Template) -> None:
    topics = set(resources(template, "SNS::Topic"))
    policies = resources(template, "SNS::TopicPolicy").values()

    guarded = {policy["Topics"][0]["Ref"] for policy in policies if denials(policy)}
    assert len(topics) == 3
    assert guarded == topics


def test_only_this_accounts_alarms_may_publish_and_only_to_the_topics_of_alarms(
    template: Template,
) -> None:
    alarms = resources(template, "CloudWatch::Alarm").values()
    told = {topic["Ref"] for alarm in alarms for topic in alarm["AlarmActions"]}

    open_topics = set()
    for policy in resources(template, "SNS::TopicPolicy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                open_topics.add(statement["Resource"]["Ref"])
                assert statement["Action"] == "sns:Publish"
                assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
                assert statement["Condition"]["StringEquals"] == {
                    "aws:SourceAccount": {"Ref": "AWS::AccountId"}
                }
    assert len(told) == 3  # retrain, roll back, operators
    assert open_topics == told


def test_dead_letters_are_encrypted_and_travel_over_tls(template: Template) -> None:
    queues = resources(template, "SQS::Queue")
    policies = resources(template, "SQS::QueuePolicy").values()

    assert len(queues) == 3
    for queue in queues.values():
        assert queue["SqsManagedSseEnabled"] is True
        assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert {policy["Queues"][0]["Ref"] for policy in policies if denials(policy)} == set(queues)


def test_sagemaker_alone_may_be_handed_the_roles_of_jobs(template: Template) -> None:
    passes = [
        statement
        for _, statement in identity_statements(template)
        if "iam:PassRole" in as_list(statement["Action"])
    ]

    assert len(passes) == 2
    for statement in passes:
        assert statement["Condition"] == {
            "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
        }
        role = resources(template, "IAM::Role")[statement["Resource"]["Fn::GetAtt"][0]]
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}


def test_arns_that_we_put_together_have_the_form_that_aws_gives_them(template: Template) -> None:
    built = {
        "".join(part if isinstance(part, str) else "*" for part in resource["Fn::Join"][1])
        for _, statement in identity_statements(template)
        for resource in as_list(statement["Resource"])
        if isinstance(resource, dict) and "Fn::Join" in resource
    }

    assert {arn for arn in built if arn.startswith("arn:*")} >= {
        "arn:*:logs:*:*:log-group:/aws/sagemaker/TrainingJobs",
        "arn:*:logs:*:*:log-group:/aws/sagemaker/TrainingJobs:*",
        "arn:*:logs:*:*:log-group:/aws/sagemaker/ProcessingJobs:*",
        "arn:*:logs:*:*:log-group:*",
        "arn:*:states:*:*:execution:AreYouACat-train:*",
        "arn:*:states:*:*:execution:AreYouACat-deploy:*",
        "arn:*:sagemaker:*:*:training-job/areyouacat-*",
        "arn:*:sagemaker:*:*:processing-job/areyouacat-drift-*",
        "arn:*:events:*:*:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule",
        "arn:*:events:*:*:rule/StepFunctionsGetEventsForSageMakerProcessingJobsRule",
        "arn:*:events:*:*:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule",
    }
