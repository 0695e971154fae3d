"""Everything that touches MiniStack's inside, but for SageMaker (`sagemaker/ministack.py`).

`ministack_version.py` says which version this was written for, and what of it is touched. Call
these functions only with the environment set: MiniStack reads it when it is imported.

What is hooked, and why:
- the root key: MiniStack takes its name for proof; here its signature is checked like others';
- a function's failure: MiniStack calls each one `Runtime.HandlerError`, so that no state machine
  could retry or catch an error by its name; here it has the exception's name, as on AWS;
- the end of a call's log: MiniStack waits 5 ms for more after the last line; here 1 ms;
- a metric without dimensions: MiniStack takes it for all metrics of its name together, so that what
  is counted once more by a dimension is counted twice; here it is one of its own, as on AWS;
- how much a Distributed Map does at once: MiniStack knows a number in the definition, but not one
  in the input (`MaxConcurrencyPath`), and would start 64 children on two cores;
- the rights that are used: MiniStack decides and forgets; here each grant that let a request
  through is told, so that one can see those that nobody needs;
- saving and loading: whole checkpoints (`checkpoint.py`) take the place of files that MiniStack
  writes one by one when it ends, and that it skips, with a line in its log, where they do not load.
"""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from local_cloud.lambda_errors import error_type

LOG_QUIET_SECONDS = 0.001


class UnusableStateError(Exception):
    """A service did not take its part of a checkpoint."""


def asgi_app() -> Callable[..., Any]:
    """MiniStack's ASGI application."""
    app: Callable[..., Any] = _module("ministack.app").app
    return app


def require_signature_of_root() -> None:
    """Have requests signed with the root key checked like everybody else's.

    Only a request that names no key at all stays MiniStack's root: it refuses those as anonymous
    wherever a signature is needed.
    """
    _module("ministack.core.iam_evaluator")._is_root_key = lambda access_key_id: not access_key_id


def name_lambda_errors() -> None:
    """Give a failed function's `errorType` the name of the exception that it raised."""
    functions = _module("ministack.services.lambda_svc")
    execute = functions._execute_function_with_config_scope

    def execute_and_name(*arguments: Any, **more: Any) -> dict[str, Any]:
        result: dict[str, Any] = execute(*arguments, **more)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict):
            found = error_type(result.get("log") or "")
            if found and body.get("errorType") == "Runtime.HandlerError":
                body["errorType"] = found
        return result

    functions._execute_function_with_config_scope = execute_and_name


def end_logs_sooner() -> None:
    """Take a call's log for whole when nothing has followed its last line for a moment.

    All of it was written before the answer, so it only has to come through the pipe.
    """
    drain = _module("ministack.core.lambda_runtime").Worker._drain_stderr_bounded
    first_line_wait, _, hard_cap = drain.__defaults__
    drain.__defaults__ = (first_line_wait, LOG_QUIET_SECONDS, hard_cap)


def tell_metrics_apart() -> None:
    """Give who asks for a metric without dimensions that metric alone."""
    cloudwatch = _module("ministack.services.cloudwatch")
    read = cloudwatch._dims_from_list

    def read_and_mean_it(dimensions: list[Any]) -> _Dimensions:
        return _Dimensions(read(dimensions))

    cloudwatch._dims_from_list = read_and_mean_it


def heed_max_concurrency_path() -> None:
    """Bound a Distributed Map by the number at its `MaxConcurrencyPath`."""
    workflows = _module("ministack.services.stepfunctions")
    run_map = workflows._run_distributed_map

    def run_bounded_map(state: dict[str, Any], given: Any, effective: Any, *more: Any) -> Any:
        if path := state.get("MaxConcurrencyPath"):
            *_, context = more
            most = workflows._resolve_path_or_ctx(path, effective, context)
            state = {**state, "MaxConcurrency": most}
        return run_map(state, given, effective, *more)

    workflows._run_distributed_map = run_bounded_map


