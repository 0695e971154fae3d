"""What somebody might try in the account: one call each, and none of them does anything.

Who may do a deed fails at what comes after IAM: a key that is not there, a condition that does not
hold, a name that is taken. Who may not is refused, and told the action.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from areyouacat import batches, lake, metrics, predictions
from areyouacat.model_spec import MODEL_FILE, REFERENCE_FILE, SPEC_FILE
from areyouacat.settings import BACKBONE

NOBODY: Final = "0" * 64
KEYS: Final = {
    "pointer": lake.SERVING_POINTER_KEY,
    "photos": lake.photo_key(NOBODY),
    "index": f"{lake.INDEX_PREFIX}{NOBODY}",
    "labels": f"{lake.LABELS_PREFIX}{NOBODY}",
    "held labels": f"{lake.HELD_PREFIX}{NOBODY}",
    "rejected labels": lake.rejected_key(NOBODY),
    "uploads": f"{lake.UPLOADS_PREFIX}{NOBODY}",
    "tombstones": lake.tombstone_key(NOBODY),
    "datasets": f"{lake.dataset_prefix(NOBODY)}manifest.jsonl",
    "features": f"{lake.features_prefix(BACKBONE.hash)}{NOBODY}",
    "training": f"{lake.TRAINING_PREFIX}{NOBODY}/output/model.tar.gz",
    "evaluations": f"{lake.evaluation_prefix(NOBODY)}{lake.EVALUATION_JSON}",
    "models": f"{lake.model_prefix('0')}{MODEL_FILE}",
    "model specs": f"{lake.model_prefix('0')}{SPEC_FILE}",
    "references": f"{lake.model_prefix('0')}{REFERENCE_FILE}",
    "comparisons": f"{lake.comparison_prefix(NOBODY)}{lake.COMPARISON_JSON}",
    "windows": f"{lake.DRIFT_REPORTS_PREFIX}0/{lake.DRIFT_WINDOW_CSV}",
    "reports": f"{lake.DRIFT_REPORTS_PREFIX}0/{lake.DRIFT_REPORT_HTML}",
    "mlflow": f"mlflow/{NOBODY}",
    "batches": batches.batch_key(NOBODY),
    "batch progress": batches.progress_key(NOBODY),
    "batch plans": batches.chunk_key(NOBODY, NOBODY),
    "batch runs": batches.run_key(NOBODY, NOBODY),
    "batch rows": batches.rows_key(NOBODY, NOBODY),
    "batch failures": batches.failures_key(NOBODY, NOBODY),
    "batch results": f"{batches.results_prefix(NOBODY)}/{NOBODY}",
    "batch summaries": batches.summary_key(NOBODY),
    "batch input": f"{batches.BATCH_INPUT_PREFIX}{NOBODY}",
}
"""A key in each part of the lake. None of them is there, but the pointer may be."""

LISTED: Final = ("photos", "datasets", "features", "training", "references", "windows")
WRITTEN_IN_PARTS: Final = (
    "datasets",
    "labels",
    "features",
    "training",
    "reports",
    "photos",
    "models",
    "batch results",
)


@dataclass(frozen=True)
class Deed:
    """One call. `ends`: the error codes of one that was let through; "" where it succeeds."""

    action: str
    call: Callable[..., object]
    arguments: Mapping[str, Any]
    ends: Sequence[str]

    def outcome(self) -> str:
        """`refused` if IAM refused this very action, `allowed`, or what came instead."""
        try:
            self.call(**self.arguments)
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            if f"not authorized to perform: {self.action} " in message:
                return "refused"
            return "allowed" if code in self.ends else f"{code}: {message}"
        return "allowed" if "" in self.ends else "done"


@dataclass(frozen=True)
class Places:
    """What the stack has, by names of our own. `executions`: one of each workflow, which ended."""

    stack: str
    bucket: str
    other_bucket: str
    tables: Mapping[str, str]
    topics: Mapping[str, str]
    queues: Mapping[str, str]
    functions: Sequence[str]
    executions: Mapping[str, str]
    role_arn: str
    key_id: str

    def machine(self, name: str) -> str:
        """The ARN of a workflow."""
        return self.executions[name].rpartition(":")[0].replace(":execution:", ":stateMachine:")


Clients = Callable[[str], Any]
"""A boto3 client by the name of its service."""

_Row = tuple[str, str, Callable[..., object], Mapping[str, Any], Sequence[str]]
_Ends = tuple[str, ...]
_Given = dict[str, Any]
_ABSENT: Final = ("NoSuchKey", "NoSuchVersion")
_FORBIDDEN: Final[_Ends] = ()
"""Of a deed that nobody may do: there is no way for it to be let through."""


def all_deeds(client: Clients, at: Places) -> dict[str, Deed]:
    """Every deed, by its name."""
    parts = (_objects, _bucket, _items, _workflows, _functions, _messages, _jobs, _logs, _account)
    return {
        name: Deed(action, call, arguments, ends)
        for part in parts
        for name, action, call, arguments, ends in part(client, at)
    }


def _objects(client: Clients, at: Places) -> Iterator[_Row]:
    s3 = client("s3")
    never = {"Body": b"", "IfMatch": '"nobody has it"'}
    failed = ("PreconditionFailed", *_ABSENT)
    for part, key in KEYS.items():
        it = {"Bucket": at.bucket, "Key": key}
        yield f"read {part}", "s3:GetObject", s3.get_object, it, ("", *_ABSENT)
        yield f"write {part}", "s3:PutObject", s3.put_object, it | never, failed
    version = {"VersionId": NOBODY}
    no_tags: _Given = {"Tagging": {"TagSet": []}}
    end: _Ends = ("", *_ABSENT)
    for part in ("photos", "uploads", "models"):
        it = {"Bucket": at.bucket, "Key": KEYS[part]}
        yield f"read tags of {part}", "s3:GetObjectTagging", s3.get_object_tagging, it, end
        yield f"tag {part}", "s3:PutObjectTagging", s3.put_object_tagging, it | no_tags, end
        yield f"delete {part}", "s3:DeleteObject", s3.delete_object, it, _FORBIDDEN
        yield f"erase {part}", "s3:DeleteObjectVersion", s3.delete_object, it | version, end
    for part in WRITTEN_IN_PARTS:
        it = {"Bucket": at.bucket, "Key": KEYS[part], "UploadId": NOBODY}
        end = ("", "NoSuchUpload")
        yield f"abort {part}", "s3:AbortMultipartUpload", s3.abort_multipart_upload, it, end


def _bucket(client: Clients, at: Places) -> Iterator[_Row]:
    s3 = client("s3")
    lake_itself: _Given = {"Bucket": at.bucket}
    yield "list the lake", "s3:ListBucket", s3.list_objects_v2, lake_itself | {"MaxKeys": 1}, ("",)
    for part in LISTED:
        below = lake_itself | {"Prefix": KEYS[part]}
        yield f"list {part}", "s3:ListBucket", s3.list_objects_v2, below, ("",)
    versions: dict[str, _Given] = {
        "list versions": lake_itself | {"MaxKeys": 1},
        "list versions of photos": lake_itself | {"Prefix": KEYS["photos"]},
    }
    for name, below in versions.items():
        yield name, "s3:ListBucketVersions", s3.list_object_versions, below, ("",)
    policy = lake_itself | {"Policy": "{}"}
    yield "open the lake", "s3:PutBucketPolicy", s3.put_bucket_policy, policy, _FORBIDDEN
    rules: _Given = lake_itself | {"VersioningConfiguration": {}}
    stop = s3.put_bucket_versioning
    yield "stop keeping versions", "s3:PutBucketVersioning", stop, rules, _FORBIDDEN
    other = {"Bucket": at.other_bucket, "Key": NOBODY}
    yield "read another bucket", "s3:GetObject", s3.get_object, other, _FORBIDDEN
    never = other | {"IfMatch": '"nobody has it"'}
    yield "write another bucket", "s3:PutObject", s3.put_object, never, _FORBIDDEN
    yield "list all buckets", "s3:ListAllMyBuckets", s3.list_buckets, {}, _FORBIDDEN


def _items(client: Clients, at: Places) -> Iterator[_Row]:
    dynamodb = client("dynamodb")
    unheld = ("ConditionalCheckFailedException",)
    nobody = {"ExpressionAttributeValues": {":nobody": {"S": NOBODY}}}
    for table, key in {
        "predictions": predictions.PARTITION_KEY,
        "control": predictions.CONTROL_PARTITION_KEY,
    }.items():
        it = {"TableName": at.tables[table]}
        item = {key: {"S": NOBODY}}
        there = it | {"Key": item}
        never = {"ConditionExpression": f"attribute_exists({key})"}
        asked = it | nobody | {"KeyConditionExpression": f"{key} = :nobody"}
        put = it | {"Item": item} | never
        yield f"get {table}", "dynamodb:GetItem", dynamodb.get_item, there, ("",)
        yield f"put {table}", "dynamodb:PutItem", dynamodb.put_item, put, unheld
        yield f"update {table}", "dynamodb:UpdateItem", dynamodb.update_item, there | never, unheld
        yield f"delete {table}", "dynamodb:DeleteItem", dynamodb.delete_item, there | never, unheld
        yield f"scan {table}", "dynamodb:Scan", dynamodb.scan, it, _FORBIDDEN
        yield f"query {table}", "dynamodb:Query", dynamodb.query, asked, _FORBIDDEN
        yield f"drop {table}", "dynamodb:DeleteTable", dynamodb.delete_table, it, _FORBIDDEN
    for index, bucket in {
        predictions.PREDICTED_INDEX: predictions.PREDICTED_BUCKET,
        predictions.FEEDBACK_INDEX: predictions.FEEDBACK_BUCKET,
    }.items():
        asked = {
            "TableName": at.tables["predictions"],
            "IndexName": index,
            "KeyConditionExpression": f"{bucket} = :nobody",
            **nobody,
        }
        yield f"query {index}", "dynamodb:Query", dynamodb.query, asked, ("",)


def _workflows(client: Clients, at: Places) -> Iterator[_Row]:
    steps, events = client("stepfunctions"), client("events")
    for name, execution in at.executions.items():
        machine = at.machine(name)
        # The emulator takes any input, so what cannot start is what has been already.
        again = {"stateMachineArn": machine, "name": execution.rpartition(":")[2]}
        taken = ("ExecutionAlreadyExists",)
        it = {"executionArn": f"{execution.rpartition(':')[0]}:{NOBODY}"}
        end: _Ends = ("ExecutionDoesNotExist",)
        yield f"start {name}", "states:StartExecution", steps.start_execution, again, taken
        yield f"describe {name}", "states:DescribeExecution", steps.describe_execution, it, end
        yield f"stop {name}", "states:StopExecution", steps.stop_execution, it, end
        change = {"stateMachineArn": machine, "definition": "{}"}
        update = steps.update_state_machine
        yield f"change {name}", "states:UpdateStateMachine", update, change, _FORBIDDEN
    rule = {"Name": NOBODY}
    yield "stop a schedule", "events:DisableRule", events.disable_rule, rule, _FORBIDDEN


def _functions(client: Clients, at: Places) -> Iterator[_Row]:
    functions = client("lambda")
    for name in at.functions:
        dry = {"FunctionName": f"{at.stack}-{name}", "InvocationType": "DryRun"}
        yield f"invoke {name}", "lambda:InvokeFunction", functions.invoke, dry, ("",)
    predict = {"FunctionName": f"{at.stack}-predict"}
    code = predict | {"ZipFile": b"", "DryRun": True}
    update = functions.update_function_code
    yield "change code", "lambda:UpdateFunctionCode", update, code, _FORBIDDEN
    configure = functions.update_function_configuration
    yield "change settings", "lambda:UpdateFunctionConfiguration", configure, predict, _FORBIDDEN


def _messages(client: Clients, at: Places) -> Iterator[_Row]:
    sns, sqs = client("sns"), client("sqs")
    for name, topic in at.topics.items():
        too_long = {"TopicArn": topic, "Message": "-" * (256 * 1024 + 1)}
        yield f"publish to {name}", "sns:Publish", sns.publish, too_long, ("InvalidParameter",)
    for name, queue in at.queues.items():
        it = {"QueueUrl": queue}
        end = ("MissingParameter",)
        yield f"send to {name}", "sqs:SendMessage", sqs.send_message, it | {"MessageBody": ""}, end
        receive = sqs.receive_message
        yield f"receive from {name}", "sqs:ReceiveMessage", receive, it, _FORBIDDEN


def _jobs(client: Clients, at: Places) -> Iterator[_Row]:
    jobs = client("sagemaker")
    absent = ("ValidationException", "ResourceNotFound")
    # One that may create a job may not hand over any role with it.
    created = ("AccessDeniedException", "ValidationException")
    role = {"RoleArn": f"{at.role_arn}-of-nobody"}
    training = role | {"OutputDataConfig": {"S3OutputPath": "s3://nowhere"}}
    cluster = {"InstanceCount": 1, "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 1}
    processing = role | {
        "AppSpecification": {"ImageUri": "none"},
        "ProcessingResources": {"ClusterConfig": cluster},
    }
    for name, kind, more, create, describe, stop in (
        ("areyouacat-0", "Training", training, jobs.create_training_job,
         jobs.describe_training_job, jobs.stop_training_job),
        ("areyouacat-drift-0", "Processing", processing, jobs.create_processing_job,
         jobs.describe_processing_job, jobs.stop_processing_job),
    ):  # fmt: skip
        for whose, called in {"a": name, "another's": "nobody"}.items():
            it = {f"{kind}JobName": called}
            what = f"{whose} {kind.lower()} job"
            yield f"create {what}", f"sagemaker:Create{kind}Job", create, it | more, created
            yield f"describe {what}", f"sagemaker:Describe{kind}Job", describe, it, absent
            yield f"stop {what}", f"sagemaker:Stop{kind}Job", stop, it, absent


def _logs(client: Clients, at: Places) -> Iterator[_Row]:
    watch, logs = client("cloudwatch"), client("logs")
    data = {"Namespace": metrics.NAMESPACE, "MetricData": []}
    yield "publish metrics", "cloudwatch:PutMetricData", watch.put_metric_data, data, ("",)
    asked = {
        "Namespace": metrics.NAMESPACE,
        "MetricName": NOBODY,
        "StartTime": 0,
        "EndTime": 60,
        "Period": 60,
        "Statistics": ["Sum"],
    }
    read = watch.get_metric_statistics
    yield "read metrics", "cloudwatch:GetMetricStatistics", read, asked, ("",)
    alarm = {"AlarmNames": [NOBODY]}
    yield "silence an alarm", "cloudwatch:DeleteAlarms", watch.delete_alarms, alarm, _FORBIDDEN
    line = {"logStreamName": NOBODY, "logEvents": [{"timestamp": 0, "message": "nobody"}]}
    for name, group in {
        "training log": "/aws/sagemaker/TrainingJobs",
        "processing log": "/aws/sagemaker/ProcessingJobs",
        "another's log": f"/{NOBODY}",
    }.items():
        it = line | {"logGroupName": group}
        end = ("ResourceNotFoundException",)
        yield f"write {name}", "logs:PutLogEvents", logs.put_log_events, it, end
    it = {"logGroupName": f"/{NOBODY}"}
    yield "delete a log", "logs:DeleteLogGroup", logs.delete_log_group, it, _FORBIDDEN


def _account(client: Clients, at: Places) -> Iterator[_Row]:
    iam, sts = client("iam"), client("sts")
    role = {"RoleName": at.role_arn.rpartition("/")[2]}
    made = {"RoleName": "nobody", "AssumeRolePolicyDocument": "{}"}
    given = role | {"PolicyName": "all", "PolicyDocument": "{}"}
    person = {"UserName": "nobody"}
    taken = {"RoleArn": at.role_arn, "RoleSessionName": "nobody"}
    yield "make a role", "iam:CreateRole", iam.create_role, made, _FORBIDDEN
    yield "give rights", "iam:PutRolePolicy", iam.put_role_policy, given, _FORBIDDEN
    yield "make a person's key", "iam:CreateAccessKey", iam.create_access_key, person, _FORBIDDEN
    yield "take another role", "sts:AssumeRole", sts.assume_role, taken, _FORBIDDEN
    key = {"apiKey": at.key_id, "includeValue": True}
    get_key = client("apigateway").get_api_key
    yield "read the API's key", "apigateway:GET", get_key, key, _FORBIDDEN
    stack = {"StackName": f"{at.stack}-of-nobody"}
    delete_stack = client("cloudformation").delete_stack
    yield "delete a stack", "cloudformation:DeleteStack", delete_stack, stack, _FORBIDDEN
