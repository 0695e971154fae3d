"""From a model version to what it is made of and back, over sources that may lack anything."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from areyouacat.errors import RegistryError
from areyouacat.serving_pointer import Variant, first_pointer
from training_job.lineage import main
from training_job.lineage_gather import Gatherer
from training_job.lineage_records import (
    ExecutionLineage,
    JobLineage,
    RegisteredVersion,
    RunLineage,
)

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
A, B, C = ("a" * 64, "b" * 64, "c" * 64)
JOB = "areyouacat-job-1"
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:train:one"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def manifest_of(*entries: tuple[str, str, str, str]) -> bytes:
    names = ("photo", "label", "split", "group")
    return "".join(
        json.dumps(
            {**dict(zip(names, entry, strict=True)), "source": "seed", "labelled_by": "seed"}
        )
        + "\n"
        for entry in entries
    ).encode()


MANIFEST = manifest_of(
    (A, "cat", "train", A), (B, "cat", "train", B), (C, "not_cat", "test", "d" * 64)
)
DATASET = sha256(MANIFEST)[:16]
TFLITE = b"the model"
SPEC = json.dumps(
    {
        "schema": 1,
        "mode": "trained",
        "dataset_version": DATASET,
        "training_job_name": JOB,
        "mlflow_run_id": "run1",
        "tflite": {"sha256": sha256(TFLITE), "variant": "int8"},
        "metrics": {"test_accuracy": 0.875},
        "provenance": {"code_revision": "c0de", "execution_arn": EXECUTION},
    }
).encode()
TAGS = {
    "training_job_name": JOB,
    "execution_arn": EXECUTION,
    "dataset_version": DATASET,
    "dataset_manifest_sha256": sha256(MANIFEST),
    "code_revision": "c0de",
    "requirements_sha256": "d16e57",
    "gate_passed": "true",
    "gate_applicable": "true",
    "gate_reason": "every rule passed",
    "compared_with_version": "2",
    "mode": "trained",
    "tflite_sha256": sha256(TFLITE),
}


def pointer() -> bytes:
    variant = Variant("champion", "are-you-a-cat", "3", 1.0, "k", sha256(TFLITE), "j", sha256(SPEC))
    return first_pointer(variant, by="me", reason="first", at=AT).to_json()


@dataclass
class FakeRegistry:
    found: list[RegisteredVersion] = field(
        default_factory=lambda: [
            RegisteredVersion("2", {"dataset_version": "older"}),
            RegisteredVersion("3", TAGS, ("champion",), "run1", AT),
        ]
    )
    down: bool = False
    run_problem: str = ""

    def versions(self) -> list[RegisteredVersion]:
        if self.down:
            raise RegistryError("MLflow does not answer.")
        return self.found

    def version(self, version: str) -> RegisteredVersion | None:
        return next((found for found in self.versions() if found.version == version), None)

    def run(self, run_id: str) -> RunLineage:
        if self.down or self.run_problem:
            return RunLineage(run_id, problem=self.run_problem or "MLflow does not answer.")
        return RunLineage(
            run_id,
            url=f"http://mlflow/#/experiments/1/runs/{run_id}",
            status="FINISHED",
            parameters={"epochs": "40", "l2": "0.01"},
            metrics={"test_accuracy": 0.9912, "test_log_loss": 0.031},
        )


@dataclass
class FakeLake:
    objects: dict[str, bytes] = field(
        default_factory=lambda: {
            "serving/live.json": pointer(),
            "models/3/model.tflite": TFLITE,
            "models/3/model.json": SPEC,
            "models/3/model.keras": b"keras",
            f"datasets/{DATASET}/manifest.jsonl": MANIFEST,
            "datasets/older/manifest.jsonl": manifest_of((A, "cat", "validation", C)),
        }
    )

    def read(self, key: str) -> bytes | None:
        return self.objects.get(key)

    def folders(self, prefix: str) -> list[str]:
        below = (key.removeprefix(prefix) for key in self.objects if key.startswith(prefix))
        return sorted({name.partition("/")[0] for name in below})


@dataclass
class FakeRecords:
    problem: str = ""

    def job(self, name: str) -> JobLineage:
        if self.problem:
            return JobLineage(name, problem=self.problem)
        return JobLineage(
            name,
            arn=f"arn:aws:sagemaker:eu-west-1:123456789012:training-job/{name}",
            status="Completed",
            image="registry/image:latest",
            created_at=AT,
            ended_at=AT,
            seconds=56,
            hyperparameters={"mode": "trained"},
            environment={"DATASET_VERSION": DATASET},
        )

    def execution(self, arn: str) -> ExecutionLineage:
        return ExecutionLineage(arn, "" if self.problem else "SUCCEEDED", AT, AT, self.problem)


@dataclass
class Sources:
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    lake: FakeLake = field(default_factory=FakeLake)
    records: FakeRecords = field(default_factory=FakeRecords)

    def ask(self, *arguments: str) -> int:
        return main(
            arguments,
            connect=lambda: Gatherer("are-you-a-cat", self.registry, self.lake, self.records),
        )


def test_the_version_that_serves_tells_everything_it_is_made_of(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert Sources().ask() == 0

    said = capsys.readouterr().out
    for fact in (
        "version 3  (champion, weight 1.00; aliases: champion)",
        f"manifest.jsonl  sha256 {sha256(MANIFEST)}  verified",
        "train          2 cat",
        "test           1 not_cat",
        "c0de",
        "registry/image:latest",
        "d16e57",
        "epochs=40  l2=0.01",
        f"training-job/{JOB}",
        "Completed",
        "56 s",
        EXECUTION,
        "SUCCEEDED",
        "passed, against 2: every rule passed",
        "0.9912",
        "http://mlflow/#/experiments/1/runs/run1",
        f"models/3/model.tflite  sha256 {sha256(TFLITE)}  verified (registry)",
        f"models/3/model.json  sha256 {sha256(SPEC)}  verified (serving pointer)",
    ):
        assert fact in said
    assert len(said.splitlines()) < 40


def test_programs_get_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert Sources().ask("--version", "3", "--json", "--photos") == 0

    told = json.loads(capsys.readouterr().out)
    assert told["dataset"]["manifest"]["sha256"] == sha256(MANIFEST)
    assert [photo["photo"] for photo in told["dataset"]["photos"]] == [A, B, C]
    assert told["job"]["created_at"] == "2026-03-04T05:06:07+00:00"
    assert told["is_sound"] is True


def test_photos_are_listed_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    Sources().ask("--photos")

    assert f"{C}  not_cat  test" in capsys.readouterr().out


@pytest.mark.parametrize(
    "key", [f"datasets/{DATASET}/manifest.jsonl", "models/3/model.tflite", "models/3/model.json"]
)
def test_bytes_that_are_not_those_that_were_recorded_are_told_and_fail(
    capsys: pytest.CaptureFixture[str], key: str
) -> None:
    sources = Sources()
    sources.lake.objects[key] += b" "

    assert sources.ask("--version", "3") == 1

    assert any(key in line and "DIFFERS" in line for line in capsys.readouterr().out.splitlines())


def test_a_manifest_that_is_gone_is_told_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    sources = Sources()
    del sources.lake.objects[f"datasets/{DATASET}/manifest.jsonl"]

    assert sources.ask() == 1
    assert "the lake has no such manifest" in capsys.readouterr().out


def test_a_manifest_that_cannot_be_read_is_told_and_fails(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sources = Sources()
    sources.lake.objects[f"datasets/{DATASET}/manifest.jsonl"] = b"{not json\n"

    assert sources.ask() == 1
    assert "it cannot be read" in capsys.readouterr().out


def test_without_mlflow_the_model_file_itself_tells_where_it_comes_from(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sources = Sources(registry=FakeRegistry(down=True))

    assert sources.ask() == 0

    said = capsys.readouterr().out
    assert "MLflow does not answer. What the version is made of is read from its model.json" in said
    assert DATASET in said
    assert "c0de" in said
    assert f"training-job/{JOB}" in said
    assert EXECUTION in said
    assert "0.8750" in said


def test_a_job_an_execution_and_a_run_that_are_gone_are_told_and_not_fatal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sources = Sources(FakeRegistry(run_problem="the run was deleted"), records=FakeRecords("gone"))

    assert sources.ask() == 0

    said = capsys.readouterr().out
    assert said.count("gone") == 2
    assert "the run was deleted" in said


def test_a_version_without_any_tags_says_what_is_not_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sources = Sources()

    sources.ask("--version", "2")

    said = capsys.readouterr().out
    assert "does not serve" in said
    assert "MISSING" in said
    assert "the version names no MLflow run" in said


def test_a_version_that_nobody_knows_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert Sources().ask("--version", "99") == 2
    assert "Neither the registry nor the lake has a version 99" in capsys.readouterr().err


@pytest.mark.parametrize("live", [None, b"no pointer"])
def test_where_nothing_serves_the_remedy_is_named(
    capsys: pytest.CaptureFixture[str], live: bytes | None
) -> None:
    sources = Sources()
    del sources.lake.objects["serving/live.json"]
    if live:
        sources.lake.objects["serving/live.json"] = live

    assert sources.ask() == 2
    assert "make train" in capsys.readouterr().err


@pytest.mark.parametrize("asked", [["--dataset", DATASET], ["--job", JOB], ["--photo", B]])
def test_a_data_set_a_job_and_a_photo_lead_back_to_the_versions_made_of_them(
    capsys: pytest.CaptureFixture[str], asked: list[str]
) -> None:
    assert Sources().ask(*asked, "--json") == 0

    told = json.loads(capsys.readouterr().out)
    assert [version["version"] for version in told["versions"]] == ["3"]


def test_a_photo_is_found_in_every_data_set_that_holds_it_with_its_split(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert Sources().ask("--photo", A.upper()) == 0

    said = capsys.readouterr().out
    assert f"data set {DATASET}: cat, train" in said
    assert "data set older: cat, validation" in said
    assert [line.split()[0] for line in said.splitlines()[-2:]] == ["2", "3"]


def test_a_photo_that_only_founded_a_group_is_in_no_data_set(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert Sources().ask("--photo", "d" * 64) == 1
    assert "No data set version holds it" in capsys.readouterr().out


@pytest.mark.parametrize("asked", [["--dataset", "nope"], ["--job", "nope"]])
def test_what_nothing_was_made_of_says_so(
    capsys: pytest.CaptureFixture[str], asked: list[str]
) -> None:
    assert Sources().ask(*asked) == 1
    assert "No model version was made of it" in capsys.readouterr().out


def test_without_mlflow_the_way_back_goes_through_the_lake(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert Sources(registry=FakeRegistry(down=True)).ask("--dataset", DATASET, "--json") == 0

    told = json.loads(capsys.readouterr().out)
    assert [version["version"] for version in told["versions"]] == ["3"]
    assert "read from the lake" in told["problems"][0]


def test_a_job_that_was_launched_by_hand_tells_its_data_set(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sources = Sources()
    sources.registry.found = []

    assert sources.ask("--job", f"arn:aws:sagemaker:eu-west-1:123456789012:training-job/{JOB}") == 1

    said = capsys.readouterr().out
    assert f"data set       {DATASET}" in said.replace("  data set", "data set")
    assert "Completed" in said


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(["--photo", "abc"], "neither a SHA-256"), (["--photo", "/"], "neither a SHA-256")],
)
def test_a_photo_that_is_none_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    assert Sources().ask(*arguments) == 2
    assert expected in capsys.readouterr().err


def test_two_questions_at_once_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        Sources().ask("--version", "3", "--job", JOB)
    assert refusal.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_a_damaged_manifest_on_the_way_back_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sources = Sources()
    sources.lake.objects["datasets/older/manifest.jsonl"] = f"{{{A}\n".encode()

    assert sources.ask("--photo", A) == 2
    assert "datasets/older/manifest.jsonl cannot be read" in capsys.readouterr().err
