"""The SageMaker Python SDK as a client, with no more than what `.local/env` says."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Final

import pytest

from tests.integration.sagemaker.gateway_cloud import GatewayCloud

TRAIN: Final = """
import argparse, os, pathlib, greeting
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int)
parser.add_argument("--optimizer")
options = parser.parse_args()
rows = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"], "rows.csv").read_text().split()
print(f"{greeting.WORDS}: {options.epochs} epochs of {len(rows)} rows with {options.optimizer}")
pathlib.Path(os.environ["SM_MODEL_DIR"], "weights").write_text("trained")
"""
TRAINER: Final = """
from sagemaker.core.utils.exceptions import FailedStatusError
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig, SourceCode
trainer = ModelTrainer(
    training_image=given["image"],
    role=given["role"],
    base_job_name=given["name"],
    source_code=SourceCode(
        source_dir=given["source"],
        entry_script="train.py",
        requirements=given["requirements"],
    ),
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    hyperparameters={"epochs": 3, "optimizer": "adam with restarts"},
    environment={"PIP_NO_INDEX": "1"},
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{given['bucket']}/trainer"),
)
try:
    trainer.train(
        input_data_config=[InputData(channel_name="train", data_source=given["data"])],
        wait=True,
        logs=True,
    )
except FailedStatusError as error:
    told["error"] = str(error)
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source directory with an entry script, and a requirement that needs no index."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN)
    (folder / "requirements.txt").write_text("./greeting-1.0-py3-none-any.whl\n")
    with zipfile.ZipFile(folder / "greeting-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("greeting.py", "WORDS = 'hello from a requirement'\n")
        info = "greeting-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "rows.csv").write_text("1\n2\n3\n")
    return folder


def test_a_model_trainer_trains_a_source_directory_and_streams_its_log(
    cloud: GatewayCloud, source: Path, data: Path
) -> None:
    program = """
job = trainer._latest_training_job
told.update(status=job.training_job_status, model=job.model_artifacts.s3_model_artifacts)
"""
    run = cloud.sdk(
        TRAINER + program,
        name="trainer",
        source=str(source),
        requirements="requirements.txt",
        data=str(data),
    )

    assert run.told["status"] == "Completed"
    assert run.told["model"].startswith("s3://data/trainer/trainer-")
    said = "hello from a requirement: 3 epochs of 3 rows with adam with restarts"
    assert said in run.logged.splitlines()
    with tarfile.open(fileobj=io.BytesIO(cloud.get(run.told["model"]))) as model:
        assert [member.name for member in model if member.isfile()] == ["weights"]


def test_a_model_trainer_says_why_its_job_failed(
    cloud: GatewayCloud, source: Path, data: Path
) -> None:
    run = cloud.sdk(TRAINER, name="fails", source=str(source), requirements=None, data=str(data))

    assert "AlgorithmError" in run.told["error"]
    assert "ModuleNotFoundError: No module named 'greeting'" in run.logged


TRAINING_JOB: Final = """
from botocore.exceptions import ClientError
from sagemaker.core import shapes
from sagemaker.core.resources import Tag, TrainingJob
job = TrainingJob.create(
    training_job_name=given["name"],
    role_arn=given["role"],
    algorithm_specification=shapes.AlgorithmSpecification(
        training_image=given["image"],
        training_input_mode="File",
        container_entrypoint=given["entry_point"],
        metric_definitions=[shapes.MetricDefinition(name="loss", regex=r"loss=(\\S+)")],
    ),
    hyper_parameters={"epochs": "2"},
    input_data_config=[
        shapes.Channel(
            channel_name="train",
            data_source=shapes.DataSource(
                s3_data_source=shapes.S3DataSource(
                    s3_data_type="S3Prefix", s3_uri=f"s3://{given['bucket']}/train/"
                )
            ),
        )
    ],
    output_data_config=shapes.OutputDataConfig(s3_output_path=f"s3://{given['bucket']}/sdk"),
    resource_config=shapes.ResourceConfig(
        instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=1
    ),
    stopping_condition=shapes.StoppingCondition(max_runtime_in_seconds=60),
    tags=[{"key": "team", "value": "cats"}],
)
"""


def test_a_training_job_is_followed_found_again_and_deleted(cloud: GatewayCloud) -> None:
    program = """
job.wait(poll=1, logs=True)
found = TrainingJob.get(training_job_name=given["name"])
told["status"] = found.training_job_status
told["model"] = found.model_artifacts.s3_model_artifacts
told["tags"] = {tag.key: tag.value for tag in Tag.get_all(job.training_job_arn)}
told["metrics"] = {metric.metric_name: metric.value for metric in found.final_metric_data_list}
told["listed"] = [
    (each.training_job_name, each.hyper_parameters)
    for each in TrainingJob.get_all(name_contains=given["name"], status_equals="Completed")
]
found.delete()
try:
    job.refresh()
except ClientError as error:
    told["deleted"] = error.response["Error"]["Message"]
"""
    run = cloud.sdk(TRAINING_JOB + program, name="sdk-training", entry_point=["python", "train.py"])

    assert run.told == {
        "status": "Completed",
        "model": "s3://data/sdk/sdk-training/output/model.tar.gz",
        "tags": {"team": "cats"},
        "metrics": {"loss": 0.5},
        "listed": [["sdk-training", {"epochs": "2"}]],
        "deleted": "Requested resource not found.",
    }
    assert "epoch=1 loss=0.5" in run.logged.splitlines()


def test_a_training_job_that_runs_is_stopped(cloud: GatewayCloud) -> None:
    program = """
while job.secondary_status != "Training":
    job.refresh()
job.stop()
job.wait(poll=1)
told.update(status=job.training_job_status)
told["steps"] = [step.status for step in job.secondary_status_transitions]
"""
    forever = ["python", "-c", "import signal; signal.pause()"]
    run = cloud.sdk(TRAINING_JOB + program, name="sdk-endless", entry_point=forever)

    assert run.told["status"] == "Stopped"
    assert run.told["steps"][-3:] == ["Stopping", "Uploading", "Stopped"]


PROCESSING_JOB: Final = """
from botocore.exceptions import ClientError
from sagemaker.core import shapes
from sagemaker.core.resources import ProcessingJob
job = ProcessingJob.create(
    processing_job_name=given["name"],
    role_arn=given["role"],
    app_specification=shapes.AppSpecification(
        image_uri=given["image"],
        container_entrypoint=["python", "/opt/ml/processing/code/process.py"],
    ),
    environment={"UNIT": "rows"},
    processing_inputs=[
        shapes.ProcessingInput(
            input_name=name,
            s3_input=shapes.ProcessingS3Input(
                s3_uri=f"s3://{given['bucket']}/{prefix}/",
                s3_data_type="S3Prefix",
                s3_input_mode="File",
                local_path=f"/opt/ml/processing/{name}",
            ),
        )
        for name, prefix in {"rows": "train", "code": given["name"]}.items()
    ],
    processing_output_config=shapes.ProcessingOutputConfig(
        outputs=[
            shapes.ProcessingOutput(
                output_name="report",
                s3_output=shapes.ProcessingS3Output(
                    s3_uri=f"s3://{given['bucket']}/reports/{given['name']}",
                    s3_upload_mode="EndOfJob",
                    local_path="/opt/ml/processing/report",
                ),
            )
        ]
    ),
    processing_resources=shapes.ProcessingResources(
        cluster_config=shapes.ProcessingClusterConfig(
            instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=1
        )
    ),
    stopping_condition=shapes.ProcessingStoppingCondition(max_runtime_in_seconds=60),
)
"""


def test_a_processing_job_is_followed_found_again_and_deleted(cloud: GatewayCloud) -> None:
    code = """
import os, pathlib
rows = pathlib.Path("/opt/ml/processing/rows/rows.csv").read_text().split()
print("counted", len(rows), os.environ["UNIT"])
pathlib.Path("/opt/ml/processing/report/count").write_text(str(len(rows)))
pathlib.Path("/opt/ml/output/message").write_text("all counted")
"""
    program = """
job.wait(poll=1, logs=True)
found = ProcessingJob.get(processing_job_name=given["name"])
told.update(status=found.processing_job_status, message=found.exit_message)
told["listed"] = [
    (each.processing_job_name, each.environment)
    for each in ProcessingJob.get_all(name_contains=given["name"], status_equals="Completed")
]
found.delete()
try:
    job.refresh()
except ClientError as error:
    told["deleted"] = error.response["Error"]["Message"]
"""
    cloud.put("sdk-processing/process.py", code)
    run = cloud.sdk(PROCESSING_JOB + program, name="sdk-processing")

    assert run.told == {
        "status": "Completed",
        "message": "all counted",
        "listed": [["sdk-processing", {"UNIT": "rows"}]],
        "deleted": "Could not find requested job with name: sdk-processing",
    }
    assert "counted 3 rows" in run.logged.splitlines()
    assert cloud.get("s3://data/reports/sdk-processing/count") == b"3"


def test_a_processing_job_that_runs_is_stopped(cloud: GatewayCloud) -> None:
    program = """
from sagemaker.core.utils.logs import MultiLogStreamHandler
log = MultiLogStreamHandler("/aws/sagemaker/ProcessingJobs", given["name"], 1)
while not any("works" in event["message"] for _, event in log.get_latest_log_events()):
    job.refresh()
job.stop()
job.wait(poll=1)
told.update(status=job.processing_job_status)
"""
    forever = "import signal; print('works', flush=True); signal.pause()"
    cloud.put("sdk-endless/process.py", forever)
    run = cloud.sdk(PROCESSING_JOB + program, name="sdk-endless")

    assert run.told == {"status": "Stopped"}
