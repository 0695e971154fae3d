"""A real gateway: TLS, IAM, loopback only, and state that survives whatever ends it."""

import io
import json
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

from local_cloud.rights import Grant, granted, used
from tests.unit.local_cloud.gateway_process import GatewayProcess

FUNCTION = """
import boto3, botocore, importlib.util, json, os

def attempt(call, **arguments):
    try:
        call(**arguments)
        return "allowed"
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]

def handler(event, context):
    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    return {
        "found": [name for name in ("areyouacat", "local_cloud") if importlib.util.find_spec(name)],
        "environment": dict(os.environ),
        "read": attempt(s3.get_object, Bucket="lake", Key="photo"),
        "write": attempt(s3.put_object, Bucket="lake", Key="other", Body=b""),
        "scan": attempt(dynamodb.scan, TableName="predictions"),
    }
"""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    process = GatewayProcess(tmp_path / "state")
    yield process
    process.kill()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """One for the tests that only ask."""
    process = GatewayProcess(tmp_path_factory.mktemp("gateway") / "state")
    process.start()
    yield process
    process.kill()


def document(*statements: tuple[str, str]) -> str:
    allowed = [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": allowed})


def trust(service: str) -> str:
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": f"{service}.amazonaws.com"},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(gateway: GatewayProcess, name: str, service: str, *allowed: tuple[str, str]) -> str:
    iam = gateway.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))["Role"]["Arn"]
    if allowed:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(*allowed))
    return str(arn)


def create_function(gateway: GatewayProcess, name: str, role_arn: str, code: str = FUNCTION) -> str:
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("app.py", code)
    functions = gateway.client("lambda")
    created = functions.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=role_arn,
        Handler="app.handler",
        Code={"ZipFile": bundle.getvalue()},
        Timeout=60,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    return str(created["FunctionArn"])


def invoke(gateway: GatewayProcess, name: str) -> dict[str, Any]:
    answer = gateway.client("lambda").invoke(FunctionName=name)
    result: dict[str, Any] = json.load(answer["Payload"])
    assert "FunctionError" not in answer, result
    return result


def code_of(call: Callable[..., Any], **arguments: Any) -> str:
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "allowed"


