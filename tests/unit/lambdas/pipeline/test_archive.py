import io
import tarfile

import pytest

from areyouacat.errors import CorruptModelError
from areyouacat.model_spec import KERAS_FILE, MODEL_FILE, SPEC_FILE
from lambdas.pipeline.logic import archive
from lambdas.pipeline.logic.archive import unpack, verified_spec
from tests.unit.lambdas.pipeline.factories import TFLITE, model_archive, model_files, model_spec


def test_an_archive_gives_the_model_files_and_nothing_else() -> None:
    assert set(unpack(model_archive())) == {MODEL_FILE, SPEC_FILE, KERAS_FILE}


def test_names_may_begin_with_a_dot_and_a_slash() -> None:
    files = {f"./{name}": content for name, content in model_files().items()}

    assert unpack(model_archive(files))[MODEL_FILE] == TFLITE


@pytest.mark.parametrize("name", ["../model.tflite", "/model.tflite", "code/model.tflite"])
def test_a_model_file_elsewhere_in_the_archive_does_not_count(name: str) -> None:
    files = model_files()
    files[name] = files.pop(MODEL_FILE)

    with pytest.raises(CorruptModelError, match=r"lacks model\.tflite"):
        unpack(model_archive(files))


def test_a_link_is_no_model_file() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        link = tarfile.TarInfo(MODEL_FILE)
        link.type = tarfile.SYMTYPE
        link.linkname = "/etc/passwd"
        tar.addfile(link)

    with pytest.raises(CorruptModelError, match=r"lacks model\.tflite"):
        unpack(packed.getvalue())


def test_a_model_file_twice_is_refused() -> None:
    files = {**model_files(), f"./{MODEL_FILE}": b"another network"}

    with pytest.raises(CorruptModelError, match="twice"):
        unpack(model_archive(files))


def test_a_file_beyond_the_limit_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MAX_FILE_BYTES", len(TFLITE) - 1)

    with pytest.raises(CorruptModelError, match="at most"):
        unpack(model_archive())


@pytest.mark.parametrize("damaged", [b"", b"no archive at all", model_archive()[:60]])
def test_a_damaged_archive_is_a_corrupt_model(damaged: bytes) -> None:
    with pytest.raises(CorruptModelError):
        unpack(damaged)


def test_a_whole_model_is_verified() -> None:
    spec = model_spec()

    assert verified_spec(spec.to_json(), TFLITE, "here") == spec


def test_a_changed_network_is_refused_with_both_hashes() -> None:
    with pytest.raises(CorruptModelError, match=model_spec().tflite.sha256):
        verified_spec(model_spec().to_json(), TFLITE + b"!", "here")


def test_an_unreadable_spec_is_refused() -> None:
    with pytest.raises(CorruptModelError, match=r"here: not a model\.json"):
        verified_spec(b"[]", TFLITE, "here")


def test_a_model_for_other_labels_is_refused() -> None:
    spec = model_spec(positive_label="dog")

    with pytest.raises(CorruptModelError, match="positive label is 'dog'"):
        verified_spec(spec.to_json(), TFLITE, "here")
