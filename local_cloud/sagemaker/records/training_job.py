"""What clients see of a training job."""

from typing import Any

from local_cloud.sagemaker.records.jobs import Job, Transition

# Members of the request that DescribeTrainingJob gives back as they came.
_DESCRIBED_MEMBERS = (
    "AlgorithmSpecification",
    "CheckpointConfig",
    "DebugHookConfig",
    "DebugRuleConfigurations",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "EnableNetworkIsolation",
    "Environment",
    "ExperimentConfig",
    "HyperParameters",
    "InfraCheckConfig",
    "InputDataConfig",
    "OutputDataConfig",
    "ProfilerConfig",
    "RemoteDebugConfig",
    "ResourceConfig",
    "RetryStrategy",
    "RoleArn",
    "TensorBoardOutputConfig",
    "VpcConfig",
)


def describe(job: Job) -> dict[str, Any]:
    """The DescribeTrainingJob output; timestamps in epoch seconds."""
    described = {
        "TrainingJobName": job.key.name,
        "TrainingJobArn": job.key.arn,
        "TrainingJobStatus": job.status,
        "SecondaryStatus": job.secondary_status,
        "ModelArtifacts": {"S3ModelArtifacts": job.model_artifacts or ""},
        "FailureReason": job.failure_reason,
        "CreationTime": job.creation_time,
        "TrainingStartTime": job.start_time,
        "TrainingEndTime": job.end_time,
        "LastModifiedTime": job.last_modified_time,
        "TrainingTimeInSeconds": job.seconds,
        "BillableTimeInSeconds": job.seconds,
        "StoppingCondition": job.request.get("StoppingCondition") or {},
        "SecondaryStatusTransitions": [_described(step) for step in job.transitions],
        "FinalMetricDataList": [
            {"MetricName": metric.name, "Value": metric.value, "Timestamp": metric.at}
            for metric in job.metrics
        ],
        **{name: job.request.get(name) for name in _DESCRIBED_MEMBERS},
    }
    return {name: value for name, value in described.items() if value is not None}


def summary(job: Job) -> dict[str, Any]:
    """The entry of ListTrainingJobs."""
    described = {
        "TrainingJobName": job.key.name,
        "TrainingJobArn": job.key.arn,
        "CreationTime": job.creation_time,
        "TrainingEndTime": job.end_time,
        "LastModifiedTime": job.last_modified_time,
        "TrainingJobStatus": job.status,
        "SecondaryStatus": job.secondary_status,
    }
    return {name: value for name, value in described.items() if value is not None}


def _described(step: Transition) -> dict[str, Any]:
    entry = {"Status": step.status, "StartTime": step.start_time, "StatusMessage": step.message}
    return entry if step.end_time is None else {**entry, "EndTime": step.end_time}
