"""cdk-nag's findings that stay, each with its reason: the one list of them.

Rules: AwsSolutions. A test runs them and fails for a finding that is not here, and for an entry
here that nothing is found for any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from aws_cdk import Acknowledgment, CfnElement, Stack, Validations
from constructs import IConstruct

from infra_cdk.constructs import data_lake
from infra_cdk.constructs.data_lake import DataLake
from infra_cdk.settings import REPORT, TRAINING, Settings

_BELOW_A_PREFIX: Final = (
    data_lake.PHOTOS,
    data_lake.INDEX,
    data_lake.LABELS,
    data_lake.HELD,
    data_lake.TRAINING,
    data_lake.EVALUATIONS,
    data_lake.DATASETS,
    data_lake.FEATURES,
    data_lake.MODELS,
    data_lake.MODEL_SPECS,
    data_lake.COMPARISONS,
    data_lake.DRIFT_REPORTS,
    data_lake.DRIFT_WINDOWS,
    data_lake.REFERENCES,
    data_lake.RUN_ARTIFACTS,
    data_lake.UPLOADS,
    data_lake.TOMBSTONES,
    data_lake.BATCHES,
    data_lake.BATCH_PROGRESS,
    data_lake.BATCH_PLANS,
    data_lake.BATCH_RUNS,
    data_lake.BATCH_ROWS,
    data_lake.BATCH_FAILURES,
    data_lake.BATCH_RESULTS,
    data_lake.BATCH_SUMMARIES,
    data_lake.BATCH_INPUT,
)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Findings that stay for one reason.

    `findings`: as cdk-nag writes them, without the name of the rules. `at`: the constructs below
    the stack that they are found in; the stack itself, if empty.
    """

    reason: str
    findings: tuple[str, ...]
    at: tuple[str, ...] = ("",)

    @property
    def ids(self) -> tuple[str, ...]:
        """The findings with the name of the rules."""
        return tuple(f"AwsSolutions-{finding}" for finding in self.findings)


def acknowledged(stack: Stack, lake: DataLake, settings: Settings) -> Sequence[Acknowledged]:
    """The list, for one deployment."""
    bucket = stack.get_logical_id(cast(CfnElement, lake.bucket.node.default_child))
    name = stack.stack_name
    entries = [
        Acknowledged(
            "Callers are programs, not people: each presents an API key, which is throttled and "
            "can be taken back. The documentation alone is open, at a rate of its own.",
            ("APIG4",),
            at=("Serving/HttpApi",),
        ),
        Acknowledged(
            "There is no directory of users whom Cognito could know; see APIG4.",
            ("COG4",),
            at=("Serving/HttpApi",),
        ),
        Acknowledged(
            "It is a dead-letter queue itself, of EventBridge's; the rule does not see whose.",
            ("SQS3",),
            at=("ScheduleDeadLetters",),
        ),
        Acknowledged(
            "Actions for which AWS knows no resource: traces, the delivery of a state machine's "
            "log, the login to a registry, metrics (whose namespace a condition names).",
            (_on("*"),),
        ),
        Acknowledged(
            "Objects are named by their content, version or execution; a role may touch those "
            "below the prefixes that are its business, and no others.",
            tuple(_on(f"<{bucket}.Arn>/{pattern}") for pattern in _BELOW_A_PREFIX),
        ),
        Acknowledged(
            "Executions, jobs and their log streams get their names when they start; the workflow "
            "or the kind of job is in the pattern.",
            (
                _on(_arn("states", f"execution:{name}-train:*")),
                _on(_arn("states", f"execution:{name}-deploy:*")),
                _on(_arn("states", f"execution:{name}-batch:*")),
                _on(_arn("sagemaker", f"training-job/{TRAINING.job_names}")),
                _on(_arn("sagemaker", f"processing-job/{REPORT.job_names}")),
                _on(_arn("logs", "log-group:/aws/sagemaker/TrainingJobs:*")),
                _on(_arn("logs", "log-group:/aws/sagemaker/ProcessingJobs:*")),
            ),
        ),
        Acknowledged(
            "A build leaves no artifacts that a key could encrypt: its image goes to ECR, which "
            "encrypts it.",
            ("CB4",),
            at=("Training/Job/Image", "Monitoring/Report/Image"),
        ),
        Acknowledged(
            "One role writes the logs of every API of the account and region, whoever made it; AWS "
            "has one setting for all.",
            (_on(_arn("logs", "log-group:*")),),
            at=("Serving/HttpApi/LoggingPolicy",),
        ),
    ]
    if not settings.security.waf:
        entries.append(
            Acknowledged(
                "A firewall costs money each month, used or not: -c waf=true puts it there.",
                ("APIG3",),
                at=("Serving/HttpApi",),
            )
        )
    return entries


def acknowledge(stack: Stack, entries: Sequence[Acknowledged]) -> None:
    """Write the entries into the stack, where cdk-nag looks for them."""
    for entry in entries:
        rules = [Acknowledgment(id=finding, reason=entry.reason) for finding in entry.ids]
        for construct in filter(None, (_construct(stack, path) for path in entry.at)):
            Validations.of(construct).acknowledge(*rules)


def _construct(stack: Stack, path: str) -> IConstruct | None:
    """The construct at a path; None if this deployment has none, as of an image from elsewhere."""
    found: IConstruct | None = stack
    for name in filter(None, path.split("/")):
        found = found.node.try_find_child(name) if found else None
    return found


def _on(resource: str) -> str:
    return f"IAM5[Resource::{resource}]"


def _arn(service: str, resource: str) -> str:
    return f"arn:<AWS::Partition>:{service}:<AWS::Region>:<AWS::AccountId>:{resource}"
