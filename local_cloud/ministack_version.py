"""The MiniStack that `ministack_hooks.py` was written for, and what of its inside that touches.

After an upgrade, `moved()` names what is no longer as it was: look at each of them and at the hook
that uses it, then set the version here.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
from operator import attrgetter

MINISTACK_VERSION = "1.5.33"

_DICT, _COROUTINE = "dict", "async "
TOUCHED = {
    "ministack.app:app": _COROUTINE + "(scope, receive, send)",
    "ministack.app:AUTH": "bool",
    "ministack.app:PERSIST_STATE": "bool",
    "ministack.app:SERVICE_HANDLERS": _DICT,
    "ministack.app:_state_map": _DICT,
    "ministack.app:_get_module": "(name: str)",
    "ministack.app:_load_persisted_state": "()",
    "ministack.app:_build_persistence_save_dict": "()",
    "ministack.app:save_all": "(services: dict) -> None",
    "ministack.core.persistence:STATE_DIR": "str",
    "ministack.core.persistence:_json_default": "(obj)",
    "ministack.core.persistence:_state_format_version": "(service: str) -> int",
    "ministack.core.persistence:load_state": "(service: str) -> dict | None",
    "ministack.core.responses:get_account_id": "() -> str",
    "ministack.core.responses:get_region": "() -> str",
    "ministack.core.router:SERVICE_PATTERNS": _DICT,
    "ministack.core.router:extract_access_key_id": "(headers: dict, query_params=None) -> str",
    "ministack.core.iam_actions:SERVICE_TO_IAM_NAMESPACE": _DICT,
    "ministack.core.iam_actions:extract_resource_arn": (
        "(service: str, method: str, path: str, headers: dict, body: bytes, query_params: dict, "
        "region: str, account_id: str) -> str"
    ),
    "ministack.core.iam_actions:access_denied_response": (
        "(service: str, action: str, principal_arn: str, request_id: str, *, "
        "error_code: str = '', message: str = '', headers: dict | None = None, "
        "resource_arn: str = '*', explicit_deny: bool = False, resource_policy_arn: str = '') "
        "-> tuple"
    ),
    "ministack.core.iam_evaluator:_is_root_key": "(access_key_id: str) -> bool",
    "ministack.core.iam_evaluator:EvalResult": (
        "(decision: str, principal_arn: str = '', matched_sid: str = '', reason: str = '', "
        "resource_policy_arn: str = '') -> None"
    ),
    "ministack.core.iam_evaluator:enforce": (
        "(access_key_id: str, iam_action: str, service: str, region: str, "
        "resource_arn: str = '*', service_context: dict[str, typing.Any] | None = None) -> "
        "ministack.core.iam_evaluator.EvalResult | ministack.core.iam_evaluator.AuthError | None"
    ),
    "ministack.core.lambda_runtime:Worker._drain_stderr_bounded": (
        "(self, first_line_wait: float = 0.05, idle_confirm: float = 0.005, "
        "hard_cap: float = 0.25) -> str"
    ),
    "ministack.services.cloudformation:_stacks": "AccountRegionScopedDict",
    "ministack.services.iam:_roles": "AccountScopedDict",
    "ministack.services.lambda_svc:CODE_BLOB_DIR": "str",
    "ministack.services.lambda_svc:_execute_function_with_config_scope": (
        "(func: dict, event: dict) -> dict"
    ),
    "ministack.services.s3:DATA_DIR": "str",
    "ministack.services.s3:_VERSIONS_DIR": "str",
    "ministack.services.stepfunctions:_SERVICE_DISPATCH": _DICT,
    "ministack.services.stepfunctions:_ExecutionError": "(error, cause)",
    "ministack.services.sts:register_session": "(access_key: str, session: dict) -> None",
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
