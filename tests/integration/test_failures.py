"""What goes wrong in a training, made to go wrong: a kill, poisoned photos, a full disk.

Each time: the execution fails with a named reason, nothing is left behind that would keep the next
one from running, the champion answers all the while, and the next run succeeds.
"""

import contextlib
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from areyouacat.lake import (
    SERVING_POINTER_KEY,
    IndexRow,
    LabelRecord,
    dump_shard,
    index_shard_key,
    label_shard_key,
    photo_key,
    utc_text,
)
from areyouacat.lease import training_job_name
from areyouacat.serving_pointer import ServingPointer
from areyouacat.settings import IMAGES, LABELS
from lambdas.shared.training_ledger_store import TrainingLedgerStore
from tests.integration.instance import APP_PYTHON, Instance, eventually

pytestmark = pytest.mark.slow

SMALL_DISK = Path(__file__).with_name("small_disk.py")
DISK_MIB = 1024  # for all that training jobs need at once; memory only as far as it is used
ROOM_LEFT_MIB = 24  # of a full disk: a job starts with it, but cannot write its model
FIRST_NEGATIVES = 40
NO_SPACE = "No space left on device"


@dataclass(frozen=True)
class Ended:
    """An execution of the train workflow that has ended."""

    arn: str
    status: str
    error: str
    cause: str

    @property
    def job(self) -> str:
        return training_job_name(self.arn.rpartition(":")[2])

    @property
    def reason(self) -> str:
        """The training job's FailureReason, as the execution's cause repeats it."""
        return str(json.loads(self.cause)["FailureReason"])


@dataclass
class Factory:
    """A trained local cloud, photos that it has not seen, and who hears of its failures."""

    cloud: Instance
    unseen: list[Path]
    folder: Path
    ops_queue: str

    def start(self) -> str:
        machine = self.cloud.endpoints["state_machines"]["train"]
        started = self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=machine, input="{}"
        )
        return str(started["executionArn"])

    def end_of(self, arn: str) -> Ended:
        workflows = self.cloud.client("stepfunctions")

        def ended() -> Any:
            found = workflows.describe_execution(executionArn=arn)
            return None if found["status"] == "RUNNING" else found

        found = eventually("the end of the execution", ended)
        return Ended(arn, found["status"], found.get("error", ""), found.get("cause", ""))

    def train(self) -> Ended:
        """`make train`, as a person would run it."""
        said = self.cloud.run("local_cloud.cli", "run", "--", "python", "-m",
                              "training_job.follow", "--machine=train").stdout  # fmt: skip
        arn = next(line.split()[-1] for line in said.splitlines() if line.startswith("Started "))
        return self.end_of(arn)

    def seed(self, number: int) -> list[str]:
        """Put so many photos into the lake that were not there; gives their hashes."""
        chosen, self.unseen = self.unseen[:number], self.unseen[number:]
        folder = self.folder / str(len(self.unseen))
        (folder / LABELS.negative).mkdir(parents=True)
        for photo in chosen:
            shutil.copy(photo, folder / LABELS.negative)
        seed(self.cloud, folder)
        return [hashlib.sha256(photo.read_bytes()).hexdigest() for photo in chosen]

    def champion(self) -> str:
        """The version that answers, asked with a photo."""
        answer = self.cloud.predict(self.unseen[-1].read_bytes())
        assert answer.status == 200, answer.body
        return str(answer.body["model"]["version"])

    def put(self, key: str, body: bytes) -> None:
        self.cloud.client("s3").put_object(
            Bucket=self.cloud.endpoints["lake_bucket"], Key=key, Body=body
        )

    def get(self, key: str) -> bytes:
        found = self.cloud.client("s3").get_object(
            Bucket=self.cloud.endpoints["lake_bucket"], Key=key
        )
        return bytes(found["Body"].read())

    def log(self, ended: Ended) -> str:
        return (self.cloud.state / "logs" / "training" / f"{ended.job}.log").read_text()


def seed(cloud: Instance, folder: Path) -> None:
    done = cloud.run("local_cloud.cli", "run", "--", "python", "-m", "training_job.seed",
                     str(folder))  # fmt: skip
    assert done.returncode == 0, done.stdout


