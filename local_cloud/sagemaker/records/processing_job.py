"""What clients see of a processing job."""

from typing import Any

from local_cloud.sagemaker.records.jobs import Job

# Members of the request that DescribeProcessingJob gives back as they came.
_DESCRIBED_MEMBERS = (
    "AppSpecification",
    "Environment",
    "ExperimentConfig",
    "NetworkConfig",
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "RoleArn",
    "StoppingCondition",
)


def describe(job: Job) -> dict[str, Any]:
    """The DescribeProcessingJob output; timestamps in epoch seconds."""
    described = {
        "ProcessingJobName": job.key.name,
        "ProcessingJobArn": job.key.arn,
        "ProcessingJobStatus": job.status,
        "ExitMessage": job.exit_message,
        "FailureReason": job.failure_reason,
        "CreationTime": job.creation_time,
        "ProcessingStartTime": job.start_time,
        "ProcessingEndTime": job.end_time,
        "LastModifiedTime": job.last_modified_time,
        **{name: job.request.get(name) for name in _DESCRIBED_MEMBERS},
    }
    return {name: value for name, value in described.items() if value is not None}


def summary(job: Job) -> dict[str, Any]:
    """The entry of ListProcessingJobs."""
    described = {
        "ProcessingJobName": job.key.name,
        "ProcessingJobArn": job.key.arn,
        "CreationTime": job.creation_time,
        "ProcessingEndTime": job.end_time,
        "LastModifiedTime": job.last_modified_time,
        "ProcessingJobStatus": job.status,
        "FailureReason": job.failure_reason,
        "ExitMessage": job.exit_message,
    }
    return {name: value for name, value in described.items() if value is not None}
