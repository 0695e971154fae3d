"""API Gateway: routes, keys, throttling, validation, and refusals in our own error shape."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from aws_cdk import Aws, Duration, RemovalPolicy, Size, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra_cdk.constructs.encryption import Encryption
from infra_cdk.constructs.firewall import Firewall
from infra_cdk.constructs.function import retention
from infra_cdk.constructs.refusals import REFUSALS, refusal_id
from infra_cdk.request_models import request_model
from infra_cdk.settings import API, LOG_RETENTION_DAYS, Settings
from infra_cdk.targets import Target


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path, and the function that answers.

    `path` as API Gateway writes it, such as `/predictions/{prediction_id}`. `body_model`: the
    component schema of the OpenAPI document that a body must fit before the function sees it.
    """

    method: str
    path: str
    function: lambda_.IFunction
    needs_key: bool = True
    body_model: str | None = None

    @property
    def path_parameters(self) -> dict[str, bool]:
        """The path's parameters in API Gateway's notation; all are required."""
        return {f"method.request.path.{name}": True for name in re.findall(r"{(\w+)}", self.path)}


class HttpApi(Construct):
    """One regional REST API with one stage, one usage plan and one key."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        routes: Sequence[Route],
        settings: Settings,
    ) -> None:
        """The API with its routes, then what it answers by itself, then the key."""
        super().__init__(scope, construct_id)
        self._settings = settings
        self._api = self._rest_api(routes)
        self._validator = self._api.add_request_validator(
            "Requests", validate_request_body=True, validate_request_parameters=True
        )
        for route in routes:
            self._add(route)
        for response_type, refusal in REFUSALS.items():
            self._api.add_gateway_response(
                refusal_id(response_type),
                type=response_type,
                status_code=None if refusal.status is None else str(refusal.status),
                templates={"application/json": refusal.template},
            )
        self._key = self._api_key()
        if settings.security.waf:
            Firewall(self, "Firewall", stage_arn=self._api.deployment_stage.stage_arn)

    @property
    def rest_api_id(self) -> str:
        """The API's id."""
        return self._api.rest_api_id

    @property
    def name(self) -> str:
        """The API's name, a dimension of its metrics."""
        return self._api.rest_api_name

    @property
    def stage(self) -> str:
        """The stage's name."""
        return self._api.deployment_stage.stage_name

    @property
    def key_id(self) -> str:
        """The id under which the key's value can be read."""
        return self._key.key_id

    @property
    def address(self) -> str:
        """The base URL, with the closing slash."""
        if self._settings.target is Target.LOCAL:
            return (
                f"{self._settings.endpoint_url}/restapis/{self.rest_api_id}/{API.stage}"
                "/_user_request_/"
            )
        return self._api.url

    def _add(self, route: Route) -> None:
        models = {"application/json": self._model(route.body_model)} if route.body_model else None
        parameters = route.path_parameters
        self._api.root.resource_for_path(route.path).add_method(
            route.method,
            apigateway.LambdaIntegration(
                route.function,
                timeout=Duration.seconds(API.integration_timeout_seconds),
                allow_test_invoke=False,
            ),
            api_key_required=route.needs_key,
            request_models=models,
            request_parameters=parameters or None,
            request_validator=self._validator if models or parameters else None,
        )

    def _model(self, name: str) -> apigateway.IModel:
        """The model of a body, from the schema as it is: CDK's own class would take it apart."""
        schema = request_model(name)
        model = apigateway.CfnModel(
            self,
            name,
            rest_api_id=self.rest_api_id,
            name=name,
            content_type="application/json",
            schema=schema,
        )
        # A deployment is a copy: another schema needs another one, made after the model.
        deployment = cast(apigateway.Deployment, self._api.latest_deployment)
        deployment.add_to_logical_id({name: schema})
        deployment.node.add_dependency(model)
        return apigateway.Model.from_model_name(self, f"{name}Model", model.ref)

    def _rest_api(self, routes: Sequence[Route]) -> apigateway.RestApi:
        stack = Stack.of(self)
        limits = self._settings.api
        keyless = apigateway.MethodDeploymentOptions(
            throttling_rate_limit=limits.keyless_rate_per_second,
            throttling_burst_limit=limits.keyless_burst_requests,
            logging_level=_LOGGED,
        )
        access_log = self._log_group("AccessLog", f"/aws/apigateway/{stack.stack_name}")
        api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=stack.stack_name,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            binary_media_types=list(API.binary_media_types),
            min_compression_size=Size.bytes(API.min_compression_bytes),
            deploy_options=apigateway.StageOptions(
                stage_name=API.stage,
                throttling_rate_limit=limits.rate_per_second,
                throttling_burst_limit=limits.burst_requests,
                method_options={
                    f"{route.path}/{route.method}": keyless
                    for route in routes
                    if not route.needs_key
                },
                logging_level=_LOGGED,
                tracing_enabled=self._settings.on.tracing,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG)),
            ),
        )
        api.node.try_remove_child("Endpoint")  # an output that the stack names itself
        # API Gateway gives this group its name, and would make one that forgets nothing.
        errors = self._log_group(
            "ErrorLog", f"API-Gateway-Execution-Logs_{api.rest_api_id}/{API.stage}"
        )
        api.deployment_stage.node.add_dependency(self._logging_account(), errors)
        return api

    def _log_group(self, construct_id: str, name: str) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            construct_id,
            log_group_name=name,
            retention=retention(LOG_RETENTION_DAYS),
            encryption_key=Encryption.of(self).key,
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _logging_account(self) -> apigateway.CfnAccount:
        """The account-wide role by which API Gateway writes logs; it outlives the stack on AWS."""
        role = iam.Role(
            self,
            "LoggingRole",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            description="How API Gateway writes access logs, for the whole account and region",
        )
        role.apply_removal_policy(self._settings.on.removal_policy)
        role.attach_inline_policy(
            policy := iam.Policy(
                self,
                "LoggingPolicy",
                statements=[
                    iam.PolicyStatement(
                        actions=[
                            "logs:CreateLogGroup",
                            "logs:CreateLogStream",
                            "logs:DescribeLogGroups",
                            "logs:DescribeLogStreams",
                            "logs:PutLogEvents",
                            "logs:GetLogEvents",
                            "logs:FilterLogEvents",
                        ],
                        # One role serves every API of the account.
                        resources=[
                            f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:*"
                        ],
                    )
                ],
            )
        )
        policy.apply_removal_policy(self._settings.on.removal_policy)
        account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.role_arn)
        account.apply_removal_policy(self._settings.on.removal_policy)
        account.node.add_dependency(policy)
        return account

    def _api_key(self) -> apigateway.IApiKey:
        key = self._api.add_api_key("Key", description="The first caller's key")
        plan = self._api.add_usage_plan(
            "UsagePlan",
            description="What one key may ask",
            throttle=apigateway.ThrottleSettings(
                rate_limit=self._settings.api.rate_per_second,
                burst_limit=self._settings.api.burst_requests,
            ),
            api_stages=[apigateway.UsagePlanPerApiStage(stage=self._api.deployment_stage)],
        )
        plan.add_api_key(key)
        return key


# Errors of API Gateway's own; its informational level would log headers and the callers' addresses.
_LOGGED: Final = apigateway.MethodLoggingLevel.ERROR
_ACCESS_LOG: Final = {
    "requestId": "$context.requestId",
    "requestTime": "$context.requestTime",
    "apiKeyId": "$context.identity.apiKeyId",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "responseBytes": "$context.responseLength",
    "latencyMs": "$context.responseLatency",
    "integrationLatencyMs": "$context.integrationLatency",
    "error": "$context.error.responseType",
}
