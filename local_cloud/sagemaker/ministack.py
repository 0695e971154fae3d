"""The three points at which SageMaker touches MiniStack; nothing else in this package does.

1. the router and IAM's tables: `SageMaker.*` requests are routed, authenticated and checked like
   any other service's, with what they need beside their own permission;
2. Step Functions: its table of integrations, and what ends with a stopped execution or a state that
   timed out: MiniStack lets their tasks, retries, branches and inner executions go on;
3. the roles: a job's credentials.

`TOUCHED` is what of MiniStack's inside that takes, as it was in the version this was written for;
whoever pins that version compares. Call these functions with MiniStack's environment set: it reads
it when it is imported.
"""

import asyncio
import importlib
import json
import secrets
import threading
from functools import partial
from typing import Any

from local_cloud.sagemaker.abandonment import (
    Abandoned,
    ending_with,
    is_given_up,
    part_of,
    surroundings,
)
from local_cloud.sagemaker.iam import (
    SAGEMAKER_PRINCIPAL,
    Permission,
    also_needed,
    resource_arn,
    trusts_service,
)
from local_cloud.sagemaker.service import SageMakerService
from local_cloud.sagemaker.stepfunctions import INTEGRATIONS, TaskAbandoned, TaskFailed, run_task

TOUCHED = {
    "ministack.app:SERVICE_HANDLERS": "dict",
    "ministack.core.responses:get_account_id": "() -> str",
    "ministack.core.responses:get_region": "() -> str",
    "ministack.core.router:SERVICE_PATTERNS": "dict",
    "ministack.core.router:extract_access_key_id": "(headers: dict, query_params=None) -> str",
    "ministack.core.iam_actions:SERVICE_TO_IAM_NAMESPACE": "dict",
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
    "ministack.core.iam_evaluator:enforce": (
        "(access_key_id: str, iam_action: str, service: str, region: str, "
        "resource_arn: str = '*', service_context: dict[str, typing.Any] | None = None) -> "
        "ministack.core.iam_evaluator.EvalResult | ministack.core.iam_evaluator.AuthError | None"
    ),
    "ministack.services.iam:_roles": "AccountScopedDict",
    "ministack.services.stepfunctions:_SERVICE_DISPATCH": "dict",
    "ministack.services.stepfunctions:_ExecutionError": "(error, cause)",
    "ministack.services.stepfunctions:_add_event": "(execution, event_type, details=None)",
    "ministack.services.stepfunctions:_executions": "AccountRegionScopedDict",
    "ministack.services.stepfunctions:_fail_execution": "(execution, error, cause)",
    "ministack.services.stepfunctions:_invoke_resource": "(resource, input_data)",
    "ministack.services.stepfunctions:_invoke_resource_with_timeout": (
        "(resource, input_data, timeout)"
    ),
    "ministack.services.stepfunctions:_run_execution": "(exec_arn)",
    "ministack.services.stepfunctions:_run_sub_machine": (
        "(states, start_at, input_data, execution, ctx)"
    ),
    "ministack.services.stepfunctions:_stop_execution": "(data)",
    "ministack.services.sts:register_session": "(access_key: str, session: dict) -> None",
}
_SAGEMAKER = "sagemaker"
_RUNNING, _ABORTED = "RUNNING", "ABORTED"
_TIMEOUT = "States.Timeout"

Answer = tuple[int, dict[str, str], bytes]


def attach(service: SageMakerService) -> None:
    """Serve SageMaker's API and its Step Functions integrations."""
    _route(service)
    _add_tasks(service)
    _end_what_nobody_waits_for()


# --- 1. requests ---


