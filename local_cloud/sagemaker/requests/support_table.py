"""What becomes of each member of CreateTrainingJob and CreateProcessingJob.

In the order of the API reference. A member that AWS would spend money, network or machines on, and
that changes nothing that the container sees, is ignored; one without which the job would see
something else than on AWS is refused. A row stands for what is below its member, too.
"""

from dataclasses import dataclass
from enum import Enum


class Treatment(Enum):
    """What is done with a member."""

    HONOURED = "honoured"
    IGNORED = "ignored"
    REFUSED = "refused"


HONOURED, IGNORED, REFUSED = Treatment.HONOURED, Treatment.IGNORED, Treatment.REFUSED


@dataclass(frozen=True)
class Member:
    """One row.

    `path`: as in a request, `[]` after a list of structures. `note`: for what is ignored the
    reason, for what is refused reason and remedy, else what one should know. `only`: the values
    that are honoured, all others are refused with `otherwise`; none: any value. `off`: the name of
    a flag below this member that switches it off as a whole.
    """

    path: str
    treatment: Treatment
    note: str = ""
    only: tuple[str, ...] = ()
    otherwise: str = ""
    off: str = ""


_ALGORITHM = "AlgorithmSpecification"
_S3 = "InputDataConfig[].DataSource.S3DataSource"
_OUTPUT = "ProcessingOutputConfig.Outputs[]"
_CLUSTER = "ProcessingResources.ClusterConfig"

_NO_STREAM = "data cannot be streamed here; choose File"
_NO_UNPACKING = "SageMaker unpacks in Pipe mode only; let the container unpack the files"
_FILES = ("S3Prefix", "ManifestFile")
_READ_ONLY = "only Describe gives it, AWS does not accept it either; leave it out"
_PREFERENCES = "there is no capacity to choose by; give InstanceType and InstanceCount"
_ONE_INSTANCE = "1; more are over the limit (ResourceLimitExceeded)"
_ANY_INSTANCE = "told to the container, which has this machine whatever it says"
_ONE_MACHINE = "one machine gets everything either way"
_DISK = "a job may use what room the disk has"
_NO_KMS_DISK = "the disk is this machine's, encrypted or not"
_ONE_CONTAINER = "a job has one container, and nothing to talk to"
_NO_VPC = "the container has this machine's network"
_NO_EXPERIMENTS = "SageMaker Experiments is not here; track runs with MLflow"
_NO_DEBUGGER = "SageMaker Debugger is not here, no tensors are saved"
_NO_TENSORS = f"{_NO_DEBUGGER}; leave it out, or save them in the container"
_NO_RULES = (
    "nothing here evaluates rules, and one that never fires would look like good news; leave them"
    " out, or check in the container"
)
_ISOLATED = "a network namespace of its own; the job fails where the system allows none"