def job(name: str, role_arn: str) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "RoleArn": role_arn,
        "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": "x"},
        "OutputDataConfig": {"S3OutputPath": "s3://lake/"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def create_data(gateway: GatewayProcess) -> None:
    s3, dynamodb = gateway.client("s3"), gateway.client("dynamodb")
    s3.create_bucket(Bucket="lake")
    s3.put_object(Bucket="lake", Key="photo", Body=b"meow")
    dynamodb.create_table(
        TableName="predictions",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName="predictions", Item={"id": {"S": "1"}, "raw": {"B": b"\x00\xff"}})


def test_a_client_that_keeps_its_connection_does_not_hold_up_the_end(
    gateway: GatewayProcess,
) -> None:
    gateway.start()
    client = gateway.client("s3")
    client.list_buckets()

    code = gateway.stop()

    assert code == 0
    client.close()


def test_a_function_runs_with_its_own_role_and_sees_nothing_of_ours(
    running: GatewayProcess,
) -> None:
    create_data(running)
    reader = role(running, "reader", "lambda", ("s3:GetObject", "arn:aws:s3:::lake/*"))
    create_function(running, "function", reader)

    seen = invoke(running, "function")

    assert seen["found"] == []
    assert (seen["read"], seen["write"]) == ("allowed", "AccessDenied")
    assert seen["scan"] == "AccessDeniedException"
    environment = seen["environment"]
    secret = json.loads((running.state / "credentials.json").read_text())["secret_access_key"]
    assert secret not in environment.values()
    assert not {"PYTHONPATH", "LOCAL_STATE_DIR", "VIRTUAL_ENV"} & environment.keys()
    assert environment["TMPDIR"].startswith(str(running.state))
    # What its role let through is told; what was refused is not.
    used_rights = used(running.get("/_local/rights")[1]["used"])
    may = set(granted(running.client("iam"), "reader"))
    assert may & used_rights == {Grant("reader", "s3:GetObject", "arn:aws:s3:::lake/*")}
    assert {grant for grant in used_rights if grant.role == "reader"} == may


@pytest.mark.parametrize(
    "keys",
    [
        {"aws_secret_access_key": "wrong"},
        {"aws_access_key_id": "test", "aws_secret_access_key": "test"},
        {"aws_access_key_id": "000000000000", "aws_secret_access_key": "test"},
    ],
)
def test_nobody_is_root_without_the_secret(running: GatewayProcess, keys: dict[str, str]) -> None:
    buckets = code_of(running.client("s3", **keys).list_buckets)
    tables = code_of(running.client("dynamodb", **keys).list_tables)
    jobs = code_of(running.client("sagemaker", **keys).list_training_jobs)

    assert (buckets, tables, jobs) == (
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "InvalidSignatureException",
    )


def test_sagemaker_is_checked_by_iam_like_any_service(running: GatewayProcess) -> None:
    iam = running.client("iam")
    job_role = role(running, "job", "sagemaker")
    iam.create_user(UserName="someone")
    made = iam.create_access_key(UserName="someone")["AccessKey"]
    keys = {
        "aws_access_key_id": made["AccessKeyId"],
        "aws_secret_access_key": made["SecretAccessKey"],
    }
    someone = running.client("sagemaker", **keys)

    def allow(*statements: tuple[str, str]) -> None:
        iam.put_user_policy(
            UserName="someone", PolicyName="p", PolicyDocument=document(*statements)
        )

    create = ("sagemaker:CreateTrainingJob", "arn:aws:sagemaker:*:*:training-job/mine-*")
    attempts = [code_of(someone.create_training_job, **job("mine-1", job_role))]
    allow(create)
    attempts.append(code_of(someone.create_training_job, **job("mine-1", job_role)))
    allow(create, ("iam:PassRole", job_role))
    attempts.append(code_of(someone.create_training_job, **job("mine-1", job_role)))
    attempts.append(code_of(someone.create_training_job, **job("other", job_role)))

    tagged = {**job("mine-2", job_role), "Tags": [{"Key": "team", "Value": "cats"}]}
    attempts.append(code_of(someone.create_training_job, **tagged))
    allow(create, ("iam:PassRole", job_role), ("sagemaker:AddTags", create[1]))
    attempts.append(code_of(someone.create_training_job, **tagged))

    denied = "AccessDeniedException"
    assert attempts == [denied, denied, "allowed", denied, denied, "allowed"]
    anonymous = running.client("sagemaker", config={"signature_version": UNSIGNED})
    assert code_of(anonymous.list_training_jobs) == "MissingAuthenticationTokenException"


def test_a_job_cannot_take_a_role_that_does_not_trust_sagemaker(running: GatewayProcess) -> None:
    functions_role = role(running, "for-functions", "lambda")

    refused = code_of(
        running.client("sagemaker").create_training_job, **job("untrusted", functions_role)
    )

    assert refused == "ValidationException"


def failed_execution(gateway: GatewayProcess, name: str, task: dict[str, Any]) -> dict[str, Any]:
    """What becomes of a state machine whose only task fails."""
    states = gateway.client("stepfunctions")
    machine = states.create_state_machine(
        name=name,
        roleArn=role(gateway, f"{name}-states", "states"),
        definition=json.dumps(
            {"StartAt": "Only", "States": {"Only": {"Type": "Task", "End": True, **task}}}
        ),
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]

    deadline = time.monotonic() + 30
    ended: dict[str, Any] = states.describe_execution(executionArn=execution)
    while ended["status"] == "RUNNING" and time.monotonic() < deadline:
        ended = states.describe_execution(executionArn=execution)
    assert ended["status"] == "FAILED"
    return ended


def test_a_failed_training_task_names_its_error_in_the_state_machine(
    running: GatewayProcess,
) -> None:
    ended = failed_execution(
        running,
        "train",
        {
            "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
            "Parameters": {"TrainingJobName": "incomplete"},
        },
    )

    assert ended["error"] == "SageMaker.AmazonSageMakerException"


def test_a_failed_function_names_its_exception_in_the_state_machine(
    running: GatewayProcess,
) -> None:
    code = """
class EmptyLakeError(Exception):
    pass

def handler(event, context):
    raise EmptyLakeError("no photos:\\nnone at all")
"""
    function = create_function(running, "failing", role(running, "failing", "lambda"), code)

    ended = failed_execution(
        running,
        "snapshot",
        {
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": function},
        },
    )

    assert ended["error"] == "EmptyLakeError"
    assert "no photos" in json.loads(ended["cause"])["errorMessage"]


def test_what_is_counted_once_more_by_a_dimension_is_not_counted_twice(
    running: GatewayProcess,
) -> None:
    cloudwatch, now = running.client("cloudwatch"), datetime.now(UTC)
    by_version = [{"Name": "ModelVersion", "Value": "1"}]
    value = {"MetricName": "Predictions", "Timestamp": now - timedelta(minutes=1), "Value": 1.0}
    cloudwatch.put_metric_data(
        Namespace="Test", MetricData=[value, {**value, "Dimensions": by_version}]
    )

    def counted(dimensions: list[dict[str, str]]) -> tuple[float, float]:
        metric = {"Namespace": "Test", "MetricName": "Predictions", "Dimensions": dimensions}
        asked = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(hours=1)}
        told = cloudwatch.get_metric_data(
            MetricDataQueries=[
                {"Id": "a", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Sum"}}
            ],
            **asked,
        )["MetricDataResults"][0]["Values"]
        older = cloudwatch.get_metric_statistics(**metric, **asked, Period=3600, Statistics=["Sum"])
        return sum(told), sum(point["Sum"] for point in older["Datapoints"])

    assert counted([]) == counted(by_version) == (1.0, 1.0)


def test_a_killed_gateway_comes_back_with_its_last_checkpoint(gateway: GatewayProcess) -> None:
    first = gateway.start()
    create_data(gateway)
    create_function(gateway, "function", role(gateway, "reader", "lambda", ("s3:*", "*")))
    key = gateway.client("apigateway").create_api_key(name="k", enabled=True)["id"]
    metrics = gateway.client("cloudwatch")
    metrics.put_metric_alarm(
        AlarmName="alarm",
        Namespace="App",
        MetricName="Hits",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    metrics.put_metric_data(Namespace="App", MetricData=[{"MetricName": "Hits", "Value": 3}])
    logs = gateway.client("logs")
    logs.create_log_group(logGroupName="/kept")
    assert gateway.get("/_local/checkpoint", "POST")[0] == 200
    gateway.client("s3").create_bucket(Bucket="too-late")
    gateway.client("s3").put_object(Bucket="too-late", Key="k", Body=b"")

    gateway.kill()
    again = gateway.start()

    assert (again["restored"], again["reset"]) == (True, False)
    assert again["state_id"] == first["state_id"]
    s3 = gateway.client("s3")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["lake"]
    assert s3.get_object(Bucket="lake", Key="photo")["Body"].read() == b"meow"
    item = gateway.client("dynamodb").get_item(TableName="predictions", Key={"id": {"S": "1"}})
    assert item["Item"]["raw"]["B"] == b"\x00\xff"
    assert invoke(gateway, "function")["write"] == "allowed"
    assert [k["id"] for k in gateway.client("apigateway").get_api_keys()["items"]] == [key]
    metrics = gateway.client("cloudwatch")
    assert metrics.describe_alarms()["MetricAlarms"][0]["StateValue"] == "ALARM"
    assert metrics.list_metrics(Namespace="App")["Metrics"][0]["MetricName"] == "Hits"
    groups = gateway.client("logs").describe_log_groups()["logGroups"]
    assert "/kept" in {group["logGroupName"] for group in groups}


def test_a_stopped_gateway_saves_everything_by_itself(gateway: GatewayProcess) -> None:
    gateway.start()
    create_data(gateway)

    assert gateway.stop() == 0
    assert gateway.start()["restored"]

    assert gateway.client("dynamodb").scan(TableName="predictions")["Count"] == 1


def test_objects_that_no_checkpoint_knows_are_reset_as_a_whole(gateway: GatewayProcess) -> None:
    first = gateway.start()
    gateway.client("s3").create_bucket(Bucket="lake")
    gateway.client("s3").put_object(Bucket="lake", Key="photo", Body=b"meow")
    jobs = gateway.client("sagemaker")
    jobs.create_training_job(**job("old", role(gateway, "job", "sagemaker")))
    gateway.kill()
    for checkpoint in (gateway.state / "cloud" / "checkpoints").glob("[0-9]*/checkpoint.json"):
        checkpoint.unlink()

    again = gateway.start()

    assert (again["restored"], again["reset"]) == (False, True)
    assert again["state_id"] != first["state_id"]
    assert gateway.client("s3").list_buckets()["Buckets"] == []
    assert gateway.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


def test_a_taken_port_or_folder_is_one_clear_sentence(
    running: GatewayProcess, gateway: GatewayProcess
) -> None:
    gateway.port = running.port
    assert gateway.spawn().wait(timeout=30) == 1
    said = (gateway.state / "gateway.log").read_text()
    assert said.startswith(f"Port {running.port} on 127.0.0.1 cannot be used")
    assert said.count("\n") == 1

    twin = GatewayProcess(running.state)
    before = (running.state / "gateway.log").read_text()
    assert twin.spawn().wait(timeout=30) == 1
    said = (running.state / "gateway.log").read_text().removeprefix(before)
    assert said.startswith("Another local cloud is running")
    assert said.count("\n") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_nothing_listens_but_the_gateways_port_on_loopback(running: GatewayProcess) -> None:
    # A stack has the emulator import all of its services.
    stacks = running.client("cloudformation")
    topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    stacks.create_stack(StackName="all-services", TemplateBody=json.dumps(topic))
    stacks.get_waiter("stack_create_complete").wait(
        StackName="all-services", WaiterConfig={"Delay": 1}
    )
    assert running.process is not None
    folder = Path(f"/proc/{running.process.pid}")

    ours = {str(descriptor.readlink()) for descriptor in (folder / "fd").iterdir()}
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in (folder / "net" / table).read_text().splitlines()[1:]
    ]
    # Columns of proc(5): the local address in hexadecimal, the state (0A: listening), the inode.
    listening = {row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in ours}

    assert listening == {f"0100007F:{running.port:04X}"}
