"""StageVariant: is this model version whole, and how does the pointer name it?"""

from typing import Final

from areyouacat.errors import CorruptModelError, ModelNotFoundError
from areyouacat.lake import model_prefix, sha256_hex
from areyouacat.model_spec import MODEL_FILE, SPEC_FILE
from areyouacat.serving_pointer import CHALLENGER, Variant
from lambdas.pipeline.logic.ports import Lake
from lambdas.shared.model_files import verified_spec

_MODELS_PREFIX: Final = f"{model_prefix('').rstrip('/')}/"


def stage(lake: Lake, version: str) -> Variant:
    """The variant of a version whose files are all there and say what their hashes say.

    Looks at the lake alone, so that any version can be served again while MLflow is down.

    Raises:
        ModelNotFoundError: no such version; names those that exist.
        CorruptModelError: a file is missing, damaged, or not for this build of serving.
    """
    prefix = model_prefix(version)
    tflite = lake.read(f"{prefix}{MODEL_FILE}")
    spec_json = lake.read(f"{prefix}{SPEC_FILE}")
    if tflite is None and spec_json is None:
        raise ModelNotFoundError(
            f"There is no model version {version} in the lake. {_existing(lake)}"
        )
    if tflite is None or spec_json is None:
        missing = MODEL_FILE if tflite is None else SPEC_FILE
        raise CorruptModelError(
            f"Model version {version} lacks {missing}. Register it again, or choose another."
        )
    spec = verified_spec(spec_json, tflite, f"Model version {version}")
    return Variant(
        role=CHALLENGER,
        name=spec.model_name,
        version=version,
        weight=0.0,
        key=f"{prefix}{MODEL_FILE}",
        sha256=spec.tflite.sha256,
        model_json_key=f"{prefix}{SPEC_FILE}",
        model_json_sha256=sha256_hex(spec_json),
    )


def _existing(lake: Lake) -> str:
    versions = sorted(lake.folders(_MODELS_PREFIX), key=lambda name: (len(name), name))
    return f"There are: {', '.join(versions)}." if versions else "There is none yet: make train."