TRAINING = (
    Member("TrainingJobName", HONOURED),
    Member("HyperParameters", HONOURED),
    Member(
        f"{_ALGORITHM}.TrainingImage",
        HONOURED,
        "an entry of the images file, found by its repository; any other needs Docker or Podman",
    ),
    Member(
        f"{_ALGORITHM}.AlgorithmName",
        REFUSED,
        "algorithm resources and the Marketplace are AWS's; give TrainingImage",
    ),
    Member(
        f"{_ALGORITHM}.TrainingInputMode",
        HONOURED,
        "FastFile is downloaded like File, and the log says so",
        only=("File", "FastFile"),
        otherwise=_NO_STREAM,
    ),
    Member(f"{_ALGORITHM}.MetricDefinitions[].Name", HONOURED),
    Member(
        f"{_ALGORITHM}.MetricDefinitions[].Regex",
        HONOURED,
        "Python's regular expressions, with a group for the value",
    ),
    Member(
        f"{_ALGORITHM}.EnableSageMakerMetricsTimeSeries",
        IGNORED,
        "metrics are in CloudWatch and FinalMetricDataList only",
    ),
    Member(f"{_ALGORITHM}.ContainerEntrypoint", HONOURED),
    Member(f"{_ALGORITHM}.ContainerArguments", HONOURED),
    Member(
        f"{_ALGORITHM}.TrainingImageConfig",
        IGNORED,
        "an image of the images file needs no registry, and a container engine has its own login",
    ),
    Member("RoleArn", HONOURED, "what the job may do, enforced"),
    Member("InputDataConfig[].ChannelName", HONOURED),
    Member(
        f"{_S3}.S3DataType",
        HONOURED,
        only=_FILES,
        otherwise="AugmentedManifestFile needs Pipe mode, Converse a foundation model of AWS; give"
        " a prefix or a manifest",
    ),
    Member(f"{_S3}.S3Uri", HONOURED),
    Member(f"{_S3}.S3DataDistributionType", HONOURED, _ONE_MACHINE),
    Member(
        f"{_S3}.AttributeNames",
        REFUSED,
        "they belong to AugmentedManifestFile, which needs Pipe mode; list the files in a"
        " ManifestFile",
    ),
    Member(f"{_S3}.InstanceGroupNames", HONOURED, "only the one group that there is"),
    Member(
        f"{_S3}.ModelAccessConfig",
        REFUSED,
        "the models of JumpStart are not here; copy the model to a bucket of your own",
    ),
    Member(
        f"{_S3}.HubAccessConfig",
        REFUSED,
        "the hubs of JumpStart are not here; copy the content to a bucket of your own",
    ),
    Member(
        "InputDataConfig[].DataSource.FileSystemDataSource",
        REFUSED,
        "EFS and FSx are not here; copy the data to S3 and give S3DataSource",
    ),
    Member(
        "InputDataConfig[].DataSource.DatasetSource",
        REFUSED,
        "SageMaker's data sets are not here; copy the data to S3 and give S3DataSource",
    ),
    Member("InputDataConfig[].ContentType", HONOURED, "told to the container"),
    Member("InputDataConfig[].CompressionType", HONOURED, only=("None",), otherwise=_NO_UNPACKING),
    Member(
        "InputDataConfig[].RecordWrapperType",
        HONOURED,
        only=("None",),
        otherwise="SageMaker wraps records in Pipe mode only; let the container read the files",
    ),
    Member(
        "InputDataConfig[].InputMode",
        HONOURED,
        "as in AlgorithmSpecification",
        only=("File", "FastFile"),
        otherwise=_NO_STREAM,
    ),
    Member(
        "InputDataConfig[].ShuffleConfig",
        IGNORED,
        "it orders what is streamed; the files of a folder have no order",
    ),
    Member("OutputDataConfig.KmsKeyId", HONOURED, "goes with each upload"),
    Member("OutputDataConfig.S3OutputPath", HONOURED),
    Member("OutputDataConfig.CompressionType", HONOURED),
    Member("ResourceConfig.InstanceType", HONOURED, _ANY_INSTANCE),
    Member("ResourceConfig.InstanceCount", HONOURED, _ONE_INSTANCE),
    Member("ResourceConfig.VolumeSizeInGB", IGNORED, _DISK),
    Member("ResourceConfig.VolumeKmsKeyId", IGNORED, _NO_KMS_DISK),
    Member(
        "ResourceConfig.KeepAlivePeriodInSeconds",
        IGNORED,
        "there is no instance to keep; an image's environment is kept in any case",
    ),
    Member("ResourceConfig.InstanceGroups[].InstanceType", HONOURED, "one group, one instance"),
    Member("ResourceConfig.InstanceGroups[].InstanceCount", HONOURED, _ONE_INSTANCE),
    Member("ResourceConfig.InstanceGroups[].InstanceGroupName", HONOURED, "told to the container"),
    Member("ResourceConfig.TrainingPlanArn", IGNORED, "there is no capacity to reserve"),
    Member("ResourceConfig.InstancePlacementConfig", IGNORED, "there are no UltraServers"),
    Member("ResourceConfig.InstancePreferences", REFUSED, _PREFERENCES),
    Member("ResourceConfig.SelectedInstanceType", REFUSED, _READ_ONLY),
    Member("ResourceConfig.SelectedInstanceCount", REFUSED, _READ_ONLY),
    Member("VpcConfig", IGNORED, _NO_VPC),
    Member("StoppingCondition.MaxRuntimeInSeconds", HONOURED),
    Member(
        "StoppingCondition.MaxWaitTimeInSeconds", IGNORED, "there is no Spot capacity to wait for"
    ),
    Member(
        "StoppingCondition.MaxPendingTimeInSeconds",
        IGNORED,
        "a job waits for a free place, however long",
    ),
    Member("Tags[].Key", HONOURED),
    Member("Tags[].Value", HONOURED),
    Member("EnableNetworkIsolation", HONOURED, _ISOLATED),
    Member("EnableInterContainerTrafficEncryption", IGNORED, _ONE_CONTAINER),
    Member("EnableManagedSpotTraining", IGNORED, "a job here is never interrupted"),
    Member(
        "CheckpointConfig.S3Uri", HONOURED, "fetched before the job, kept in step while it runs"
    ),
    Member("CheckpointConfig.LocalPath", HONOURED, "a folder of its own below `/opt/ml`"),
    Member("DebugHookConfig.LocalPath", IGNORED, _NO_DEBUGGER),
    Member("DebugHookConfig.S3OutputPath", IGNORED, _NO_DEBUGGER),
    Member("DebugHookConfig.HookParameters", REFUSED, _NO_TENSORS),
    Member("DebugHookConfig.CollectionConfigurations", REFUSED, _NO_TENSORS),
    Member("DebugRuleConfigurations", REFUSED, _NO_RULES),
    Member(
        "TensorBoardOutputConfig",
        REFUSED,
        "Debugger's upload is not here; write the event files below CheckpointConfig's LocalPath"
        " (uploaded while the job runs) or `/opt/ml/output/data` (at its end)",
    ),
    Member("ExperimentConfig", IGNORED, _NO_EXPERIMENTS),
    Member("ProfilerConfig", IGNORED, "no instance of AWS to profile", off="DisableProfiler"),
    Member("ProfilerRuleConfigurations", REFUSED, _NO_RULES),
    Member("Environment", HONOURED),
    Member("RetryStrategy", IGNORED, "it is for faults of AWS's machines; a job here runs once"),
    Member("RemoteDebugConfig", IGNORED, "there is no Systems Manager; the job is a local process"),
    Member("InfraCheckConfig", IGNORED, "there is no instance of AWS to check"),
    Member("SessionChainingConfig", IGNORED, "the role's credentials carry no session tags"),
    Member(
        "ServerlessJobConfig",
        REFUSED,
        "AWS's own fine-tuning is not here; give TrainingImage and ResourceConfig",
    ),
    Member(
        "MlflowConfig",
        REFUSED,
        "SageMaker's managed MLflow is not here; set MLFLOW_TRACKING_URI in Environment",
    ),
    Member(
        "ModelPackageConfig",
        REFUSED,
        "SageMaker's model registry is not here; register the model after the job",
    ),
)

