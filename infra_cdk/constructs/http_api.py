"""API Gateway: a key on every method, throttling, and refusals in our own error shape."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra_cdk.constructs.function import retention
from infra_cdk.settings import API, LOG_RETENTION_DAYS, Settings, Target


@dataclass(frozen=True, slots=True)
class Refusal:
    """What API Gateway answers in our place. No message: API Gateway's own words."""

    status: int | None
    code: str
    message: str | None

    @property
    def template(self) -> str:
        """The body's mapping template."""
        if self.message is not None:
            return json.dumps({"error": {"code": self.code, "message": self.message}})
        # messageString is JSON text already: it brings its own quotes.
        return f'{{"error": {{"code": "{self.code}", "message": $context.error.messageString}}}}'


_TOO_MANY: Final = "too many requests; wait a second and try again"
REFUSALS: Final = {
    apigateway.ResponseType.DEFAULT_4_XX: Refusal(None, "bad_request", None),
    apigateway.ResponseType.DEFAULT_5_XX: Refusal(
        None, "internal_error", "the service failed to answer; try again"
    ),
    apigateway.ResponseType.INVALID_API_KEY: Refusal(
        403, "forbidden", "a valid key is needed in the header x-api-key"
    ),
    apigateway.ResponseType.ACCESS_DENIED: Refusal(403, "forbidden", "access denied"),
    # API Gateway does not tell an unknown route from missing credentials.
    apigateway.ResponseType.MISSING_AUTHENTICATION_TOKEN: Refusal(
        403, "forbidden", "no such path and method here, or credentials are missing"
    ),
    apigateway.ResponseType.REQUEST_TOO_LARGE: Refusal(
        413, "payload_too_large", "the request is larger than 10 MB"
    ),
    apigateway.ResponseType.UNSUPPORTED_MEDIA_TYPE: Refusal(
        415, "unsupported_format", "this content type is not accepted"
    ),
    apigateway.ResponseType.THROTTLED: Refusal(429, "too_many_requests", _TOO_MANY),
    apigateway.ResponseType.QUOTA_EXCEEDED: Refusal(
        429, "too_many_requests", "the key's quota is used up"
    ),
    apigateway.ResponseType.INTEGRATION_TIMEOUT: Refusal(
        504, "timeout", "the service took too long to answer; try again"
    ),
}


class HttpApi(Construct):
    """One regional REST API with one stage, one usage plan and one key."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        routes: Mapping[str, tuple[str, lambda_.IFunction]],
        settings: Settings,
    ) -> None:
        """`routes`: path (one segment) to HTTP method and the function that answers."""
        super().__init__(scope, construct_id)
        self._settings = settings
        self._api = self._rest_api()
        for path, (method, function) in routes.items():
            self._api.root.add_resource(path).add_method(
                method,
                apigateway.LambdaIntegration(
                    function,
                    timeout=Duration.seconds(API.integration_timeout_seconds),
                    allow_test_invoke=False,
                ),
            )
        for response_type, refusal in REFUSALS.items():
            self._api.add_gateway_response(
                refusal_id(response_type),
                type=response_type,
                status_code=None if refusal.status is None else str(refusal.status),
                templates={"application/json": refusal.template},
            )
        self._key = self._api_key()

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

    def _rest_api(self) -> apigateway.RestApi:
        stack = Stack.of(self)
        access_log = logs.LogGroup(
            self,
            "AccessLog",
            log_group_name=f"/aws/apigateway/{stack.stack_name}",
            retention=retention(LOG_RETENTION_DAYS),
            removal_policy=RemovalPolicy.DESTROY,
        )
        api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=stack.stack_name,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            binary_media_types=list(API.binary_media_types),
            default_method_options=apigateway.MethodOptions(api_key_required=True),
            deploy_options=apigateway.StageOptions(
                stage_name=API.stage,
                throttling_rate_limit=API.rate_per_second,
                throttling_burst_limit=API.burst_requests,
                tracing_enabled=self._settings.on.tracing,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG)),
            ),
        )
        api.node.try_remove_child("Endpoint")  # an output that the stack names itself
        api.deployment_stage.node.add_dependency(self._logging_account())
        return api

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
                rate_limit=API.rate_per_second, burst_limit=API.burst_requests
            ),
            api_stages=[apigateway.UsagePlanPerApiStage(stage=self._api.deployment_stage)],
        )
        plan.add_api_key(key)
        return key


def refusal_id(response_type: apigateway.ResponseType) -> str:
    """A construct id of a response type, such as `RefusalInvalidApiKey`."""
    return "Refusal" + response_type.response_type.title().replace("_", "")


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
