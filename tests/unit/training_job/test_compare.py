"""`make compare`: asks the function, prints its table, draws the page."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ConnectTimeoutError
from matplotlib.colors import to_hex
from PIL import Image

from areyouacat.comparison import Contender, compare
from areyouacat.comparison_record import ComparedModel, ComparisonRecord, Question
from tests.unit.training_job.moto_lake import BUCKET, moto_lake
from training_job.compare import COMPARED, NOT_ANSWERED, Comparer, main
from training_job.endpoints import Endpoints, UnknownEndpointError

DATASET = "0123456789abcdef"


def record(models: int, photos: int = 300, *, positives: bool = True) -> ComparisonRecord:
    random = np.random.default_rng(11)
    positive = np.arange(photos) % 2 == 0 if positives else np.zeros(photos, dtype=bool)
    contenders = []
    for number in range(models):
        logits = np.where(positive, 3.0, -3.0) + random.normal(0, 1 + number / 2, photos)
        contenders.append(Contender(str(number + 1), 1 / (1 + np.exp(-logits)), 0.5, 9.0 + number))
    versions = tuple(each.version for each in contenders)
    return ComparisonRecord(
        Question(versions, DATASET, "test"),
        tuple(
            ComparedModel(version, DATASET, f"<job-{version}>", "trained", "int8", "a" * 64)
            for version in versions
        ),
        0,
        compare(contenders, positive, [str(photo) for photo in range(photos)]),
        {},
    )


class FakeFunctions:
    """Lambda with one function, which answers what it was given."""

    def __init__(self, answer: Any, *, error: bool = False) -> None:
        self._answer = answer
        self._error = error
        self.asked: list[tuple[str, Any]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        self.asked.append((FunctionName, json.loads(Payload)))
        if isinstance(self._answer, Exception):
            raise self._answer
        more = {"FunctionError": "Unhandled"} if self._error else {}
        return {"Payload": io.BytesIO(json.dumps(self._answer).encode()), **more}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    with moto_lake(monkeypatch, tmp_path) as client:
        monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path / "state"))
        yield client


Answered = Callable[[ComparisonRecord], FakeFunctions]


@pytest.fixture
def answered(s3: Any) -> Answered:
    """The function, having written its report."""

    def write(found: ComparisonRecord) -> FakeFunctions:
        prefix = found.question.prefix
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}comparison.json", Body=found.to_json().encode())
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}comparison.md", Body=b"# As the function says\n")
        photos = found.comparison.photos
        return FakeFunctions({"prefix": prefix, "photos": photos, "table": "| the table |"})

    return write


def run(s3: Any, functions: FakeFunctions, *arguments: str) -> int:
    return main(arguments, lambda: Comparer(functions, "compare-models", s3, BUCKET))


def test_the_table_is_printed_and_the_page_kept_by_its_question(
    s3: Any, answered: Answered, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = record(2)
    functions = answered(found)

    code = run(s3, functions, "--versions", "1", "2")

    folder = tmp_path / "state" / "comparisons" / found.question.identifier
    out = capsys.readouterr().out
    assert code == COMPARED
    assert functions.asked == [("compare-models", {"versions": ["1", "2"], "split": "test"})]
    assert "| the table |" in out
    assert "300 photos (test), 150 of them cat." in out
    assert out.endswith(f"The page: {folder / 'index.html'}\n")
    assert {file.name for file in folder.iterdir()} == {
        "comparison.json", "comparison.md", "figures.png", "index.html", "pairs.png",
        "reliability.png", "roc.png",
    }  # fmt: skip


def test_data_set_split_and_folder_are_passed_on(
    s3: Any, answered: Answered, tmp_path: Path
) -> None:
    functions = answered(record(1))

    code = run(
        s3, functions, "--versions", "1", "--dataset", DATASET, "--split", "recent",
        "--output", str(tmp_path / "deep" / "there"),
    )  # fmt: skip

    assert code == COMPARED
    ((_, question),) = functions.asked
    assert question == {"versions": ["1"], "split": "recent", "dataset_version": DATASET}
    assert (tmp_path / "deep" / "there" / "index.html").exists()


@pytest.mark.parametrize("models", [1, 2, 10])
def test_every_picture_is_drawn_with_every_model_in_it(
    s3: Any, answered: Answered, tmp_path: Path, models: int
) -> None:
    found = record(models)

    run(s3, answered(found), "--versions", "1", "--output", str(tmp_path))

    expected = {"figures.png", "roc.png", "reliability.png"} | (
        {"pairs.png"} if models > 1 else set()
    )
    assert {file.name for file in tmp_path.glob("*.png")} == expected
    for name in expected:
        drawn = colours_in(tmp_path / name)
        assert len(drawn) > 20, name
        if name != "pairs.png":
            assert drawn >= {to_hex(f"C{model}") for model in range(models)}, name


def colours_in(picture: Path) -> set[str]:
    with Image.open(picture) as image:
        found = image.convert("RGB").getcolors(image.width * image.height)
        return {to_hex(np.array(colour) / 255) for _, colour in found or ()}


def test_a_split_of_one_label_has_no_roc_picture(
    s3: Any, answered: Answered, tmp_path: Path
) -> None:
    code = run(
        s3, answered(record(2, positives=False)), "--versions", "1", "2", "--output", str(tmp_path)
    )

    assert code == COMPARED
    assert not (tmp_path / "roc.png").exists()
    assert "roc.png" not in (tmp_path / "index.html").read_text()


def test_one_photo_is_enough_to_draw(s3: Any, answered: Answered, tmp_path: Path) -> None:
    code = run(s3, answered(record(2, photos=1)), "--versions", "1", "--output", str(tmp_path))

    assert code == COMPARED


def test_the_page_shows_tables_and_pictures_and_escapes_what_it_is_told(
    s3: Any, answered: Answered, tmp_path: Path
) -> None:
    run(s3, answered(record(2)), "--versions", "1", "2", "--output", str(tmp_path))

    page = (tmp_path / "index.html").read_text()
    for picture in tmp_path.glob("*.png"):
        assert f'<img src="{picture.name}"' in page
    assert "<td>1 and 2</td>" in page
    assert "&lt;job-1&gt;" in page
    assert "<job-1>" not in page


def test_what_the_function_refuses_is_said_in_its_own_words(
    s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = {
        "errorType": "ModelNotFoundError",
        "errorMessage": "There is no model version 9 in the lake. There are: 1, 2.",
        "stackTrace": ["  File ..."],
    }

    code = run(s3, FakeFunctions(refusal, error=True), "--versions", "9")

    said = capsys.readouterr()
    assert code == NOT_ANSWERED
    assert said.err == "There is no model version 9 in the lake. There are: 1, 2.\n"
    assert said.out == ""
    assert not (tmp_path / "state").exists()


def test_a_cloud_that_is_down_is_said(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    down = ConnectTimeoutError(endpoint_url="https://localhost:4566")

    assert run(s3, FakeFunctions(down), "--versions", "1") == NOT_ANSWERED
    assert "Is it up?" in capsys.readouterr().err


def test_a_report_of_another_version_of_the_code_is_refused(
    s3: Any, answered: Answered, capsys: pytest.CaptureFixture[str]
) -> None:
    found = record(1)
    functions = answered(found)
    s3.put_object(
        Bucket=BUCKET, Key=f"{found.question.prefix}comparison.json", Body=b'{"schema": 99}'
    )

    assert run(s3, functions, "--versions", "1") == NOT_ANSWERED
    assert "schema 99 is not" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_said(
    s3: Any, answered: Answered, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")

    code = run(
        s3, answered(record(1)), "--versions", "1", "--output", str(tmp_path / "file" / "folder")
    )

    assert code == NOT_ANSWERED
    assert "Choose another --output" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--versions"], ["--versions", "1", "--split", "train"]])
def test_a_command_line_of_another_form_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments)

    assert refused.value.code == NOT_ANSWERED


def test_without_a_deployment_the_remedy_is_named(tmp_path: Path) -> None:
    endpoints = Endpoints.load({"LOCAL_STATE_DIR": str(tmp_path)})

    with pytest.raises(UnknownEndpointError, match="make up"):
        endpoints.require_compare_function()


def test_the_client_of_a_slow_call_waits_and_does_not_ask_twice(s3: Any) -> None:
    patient = Endpoints().client("lambda", answers_within_seconds=870).meta.config
    usual = Endpoints().client("lambda").meta.config

    assert patient.read_timeout == 870
    assert patient.retries["total_max_attempts"] == 1
    assert usual.retries["total_max_attempts"] == 5
    assert patient.connect_timeout == usual.connect_timeout == 5
