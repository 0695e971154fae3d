from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from areyouacat.errors import CorruptModelError
from lambdas.shared import model_files
from lambdas.shared.model_files import unpack, verified_spec
from tests.unit.lambdas.pipeline.factories import TFLITE, model_spec


def archive(members: list[tuple[str, bytes]], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:  # type: ignore[call-overload]
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def test_wanted_files_are_unpacked_and_others_left() -> None:
    data = archive([("./model.tflite", b"m"), ("model.json", b"j"), ("model.keras", b"k")])

    assert unpack(data, {"model.tflite", "model.json"}) == {
        "model.tflite": b"m",
        "model.json": b"j",
    }


def test_an_optional_file_may_be_missing() -> None:
    data = archive([("model.tflite", b"m"), ("reference.csv", b"r")])

    found = unpack(data, {"model.tflite"}, {"reference.csv", "other.csv"})

    assert found == {"model.tflite": b"m", "reference.csv": b"r"}


def test_a_path_that_leads_elsewhere_is_not_the_file(tmp_path: Path) -> None:
    data = archive([("../model.tflite", b"evil"), ("/model.tflite", b"evil")])

    with pytest.raises(CorruptModelError, match=r"lacks model\.tflite"):
        unpack(data, {"model.tflite"})


def test_a_link_is_not_a_file() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        link = tarfile.TarInfo("model.tflite")
        link.type = tarfile.SYMTYPE
        link.linkname = "/etc/passwd"
        tar.addfile(link)

    with pytest.raises(CorruptModelError, match="lacks"):
        unpack(buffer.getvalue(), {"model.tflite"})


@pytest.mark.parametrize(
    "data",
    [b"", b"no archive", archive([("model.tflite", b"m" * 5000)])[:60]],
    ids=["empty", "noise", "cut off"],
)
def test_a_damaged_archive_is_a_corrupt_model(data: bytes) -> None:
    with pytest.raises(CorruptModelError):
        unpack(data, {"model.tflite"})


def test_a_file_that_is_there_twice_is_refused() -> None:
    with pytest.raises(CorruptModelError, match="twice"):
        unpack(archive([("model.json", b"1"), ("model.json", b"2")]), {"model.json"})


def test_too_large_a_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "MAX_FILE_BYTES", 10)

    with pytest.raises(CorruptModelError, match="at most 10"):
        unpack(archive([("model.json", b"x" * 11)]), {"model.json"})


def test_an_archive_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "MAX_UNPACKED_BYTES", 100)

    with pytest.raises(CorruptModelError, match="more than 100"):
        unpack(archive([("filler", b"\0" * 101), ("model.json", b"{}")]), {"model.json"})


def test_a_whole_model_is_verified() -> None:
    spec = model_spec()

    assert verified_spec(spec.to_json(), TFLITE, "here") == spec


def test_a_changed_network_is_refused_with_both_hashes() -> None:
    with pytest.raises(CorruptModelError, match=model_spec().tflite.sha256):
        verified_spec(model_spec().to_json(), TFLITE + b"!", "here")


def test_an_unreadable_spec_is_refused() -> None:
    with pytest.raises(CorruptModelError, match=r"here: model\.json cannot be read"):
        verified_spec(b"[]", TFLITE, "here")


def test_a_model_for_other_labels_is_refused() -> None:
    spec = model_spec(positive_label="dog")

    with pytest.raises(CorruptModelError, match="positive label is 'dog'"):
        verified_spec(spec.to_json(), TFLITE, "here")