def _route(service: SageMakerService) -> None:
    app, responses = _module("ministack.app"), _module("ministack.core.responses")
    iam_actions = _module("ministack.core.iam_actions")
    ministack_arn = iam_actions.extract_resource_arn

    def extract_resource_arn(name: str, *request: Any, **more: Any) -> str:
        if name != _SAGEMAKER:
            return str(ministack_arn(name, *request, **more))
        _, _, headers, body, _, region, account = request
        return resource_arn(_action(headers), _payload(body), account, region)

    async def handle(
        _method: str, _path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Answer:
        payload = _payload(body)
        if payload is None:
            return _json(400, {"__type": "SerializationException", "message": "no JSON object"})
        account, region = responses.get_account_id(), responses.get_region()
        for permission in also_needed(_action(headers), payload, account, region):
            denied = _denied(permission, headers, query)
            if denied is not None:
                return denied
        status, answer = await asyncio.to_thread(
            service.handle, _action(headers), payload, account, region
        )
        return _json(status, answer)

    _module("ministack.core.router").SERVICE_PATTERNS[_SAGEMAKER] = {
        "target_prefixes": ["SageMaker."],
        "credential_scope": _SAGEMAKER,
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE[_SAGEMAKER] = _SAGEMAKER
    iam_actions.extract_resource_arn = extract_resource_arn
    app.SERVICE_HANDLERS[_SAGEMAKER] = handle


def _denied(
    permission: Permission, headers: dict[str, str], query: dict[str, Any]
) -> Answer | None:
    """The refusal of a caller who lacks a permission, as on AWS."""
    access_key = _module("ministack.core.router").extract_access_key_id(headers, query)
    denied = _module("ministack.core.iam_evaluator").enforce(
        access_key,
        permission.action,
        permission.action.partition(":")[0],
        _module("ministack.core.responses").get_region(),
        resource_arn=permission.resource,
        service_context=dict(permission.context),
    )
    if denied is None:
        return None
    refusal: Answer = _module("ministack.core.iam_actions").access_denied_response(
        _SAGEMAKER,
        permission.action,
        getattr(denied, "principal_arn", ""),
        secrets.token_hex(16),
        headers=headers,
        resource_arn=permission.resource,
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


def _json(status: int, answer: dict[str, Any]) -> Answer:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()


# --- 2. Step Functions ---


def _add_tasks(service: SageMakerService) -> None:
    stepfunctions = _module("ministack.services.stepfunctions")
    responses = _module("ministack.core.responses")

    def task(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
        account, region = responses.get_account_id(), responses.get_region()
        run = partial(run_task, service, account=account, region=region, abandoned=is_given_up)
        try:
            return run(resource, arguments)
        except TaskFailed as failure:
            raise stepfunctions._ExecutionError(failure.error, failure.cause) from failure
        except TaskAbandoned as left:
            raise Abandoned from left

    for resource in INTEGRATIONS:
        stepfunctions._SERVICE_DISPATCH[resource] = task


def _end_what_nobody_waits_for() -> None:
    stepfunctions = _module("ministack.services.stepfunctions")
    add_event, fail_execution = stepfunctions._add_event, stepfunctions._fail_execution
    invoke_resource = stepfunctions._invoke_resource
    invoke_with_timeout = stepfunctions._invoke_resource_with_timeout
    run_execution, run_sub_machine = stepfunctions._run_execution, stepfunctions._run_sub_machine

    def run(execution_arn: str) -> None:
        execution = stepfunctions._executions.get(execution_arn)
        if execution is None:
            return
        # It has the context of the task that started it, but ends with it only if that one waits.
        outer = surroundings() if execution.get("sync") else None
        stop = partial(stepfunctions._stop_execution, {"executionArn": execution_arn})
        try:
            with (
                ending_with(outer, stop),
                part_of(lambda: execution["status"] != _RUNNING, only=True),
            ):
                run_execution(execution_arn)
        except Abandoned:
            pass  # it was stopped, and has its end

    def run_branch(
        states: Any, start: Any, given: Any, execution: dict[str, Any], context: Any
    ) -> Any:
        with part_of(lambda: execution["status"] != _RUNNING):
            try:
                result = run_sub_machine(states, start, given, execution, context)
            except Abandoned:
                result = None
            if "mapRunArn" in execution and is_given_up():
                # An item of a distributed map is an execution too; its caller would end it anew.
                stepfunctions._stop_execution({"executionArn": execution["executionArn"]})
                raise Abandoned
            return result

    def invoke(resource: str, arguments: Any) -> Any:
        if is_given_up():
            raise Abandoned
        return invoke_resource(resource, arguments)

    def invoke_in_time(resource: str, arguments: Any, timeout: float) -> Any:
        timed_out = threading.Event()
        with part_of(timed_out.is_set):
            try:
                return invoke_with_timeout(resource, arguments, timeout)
            except stepfunctions._ExecutionError as error:
                if error.error == _TIMEOUT:
                    timed_out.set()
                raise

    # What is still said of a stopped execution changes neither its history nor how it ended.
    def add(execution: dict[str, Any], event: str, details: Any = None) -> None:
        if execution["status"] != _ABORTED or event == "ExecutionAborted":
            add_event(execution, event, details)

    def fail(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] != _ABORTED:
            fail_execution(execution, error, cause)

    stepfunctions._run_execution, stepfunctions._run_sub_machine = run, run_branch
    stepfunctions._invoke_resource = invoke
    stepfunctions._invoke_resource_with_timeout = invoke_in_time
    stepfunctions._add_event, stepfunctions._fail_execution = add, fail


# --- 3. roles ---


def role_credentials(role_arn: str, session_name: str) -> dict[str, str]:
    """Credentials for a job that runs as a role: the three AWS_* variables.

    They end with the process. Raises `ValueError` if the role does not exist or does not trust
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


def _module(name: str) -> Any:
    return importlib.import_module(name)