PROCESSING = (
    Member("ProcessingInputs[].InputName", HONOURED),
    Member("ProcessingInputs[].AppManaged", HONOURED, "true: left to the container"),
    Member("ProcessingInputs[].S3Input.S3Uri", HONOURED),
    Member("ProcessingInputs[].S3Input.LocalPath", HONOURED, "below `/opt/ml/processing`"),
    Member(
        "ProcessingInputs[].S3Input.S3DataType",
        HONOURED,
        only=_FILES,
        otherwise="give a prefix or a manifest",
    ),
    Member(
        "ProcessingInputs[].S3Input.S3InputMode", HONOURED, only=("File",), otherwise=_NO_STREAM
    ),
    Member("ProcessingInputs[].S3Input.S3DataDistributionType", HONOURED, _ONE_MACHINE),
    Member(
        "ProcessingInputs[].S3Input.S3CompressionType",
        HONOURED,
        only=("None",),
        otherwise=_NO_UNPACKING,
    ),
    Member(
        "ProcessingInputs[].DatasetDefinition",
        REFUSED,
        "Athena and Redshift are not here; put the result of the query into S3 and give S3Input",
    ),
    Member(f"{_OUTPUT}.OutputName", HONOURED),
    Member(f"{_OUTPUT}.S3Output.S3Uri", HONOURED),
    Member(f"{_OUTPUT}.S3Output.LocalPath", HONOURED, "below `/opt/ml/processing`"),
    Member(f"{_OUTPUT}.S3Output.S3UploadMode", HONOURED),
    Member(
        f"{_OUTPUT}.FeatureStoreOutput",
        REFUSED,
        "SageMaker Feature Store is not here; give S3Output",
    ),
    Member(f"{_OUTPUT}.AppManaged", HONOURED, "true: left to the container"),
    Member("ProcessingOutputConfig.KmsKeyId", HONOURED, "goes with each upload"),
    Member("ProcessingJobName", HONOURED),
    Member(f"{_CLUSTER}.InstanceCount", HONOURED, _ONE_INSTANCE),
    Member(f"{_CLUSTER}.InstanceType", HONOURED, _ANY_INSTANCE),
    Member(f"{_CLUSTER}.VolumeSizeInGB", IGNORED, _DISK),
    Member(f"{_CLUSTER}.VolumeKmsKeyId", IGNORED, _NO_KMS_DISK),
    Member(f"{_CLUSTER}.InstancePreferences", REFUSED, _PREFERENCES),
    Member(f"{_CLUSTER}.SelectedInstanceType", REFUSED, _READ_ONLY),
    Member(f"{_CLUSTER}.SelectedInstanceCount", REFUSED, _READ_ONLY),
    Member("StoppingCondition.MaxRuntimeInSeconds", HONOURED),
    Member("AppSpecification.ImageUri", HONOURED, "as TrainingImage of a training job"),
    Member("AppSpecification.ContainerEntrypoint", HONOURED),
    Member("AppSpecification.ContainerArguments", HONOURED),
    Member("Environment", HONOURED),
    Member("NetworkConfig.EnableInterContainerTrafficEncryption", IGNORED, _ONE_CONTAINER),
    Member("NetworkConfig.EnableNetworkIsolation", HONOURED, _ISOLATED),
    Member("NetworkConfig.VpcConfig", IGNORED, _NO_VPC),
    Member("RoleArn", HONOURED, "what the job may do, enforced"),
    Member("Tags[].Key", HONOURED),
    Member("Tags[].Value", HONOURED),
    Member("ExperimentConfig", IGNORED, _NO_EXPERIMENTS),
)
