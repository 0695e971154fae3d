"""The real bundles: every handler imports with nothing but its bundle and boto3 beside it."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra_cdk.bundling import CachingBundler
from infra_cdk.settings import FUNCTIONS, REPOSITORY_ROOT
from infra_cdk.targets import Target
from tests.infrastructure.template_reading import Template, resources

RUNTIME_BRINGS = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
BUNDLES = ("serving", "api", "pipeline", "monitoring", "batch")
# What handlers import only when they need it.
LATE = {
    "serving": ["ai_edge_litert.interpreter.Interpreter"],
    "pipeline": [
        "mlflow.entities.Metric",
        "mlflow.exceptions.MlflowException",
        "mlflow.store.artifact.mlflow_artifacts_repo.MlflowArtifactsRepository",
        "mlflow.tracking.MlflowClient",
        "mlflow.store.artifact.s3_artifact_repo.S3ArtifactRepository",
        "requests.exceptions.RequestException",
        "sagemaker_mlflow.auth_provider.AuthProvider",
        "sagemaker_mlflow.mlflow_sagemaker_registry_store.MlflowSageMakerRegistryStore",
        "sagemaker_mlflow.mlflow_sagemaker_store.MlflowSageMakerStore",
        "sagemaker_mlflow.s3_presigned_artifact_repo.S3PresignedArtifactRepository",
    ],
}
IMPORT = """
import importlib, sys
sys.path[:0] = sys.argv[1:3]
for handler in sys.argv[3:]:
    module, _, name = handler.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name)), handler
    print(handler)
"""


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what Lambda's Python runtime has: boto3 and what it needs."""
    folder = tmp_path_factory.mktemp("runtime")
    for name in RUNTIME_BRINGS:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        place = origin.parent if origin.name == "__init__.py" else origin
        (folder / place.name).symlink_to(place)
    return folder


@pytest.fixture(scope="session")
def handlers(templates: Mapping[Target, Template]) -> Mapping[str, list[str]]:
    """The handlers of each bundle as the template names them."""
    named = {
        function["Handler"]
        for function in resources(templates[Target.LOCAL], "Lambda::Function").values()
    }
    return {
        bundle: sorted(name for name in named if name.startswith(f"lambdas.{bundle}."))
        for bundle in BUNDLES
    }


def test_every_handler_belongs_to_a_bundle(handlers: Mapping[str, list[str]]) -> None:
    assert sum(len(names) for names in handlers.values()) == len(FUNCTIONS)
    assert all(handlers.values())


@pytest.mark.parametrize("bundle", BUNDLES)
def test_a_bundle_imports_alone(
    bundle: str, handlers: Mapping[str, list[str]], runtime: Path, tmp_path: Path
) -> None:
    state = Path(os.environ.get("LOCAL_STATE_DIR", REPOSITORY_ROOT / ".local"))
    archive = CachingBundler(Target.LOCAL, state / "bundles").build(bundle)
    with zipfile.ZipFile(archive) as zip_file:
        zip_file.extractall(tmp_path)
    needed = [*handlers[bundle], *LATE.get(bundle, [])]

    # -S: no site-packages, so that what the bundle forgot is missing here too.
    imported = subprocess.run(
        [sys.executable, "-ISB", "-c", IMPORT, str(tmp_path), str(runtime), *needed],
        capture_output=True,
        text=True,
        check=False,
        env={"AWS_DEFAULT_REGION": "us-east-1", "POWERTOOLS_SERVICE_NAME": bundle},
    )

    assert imported.returncode == 0, imported.stderr
    assert imported.stdout.split() == needed


def test_the_pipelines_bundle_tells_mlflow_of_sagemakers_plugin() -> None:
    state = Path(os.environ.get("LOCAL_STATE_DIR", REPOSITORY_ROOT / ".local"))
    archive = CachingBundler(Target.LOCAL, state / "bundles").build("pipeline")

    with zipfile.ZipFile(archive) as zip_file:
        (told,) = (
            zip_file.read(name).decode()
            for name in zip_file.namelist()
            if re.fullmatch(r"sagemaker_mlflow-.*/entry_points\.txt", name)
        )
    assert "[mlflow.tracking_store]\narn = sagemaker_mlflow" in told


def test_no_bundle_carries_what_the_runtime_has() -> None:
    for bundle in BUNDLES:
        pinned = (REPOSITORY_ROOT / "lambdas" / bundle / "requirements.txt").read_text()
        assert not [name for name in ("boto3", "botocore", "s3transfer") if f"\n{name}==" in pinned]


def test_the_pure_core_imports_neither_boto3_nor_keras() -> None:
    imported = {
        name.split(".")[0]
        for path in (REPOSITORY_ROOT / "areyouacat").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert imported <= {*sys.stdlib_module_names, "areyouacat", "numpy", "PIL"}