def tell_rights_used(note: Callable[[str, str, str], None]) -> None:
    """Tell `note` of each grant that let a request through: principal, action, resource.

    Of grants that name the action, not of those that mean it with a `*`.
    """
    iam = _module("ministack.core.iam_evaluator")
    decide = iam.evaluate

    def decide_and_tell(request: Any, policies: list[Any], *limits: Any) -> Any:
        result = decide(request, policies, *limits)
        if result.decision == "Allow":
            for statement in (one for policy in policies for one in policy):
                # By its name first, because matching takes ten times as long.
                named = request.action in statement.actions
                if named and iam._first_match(request, [statement], "Allow"):
                    for resource in statement.resources:
                        if iam.fnmatch_iam_cs(request.resource_arn, resource):
                            note(request.principal_arn, request.action, resource)
        return result

    iam.evaluate = decide_and_tell


class _Dimensions(dict[str, str]):
    """A metric's dimensions: having none is an answer, too."""

    def __bool__(self) -> bool:
        return True


# --- State ---


def stack_in_progress() -> bool:
    """Whether CloudFormation is between two states, so that a checkpoint would show half of one.

    REVIEW_IN_PROGRESS is no such state: it is a stack that waits for a person.
    """
    # Importing it imports every service, and where nobody did, there is no stack.
    cloudformation = sys.modules.get("ministack.services.cloudformation")
    stacks = list(cloudformation._stacks._data.values()) if cloudformation else []
    return any(
        str(stack.get("StackStatus", "")).endswith("_IN_PROGRESS")
        and stack["StackStatus"] != "REVIEW_IN_PROGRESS"
        for stack in stacks
    )


def services_state() -> Iterator[tuple[str, bytes]]:
    """Each service's name and state, in the format that MiniStack loads.

    Function code is left in `code_blobs`. Raises whatever a service raises: a checkpoint without
    one of them is none.
    """
    persistence = _module("ministack.core.persistence")
    for name, get_state in _module("ministack.app")._build_persistence_save_dict().items():
        state = get_state()
        if state is not None:
            wrapped = {
                "__ministack_format__": persistence._state_format_version(name),
                "payload": state,
            }
            yield name, json.dumps(wrapped, default=persistence._json_default).encode()


def code_blobs() -> Path:
    """Where MiniStack keeps the code of functions, by hash, once their state was taken."""
    return Path(_module("ministack.services.lambda_svc").CODE_BLOB_DIR)


def take_over_persistence(on_unusable: Callable[[UnusableStateError], NoReturn]) -> None:
    """Load state strictly at startup, and leave saving to the checkpoints.

    `on_unusable` is called from inside the server's startup, where an exception would be ignored.
    """
    app = _module("ministack.app")
    persistence = _module("ministack.core.persistence")

    def load() -> None:
        for name, module in app._state_map.items():
            if not (Path(persistence.STATE_DIR) / f"{name}.json").exists():
                continue
            try:
                state = persistence.load_state(name)
                if state is None:
                    raise ValueError("it could not be read")
                app._get_module(module).load_persisted_state(state)
            except Exception as error:
                on_unusable(UnusableStateError(f"the state of {name} does not load: {error!r}"))

    app._load_persisted_state = load
    app.save_all = lambda _services: None


def remove_unknown_buckets(data: Path, state: Path) -> list[str]:
    """Remove objects on disk of buckets that the state to be loaded does not have; their names.

    MiniStack would bring such buckets back, without policies or owner, and a stack that wants to
    create them would fail. To be called before MiniStack's services are imported.
    """
    persistence = _module("ministack.core.persistence")
    loaded = persistence.load_state("s3") if (state / "s3.json").exists() else None
    known = set(((loaded or {}).get("buckets_meta") or _Nothing)._data)
    removed = []
    for folder in sorted(data.glob("*/*")):
        if folder.parent.name != _VERSIONS and (folder.parent.name, folder.name) not in known:
            removed.append(folder.name)
            shutil.rmtree(folder)
            shutil.rmtree(data / _VERSIONS / folder.parent.name / folder.name, ignore_errors=True)
    return removed


class _Nothing:
    _data: dict[tuple[str, str], object] = {}  # noqa: RUF012 - never written to


_VERSIONS = ".versions"
"""`ministack.services.s3._VERSIONS_DIR`, which must not be imported yet."""


def _module(name: str) -> Any:
    return importlib.import_module(name)