def listen_to_operators(cloud: Instance) -> str:
    """A queue that gets what the operators' topic says; gives its address."""
    queues, topic = cloud.client("sqs"), cloud.endpoints["ops_topic"]
    url = str(queues.create_queue(QueueName="operators")["QueueUrl"])
    attributes = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = attributes["Attributes"]["QueueArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
            }
        ],
    }
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> tuple[bool, str]:
    """Whether this system lets a process have a disk of its own, and if not, why."""
    folder = tmp_path_factory.mktemp("disk")
    command = [sys.executable, str(SMALL_DISK), str(folder), "1", "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr.strip()


@pytest.fixture(scope="module")
def factory(
    tmp_path_factory: pytest.TempPathFactory, small_disk: tuple[bool, str]
) -> Iterator[Factory]:
    """Trained once; its training jobs have a small disk to themselves where that is possible."""
    cloud = Instance(tmp_path_factory.mktemp("cloud"))
    disk = [APP_PYTHON, str(SMALL_DISK), str(cloud.state / "sagemaker"), str(DISK_MIB)]
    try:
        cloud.up("--no-starter", through=disk if small_disk[0] else ())
        photos, first = tmp_path_factory.mktemp("starter"), tmp_path_factory.mktemp("first")
        assert cloud.run("local_cloud.starter", str(photos)).returncode == 0
        negatives = sorted((photos / LABELS.negative).iterdir())
        shutil.copytree(photos / LABELS.positive, first / LABELS.positive)
        (first / LABELS.negative).mkdir()
        for photo in negatives[:FIRST_NEGATIVES]:
            shutil.copy(photo, first / LABELS.negative)
        seed(cloud, first)
        folder = tmp_path_factory.mktemp("later")
        ready = Factory(cloud, negatives[FIRST_NEGATIVES:], folder, listen_to_operators(cloud))
        ended = ready.train()
        assert ended.status == "SUCCEEDED", ended
        yield ready
    finally:
        cloud.close()


def assert_failed_well(factory: Factory, ended: Ended, champion: str) -> None:
    """Failed by name, told to the operators, nothing held, and the champion answers."""
    assert ended.status == "FAILED"
    assert ended.error == "States.TaskFailed"
    job = factory.cloud.client("sagemaker").describe_training_job(TrainingJobName=ended.job)
    assert (job["TrainingJobStatus"], job["FailureReason"]) == ("Failed", ended.reason)
    assert ended.reason in eventually("word to the operators", lambda: told(factory, ended.arn), 60)
    store = TrainingLedgerStore(
        factory.cloud.client("dynamodb"), factory.cloud.endpoints["control_table"]
    )
    assert store.read()[0].holder is None
    assert run_status(factory, ended.job) in {"FAILED", None}  # None: it never got so far
    assert factory.champion() == champion


def run_status(factory: Factory, job: str) -> str | None:
    """How the job's MLflow run stands; None if it has none."""

    def ask(path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"{factory.cloud.endpoints['mlflow_url'].rstrip('/')}/api/2.0/mlflow/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    experiment = ask("experiments/get-by-name?experiment_name=are-you-a-cat")["experiment"]
    found = ask(
        "runs/search",
        {
            "experiment_ids": [experiment["experiment_id"]],
            "filter": f"tags.training_job_name = '{job}'",
        },
    )
    return next((run["info"]["status"] for run in found.get("runs", ())), None)


def told(factory: Factory, arn: str) -> str | None:
    """What the operators were told of an execution."""
    queues = factory.cloud.client("sqs")
    answer = queues.receive_message(QueueUrl=factory.ops_queue, WaitTimeSeconds=1)
    for message in answer.get("Messages", ()):
        text = str(json.loads(message["Body"])["Message"])
        if arn in text:
            # The cause is JSON, and so is its text in the message.
            return text.replace('\\"', '"')
    return None


def assert_next_succeeds(factory: Factory, champion: str) -> None:
    """The next run trains, and its model answers."""
    ended = factory.train()
    assert ended.status == "SUCCEEDED", ended
    eventually("the new version", lambda: factory.champion() != champion)


# --- killed ---


def test_a_killed_job_fails_its_execution_and_nothing_else(factory: Factory) -> None:
    before = factory.champion()
    factory.seed(3)
    arn = factory.start()
    process = eventually("the training process", lambda: training_process(arn))

    os.kill(process, signal.SIGKILL)
    ended = factory.end_of(arn)

    assert "killed (SIGKILL)" in ended.reason
    assert ended.reason.endswith("exit code: 137")
    assert_failed_well(factory, ended, before)
    assert run_status(factory, ended.job) == "FAILED"
    assert_next_succeeds(factory, before)


def training_process(arn: str) -> int | None:
    """The job's own process, once it has loaded what training needs."""
    mark = f"EXECUTION_ARN={arn}".encode()
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if (
                b"training_job.train" in (folder / "cmdline").read_bytes().split(b"\0")
                and mark in (folder / "environ").read_bytes().split(b"\0")
                and "tensorflow" in (folder / "maps").read_text()
            ):
                return int(folder.name)
    return None


# --- poisoned photos ---


def test_few_poisoned_photos_are_left_out_and_named(factory: Factory) -> None:
    before = factory.champion()
    healthy, damaged = factory.seed(2)
    factory.put(photo_key(damaged), b"damaged since it was taken in")
    bomb = put_bomb(factory)

    ended = factory.train()

    assert ended.status == "SUCCEEDED", ended
    log = factory.log(ended)
    assert "2 of " in log
    assert f"{damaged}: the photo's bytes do not match its hash" in log
    assert f"{bomb}: The photo has " in log
    assert healthy not in log
    champion = ServingPointer.from_json(factory.get(SERVING_POINTER_KEY)).champion
    assert json.loads(factory.get(champion.model_json_key))["metrics"]["features_unreadable"] == 2
    eventually("the new version", lambda: factory.champion() != before)


def put_bomb(factory: Factory) -> str:
    """A photo of a few bytes and too many pixels, as no door of the system lets it in."""
    side = int(IMAGES.max_pixels**0.5) + 1
    buffer = io.BytesIO()
    Image.new("1", (side, side)).save(buffer, "PNG")
    data = buffer.getvalue()
    photo = hashlib.sha256(data).hexdigest()
    now = datetime.now(UTC)
    row = IndexRow(
        photo=photo,
        size_bytes=len(data),
        width=side,
        height=side,
        format="PNG",
        brightness=0.0,
        contrast=0.0,
        sharpness=0.0,
        perceptual_hash=photo[:16],
        source="seed",
        ingested_at=utc_text(now),
    )
    label = LabelRecord(photo, LABELS.negative, "seed", "test", utc_text(now))
    day, rows, labels = now.date().isoformat(), dump_shard([row]), dump_shard([label])
    factory.put(photo_key(photo), data)
    factory.put(index_shard_key(day, rows), rows)
    factory.put(label_shard_key(day, labels), labels)
    return photo


def test_many_poisoned_photos_fail_the_run_until_they_are_repaired(factory: Factory) -> None:
    before = factory.champion()
    poisoned = {photo: factory.get(photo_key(photo)) for photo in factory.seed(8)}
    for photo in poisoned:
        factory.put(photo_key(photo), b"damaged since it was taken in")

    ended = factory.train()

    assert ended.reason.startswith("AlgorithmError: TrainingDataError: ")
    assert " photos cannot be read: " in ended.reason
    assert_failed_well(factory, ended, before)

    for photo, data in poisoned.items():
        factory.put(photo_key(photo), data)
    assert_next_succeeds(factory, before)


# --- full disk ---


@pytest.mark.parametrize(
    "room_left_mib",
    [
        pytest.param(ROOM_LEFT_MIB, id="the model does not fit"),
        pytest.param(0.1, id="neither the channels nor the failure file fit"),
    ],
)
def test_a_full_disk_fails_the_job_by_name(
    factory: Factory, small_disk: tuple[bool, str], room_left_mib: float
) -> None:
    allowed, why = small_disk
    if not allowed:
        pytest.skip(f"this system lets no test have a disk of its own: {why}")
    before = factory.champion()
    factory.seed(2)
    with filled_disk(factory, room_left_mib):
        ended = factory.train()

    assert NO_SPACE in ended.reason
    assert_failed_well(factory, ended, before)


def test_with_room_again_the_next_run_succeeds(
    factory: Factory, small_disk: tuple[bool, str]
) -> None:
    allowed, why = small_disk
    if not allowed:
        pytest.skip(f"no disk was full: {why}")

    assert_next_succeeds(factory, factory.champion())


@contextlib.contextmanager
def filled_disk(factory: Factory, leave_mib: float) -> Iterator[None]:
    """The small disk, full but for so much while the block runs."""
    anyone = factory.cloud.processes()[0]
    # By a descriptor: the process through which one looks at the disk may end in the meantime.
    folder = os.open(
        f"/proc/{anyone}/root{factory.cloud.state}/sagemaker", os.O_RDONLY | os.O_DIRECTORY
    )
    try:
        disk = Path(f"/proc/self/fd/{folder}")
        usage = shutil.disk_usage(disk)
        assert usage.total <= DISK_MIB * 2**20, "that is not the small disk"
        filler = disk / "filler"
        try:
            with filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, usage.free - int(leave_mib * 2**20))
            yield
        finally:
            filler.unlink(missing_ok=True)
    finally:
        os.close(folder)
