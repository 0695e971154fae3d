"""The MiniStack that the hooks were written for, and what of its inside they touch.

After an upgrade, `moved()` names what is no longer as it was: look at each of them and at what uses
it, in `ministack_hooks.py` or `sagemaker/ministack.py`, then set the version here.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
from operator import attrgetter

from local_cloud.sagemaker import ministack

MINISTACK_VERSION = "1.5.33"

_COROUTINE = "async "
TOUCHED = {
    **ministack.TOUCHED,
    "ministack.app:app": _COROUTINE + "(scope, receive, send)",
    "ministack.app:AUTH": "bool",
    "ministack.app:PERSIST_STATE": "bool",
    "ministack.app:_state_map": "dict",
    "ministack.app:_get_module": "(name: str)",
    "ministack.app:_load_persisted_state": "()",
    "ministack.app:_build_persistence_save_dict": "()",
    "ministack.app:save_all": "(services: dict) -> None",
    "ministack.core.persistence:STATE_DIR": "str",
    "ministack.core.persistence:_json_default": "(obj)",
    "ministack.core.persistence:_state_format_version": "(service: str) -> int",
    "ministack.core.persistence:load_state": "(service: str) -> dict | None",
    "ministack.core.iam_evaluator:_is_root_key": "(access_key_id: str) -> bool",
    "ministack.core.iam_evaluator:EvalResult": (
        "(decision: str, principal_arn: str = '', matched_sid: str = '', reason: str = '', "
        "resource_policy_arn: str = '') -> None"
    ),
    "ministack.core.iam_evaluator:evaluate": (
        "(ctx: ministack.core.iam_evaluator.EvalContext, "
        "policies: list[list[ministack.core.iam_evaluator.ParsedStatement]], "
        "*limits: list[list[ministack.core.iam_evaluator.ParsedStatement]]) -> "
        "ministack.core.iam_evaluator.EvalResult"
    ),
    "ministack.core.iam_evaluator:_first_match": (
        "(ctx: ministack.core.iam_evaluator.EvalContext, "
        "stmts: list[ministack.core.iam_evaluator.ParsedStatement], effect: str) -> "
        "ministack.core.iam_evaluator.ParsedStatement | None"
    ),
    "ministack.core.iam_evaluator:fnmatch_iam_cs": "(value: str, pattern: str) -> bool",
    "ministack.core.lambda_runtime:Worker._drain_stderr_bounded": (
        "(self, first_line_wait: float = 0.05, idle_confirm: float = 0.005, "
        "hard_cap: float = 0.25) -> str"
    ),
    "ministack.services.cloudformation:_stacks": "AccountRegionScopedDict",
    "ministack.services.cloudwatch:_dims_from_list": "(dimensions: list[dict]) -> dict",
    "ministack.services.lambda_svc:CODE_BLOB_DIR": "str",
    "ministack.services.lambda_svc:_execute_function_with_config_scope": (
        "(func: dict, event: dict) -> dict"
    ),
    "ministack.services.stepfunctions:_run_distributed_map": (
        "(state_def, raw_input, effective, iterator, execution, ctx)"
    ),
    "ministack.services.stepfunctions:_resolve_path_or_ctx": "(path, data, ctx)",
    "ministack.services.s3:DATA_DIR": "str",
    "ministack.services.s3:_VERSIONS_DIR": "str",
}


class IncompatibleEmulatorError(Exception):
    """MiniStack is not the one these hooks were written for."""


def moved() -> list[str]:
    """One line for each thing that is not as these hooks expect it; empty if all is well."""
    installed = importlib.metadata.version("ministack")
    found = []
    if installed != MINISTACK_VERSION:
        found.append(f"version: is {installed}, was {MINISTACK_VERSION}")
    for name, expected in TOUCHED.items():
        module, _, attribute = name.partition(":")
        try:
            actual = _describe(attrgetter(attribute)(importlib.import_module(module)))
        except (ImportError, AttributeError):
            actual = "gone"
        if actual != expected:
            found.append(f"{name}: is {actual}, was {expected}")
    return found


def require_expected_version() -> None:
    """Raise `IncompatibleEmulatorError`, naming what to look at, if MiniStack is another version.

    The version is pinned exactly, so its number is enough at every start; a test looks at the rest.
    """
    installed = importlib.metadata.version("ministack")
    if installed != MINISTACK_VERSION:
        modules = sorted({name.partition(":")[0] for name in TOUCHED})
        raise IncompatibleEmulatorError(
            f"MiniStack {installed} is installed, but the local cloud was written for "
            f"{MINISTACK_VERSION}. Check ministack_version.moved() and what it touches in "
            f"{', '.join(modules)}, then set MINISTACK_VERSION."
        )


def _describe(thing: object) -> str:
    if inspect.isclass(thing) or inspect.isroutine(thing):
        prefix = _COROUTINE if inspect.iscoroutinefunction(thing) else ""
        return prefix + str(inspect.signature(thing))
    return type(thing).__name__
