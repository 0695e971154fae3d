"""Everything that touches MiniStack's inside; nothing else in the project does.

`ministack_version.py` says which version this was written for, and what of it is touched. Call
these functions only with the environment set: MiniStack reads it when it is imported.

What is hooked, and why:
- the router and IAM tables: `SageMaker.*` requests are routed, authenticated and checked like any
  other service's;
- Step Functions' table of integrations: the `sagemaker:create*Job[.sync]` tasks;
- the root key: MiniStack takes its name for proof; here its signature is checked like others';
- a function's failure: MiniStack calls each one `Runtime.HandlerError`, so that no state machine
  could retry or catch an error by its name; here it has the exception's name, as on AWS;
- the end of a call's log: MiniStack waits 5 ms for more after the last line; here 1 ms;
- saving and loading: whole checkpoints (`checkpoint.py`) take the place of files that MiniStack
  writes one by one when it ends, and that it skips, with a line in its log, where they do not load.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn, Protocol, cast

from local_cloud.lambda_errors import error_type
from local_cloud.sagemaker_iam import passed_role, resource_arn, trusts_service

SAGEMAKER = "sagemaker"
LOG_QUIET_SECONDS = 0.001
SAGEMAKER_PRINCIPAL = "sagemaker.amazonaws.com"


class SageMaker(Protocol):
    """What answers SageMaker's API; calls may block."""

    def handle(
        self, action: str, payload: dict[str, Any], account: str, region: str
    ) -> tuple[int, dict[str, Any]]:
        """The HTTP status and body for an action."""


class TaskFailure(Protocol):
    """What a failed Step Functions task says: ASL's error name and the cause."""

    error: str
    cause: str


RunTask = Callable[[str, dict[str, Any], str, str], dict[str, Any]]
"""(task resource, arguments, account, region) -> the task's result; blocks until it is there."""


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


# --- SageMaker ---


def route_sagemaker(service: SageMaker) -> None:
    """Serve SageMaker's API, authenticated and checked by IAM."""
    app, responses = _module("ministack.app"), _module("ministack.core.responses")
    iam_actions = _module("ministack.core.iam_actions")
    ministack_arn = iam_actions.extract_resource_arn

    def extract_resource_arn(name: str, *request: Any, **more: Any) -> str:
        if name != SAGEMAKER:
            return str(ministack_arn(name, *request, **more))
        _, _, headers, body, _, region, account = request
        return resource_arn(_action(headers), _payload(body), account, region)

    async def handle(
        _method: str, _path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> tuple[int, dict[str, str], bytes]:
        payload = _payload(body)
        if payload is None:
            return _json(400, {"__type": "SerializationException", "message": "no JSON object"})
        denied = _pass_role_denied(payload, headers, query)
        if denied is not None:
            return denied
        account, region = responses.get_account_id(), responses.get_region()
        status, answer = await asyncio.to_thread(
            service.handle, _action(headers), payload, account, region
        )
        return _json(status, answer)

    _module("ministack.core.router").SERVICE_PATTERNS[SAGEMAKER] = {
        "target_prefixes": ["SageMaker."],
        "credential_scope": SAGEMAKER,
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SAGEMAKER] = SAGEMAKER
    iam_actions.extract_resource_arn = extract_resource_arn
    app.SERVICE_HANDLERS[SAGEMAKER] = handle


def add_sagemaker_tasks(run_task: RunTask, failed: type[Exception]) -> None:
    """Run the `sagemaker:create*Job` tasks of state machines.

    `failed` is what `run_task` raises; it must be a `TaskFailure`.
    """
    stepfunctions = _module("ministack.services.stepfunctions")
    responses = _module("ministack.core.responses")

    def task(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
        account, region = responses.get_account_id(), responses.get_region()
        try:
            return run_task(resource, arguments, account, region)
        except failed as failure:
            told = cast(TaskFailure, failure)
            raise stepfunctions._ExecutionError(told.error, told.cause) from failure

    for action in ("createTrainingJob", "createProcessingJob"):
        stepfunctions._SERVICE_DISPATCH[f"arn:aws:states:::sagemaker:{action}"] = task


def _pass_role_denied(
    payload: dict[str, Any], headers: dict[str, str], query: dict[str, Any]
) -> tuple[int, dict[str, str], bytes] | None:
    """The refusal of a caller who may not hand the job its role, as on AWS."""
    role = passed_role(payload)
    if role is None:
        return None
    evaluator = _module("ministack.core.iam_evaluator")
    access_key = _module("ministack.core.router").extract_access_key_id(headers, query)
    denied = evaluator.enforce(
        access_key,
        "iam:PassRole",
        "iam",
        _module("ministack.core.responses").get_region(),
        resource_arn=role,
        service_context={"iam:PassedToService": SAGEMAKER_PRINCIPAL},
    )
    if denied is None:
        return None
    refusal: tuple[int, dict[str, str], bytes] = _module(
        "ministack.core.iam_actions"
    ).access_denied_response(
        SAGEMAKER,
        "iam:PassRole",
        getattr(denied, "principal_arn", ""),
        secrets.token_hex(16),
        headers=headers,
        resource_arn=role,
    )
    return refusal


def _action(headers: dict[str, str]) -> str:
    return headers.get("x-amz-target", "").rpartition(".")[2]


def _payload(body: bytes) -> dict[str, Any] | None:
    try:
        payload = json.loads(body or b"{}")
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None


def _json(status: int, answer: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()


def role_credentials(role_arn: str, session_name: str) -> dict[str, str]:
    """Credentials for a job that runs as a role: the three AWS_* variables.

    They end with the gateway. Raises `ValueError` if the role does not exist or does not trust
    SageMaker.
    """
    account, _, name = role_arn.partition("iam::")[2].partition(":role/")
    role = _module("ministack.services.iam")._roles.get_scoped(account, None, name.split("/")[-1])
    if role is None or role.get("Arn") != role_arn:
        raise ValueError(f"the role {role_arn} does not exist")
    if not trusts_service(role.get("AssumeRolePolicyDocument", ""), SAGEMAKER_PRINCIPAL):
        raise ValueError(f"the trust policy of {role_arn} does not let {SAGEMAKER_PRINCIPAL} in")
    access_key = f"ASIA{secrets.token_hex(8).upper()}"
    secret, token = secrets.token_hex(32), secrets.token_hex(32)
    role_name, session = role["RoleName"], session_name[:64]
    _module("ministack.services.sts").register_session(
        access_key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{session}",
            "UserId": f"{role.get('RoleId', role_name)}:{session}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )
    return {
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
    }


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
