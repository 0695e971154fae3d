"""Who holds the key to what is stored, and who may use it, with a key of one's own and without."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infrastructure.conftest import Synthesised
from tests.infrastructure.template_reading import (
    Template,
    as_list,
    identity_statements,
    lake,
    only,
    resources,
)

SERVICES = ("dynamodb", "s3", "sns", "sqs")
NEEDS_THE_KEY = {
    # What a role may do with an encrypted thing, and what it must be able to do with the key then.
    "s3:GetObject": ("s3", "kms:Decrypt"),
    "s3:PutObject": ("s3", "kms:GenerateDataKey"),
    "s3:AbortMultipartUpload": ("s3", "kms:Decrypt"),  # parts are decrypted to be put together
    "dynamodb:GetItem": ("dynamodb", "kms:Decrypt"),
    "dynamodb:PutItem": ("dynamodb", "kms:Decrypt"),
    "dynamodb:UpdateItem": ("dynamodb", "kms:Decrypt"),
    "dynamodb:DeleteItem": ("dynamodb", "kms:Decrypt"),
    "dynamodb:Query": ("dynamodb", "kms:Decrypt"),
    "sns:Publish": ("sns", "kms:GenerateDataKey"),
    "sqs:SendMessage": ("sqs", "kms:GenerateDataKey"),
}


@pytest.fixture(scope="module")
def keyed(switched_on: Synthesised) -> Template:
    return switched_on.template


def the_key(template: Template) -> dict[str, Any]:
    (name,) = resources(template, "KMS::Key")
    return {"Fn::GetAtt": [name, "Arn"]}


def key_rights(template: Template) -> Iterator[tuple[str, str, str]]:
    """Role, service and action of every right to use the key."""
    for role, statement in identity_statements(template):
        for action in as_list(statement["Action"]):
            if action.startswith("kms:"):
                assert statement["Resource"] == the_key(template)
                via = statement["Condition"]["StringEquals"]["kms:ViaService"]
                service, *where = via["Fn::Join"][1]
                assert where == [{"Ref": "AWS::Region"}, ".", {"Ref": "AWS::URLSuffix"}]
                yield role, service.removesuffix("."), action


def test_without_a_key_of_ones_own_aws_holds_it(template: Template) -> None:
    queues, topics, tables, groups = (
        resources(template, kind).values()
        for kind in ("SQS::Queue", "SNS::Topic", "DynamoDB::Table", "Logs::LogGroup")
    )

    (rule,) = lake(template)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert all(queue["SqsManagedSseEnabled"] for queue in queues)
    assert not [t for t in (*topics, *groups) if {"KmsMasterKeyId", "KmsKeyId"} & set(t)]
    assert not [table for table in tables if "SSESpecification" in table]
    assert "kms:" not in json.dumps(template["Resources"])


def test_one_key_which_rotates_and_outlives_the_stack_encrypts_everything(
    keyed: Template,
) -> None:
    (key,) = (r for r in keyed["Resources"].values() if r["Type"] == "AWS::KMS::Key")
    arn = the_key(keyed)

    assert key["Properties"]["EnableKeyRotation"] is True
    assert key["DeletionPolicy"] == "Retain"
    (rule,) = lake(keyed)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": arn,
    }
    for kind, names in {
        "DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
        "SNS::Topic": ("KmsMasterKeyId",),
        "SQS::Queue": ("KmsMasterKeyId",),
        "Logs::LogGroup": ("KmsKeyId",),
    }.items():
        found = resources(keyed, kind).values()
        assert found
        for properties in found:
            value: Any = properties
            for name in names:
                value = value[name]
            assert value == arn, kind


def test_a_role_may_use_the_key_for_what_it_may_do_and_for_nothing_else(keyed: Template) -> None:
    needed = {
        (role, *NEEDS_THE_KEY[action])
        for role, statement in identity_statements(keyed)
        for action in as_list(statement["Action"])
        # What a build reads lies in the CDK's own bucket.
        if action in NEEDS_THE_KEY and "-assets-" not in json.dumps(statement["Resource"])
    }
    # Senders and publishers read the data key that SQS and SNS use again.
    needed |= {
        (role, service, "kms:Decrypt") for role, service, _ in needed if service in {"sns", "sqs"}
    }

    assert {service for _, service, _ in needed} == set(SERVICES)
    assert set(key_rights(keyed)) == needed


def test_services_may_use_the_key_for_what_is_ours(keyed: Template) -> None:
    account, *services = only(keyed, "KMS::Key")["KeyPolicy"]["Statement"]

    # Roles get the key by their own policies, which the account's statement makes count.
    assert account["Principal"]["AWS"]["Fn::Join"][1][-1] == ":root"
    by_principal = {
        json.dumps(statement["Principal"]["Service"]): statement for statement in services
    }
    assert len(by_principal) == 3

    alarms = by_principal['"cloudwatch.amazonaws.com"']
    assert alarms["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert set(alarms["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey*"}

    # EventBridge's calls carry no source account: a condition would lose its dead letters.
    deliveries = by_principal['["events.amazonaws.com", "sns.amazonaws.com"]']
    assert "Condition" not in deliveries
    assert set(deliveries["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey*"}


def test_the_key_encrypts_logs_of_our_own_groups_alone(keyed: Template) -> None:
    (logs,) = (
        statement
        for statement in only(keyed, "KMS::Key")["KeyPolicy"]["Statement"]
        if "logs." in json.dumps(statement["Principal"])
    )
    patterns = {
        arn["Fn::Join"][1][-1].removeprefix(":log-group:")
        for arn in logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    }

    assert patterns == {
        "/aws/lambda/AreYouACat-*",
        "/aws/vendedlogs/states/AreYouACat-*",
        "/aws/apigateway/AreYouACat",
        "/aws/codebuild/AreYouACat-*",
        "API-Gateway-Execution-Logs_*",
    }
    for group in resources(keyed, "Logs::LogGroup").values():
        name = group["LogGroupName"]
        start = name if isinstance(name, str) else name["Fn::Join"][1][0]
        assert any(start.startswith(pattern.rstrip("*")) for pattern in patterns), name


def test_request_notes_are_encrypted_by_s3s_own_key_since_s3_delivers_to_no_other(
    keyed: Template,
) -> None:
    (notes,) = (
        bucket
        for bucket in resources(keyed, "S3::Bucket").values()
        if "VersioningConfiguration" not in bucket
    )

    (rule,) = notes["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
