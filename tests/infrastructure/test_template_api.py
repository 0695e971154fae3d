"""The HTTP API: routes, keys, throttling, validation, refusals."""

import json
import re

from areyouacat.settings import BACKBONE, IMAGES
from infra_cdk.request_models import request_model
from infra_cdk.settings import API, FUNCTIONS, OPENAPI_FILE
from tests.infrastructure.template_reading import Template, only, resources, routes

LOGGING_ACCOUNT = "AWS::ApiGateway::Account"


ROUTES = {
    "POST /predict": "predict",
    "POST /uploads": "api",
    "POST /feedback": "api",
    "GET /predictions/{prediction_id}": "api",
    "DELETE /predictions/{prediction_id}": "api",
    "DELETE /predictions/{prediction_id}/feedback": "api",
    "GET /model": "api",
    "GET /health": "api",
    "GET /openapi.json": "api",
    "GET /docs": "api",
}
KEYLESS = {"GET /openapi.json", "GET /docs"}


def test_every_route_leads_to_its_function(template: Template) -> None:
    functions = resources(template, "Lambda::Function")
    aliases = resources(template, "Lambda::Alias")

    answering = {}
    for route, method in routes(template).items():
        (alias,) = (
            name for name in aliases if f'"{name}"' in json.dumps(method["Integration"]["Uri"])
        )
        function = functions[aliases[alias]["FunctionName"]["Ref"]]
        assert method["Integration"]["Type"] == "AWS_PROXY"
        answering[route] = function["FunctionName"].removeprefix("AreYouACat-")

    assert answering == ROUTES


def test_only_the_documentation_is_there_without_a_key(template: Template) -> None:
    needs_key = {route: method["ApiKeyRequired"] for route, method in routes(template).items()}

    assert needs_key == {route: route not in KEYLESS for route in ROUTES}


def test_the_documented_routes_are_those_that_need_a_key(template: Template) -> None:
    paths = json.loads(OPENAPI_FILE.read_text())["paths"]

    documented = {f"{method.upper()} {path}" for path in paths for method in paths[path]}
    assert documented == routes(template).keys() - KEYLESS


def test_routes_without_a_key_are_throttled_by_themselves(template: Template) -> None:
    throttles = {
        f"{entry['HttpMethod']} {entry['ResourcePath'].replace('~1', '')}": (
            entry["ThrottlingRateLimit"],
            entry["ThrottlingBurstLimit"],
        )
        for entry in only(template, "ApiGateway::Stage")["MethodSettings"]
    }

    keyless = (API.keyless_rate_per_second, API.keyless_burst_requests)
    assert throttles == {
        "* /*": (API.rate_per_second, API.burst_requests),
        **dict.fromkeys(KEYLESS, keyless),
    }


def test_strangers_leave_room_for_callers_with_a_key() -> None:
    concurrency = FUNCTIONS["api"].reserved_concurrency

    assert concurrency is not None
    assert len(KEYLESS) * API.keyless_burst_requests < concurrency
    assert API.keyless_rate_per_second <= API.rate_per_second / 10


def test_bodies_are_checked_against_the_models_of_the_openapi_document(template: Template) -> None:
    models = resources(template, "ApiGateway::Model")
    (validator,) = resources(template, "ApiGateway::RequestValidator")

    checked = {
        route: method["RequestModels"]
        for route, method in routes(template).items()
        if "RequestModels" in method
    }
    assert checked.keys() == {"POST /uploads", "POST /feedback"}
    for route, name in {
        "POST /uploads": "UploadRequest",
        "POST /feedback": "FeedbackRequest",
    }.items():
        model = models[checked[route]["application/json"]["Ref"]]
        assert routes(template)[route]["RequestValidatorId"] == {"Ref": validator}
        assert (model["Name"], model["ContentType"]) == (name, "application/json")
        assert model["Schema"] == request_model(name)


def test_the_prediction_of_a_path_is_required(template: Template) -> None:
    (validator,) = resources(template, "ApiGateway::RequestValidator")

    required = {
        route: (method["RequestParameters"], method["RequestValidatorId"])
        for route, method in routes(template).items()
        if "RequestParameters" in method
    }
    needed = ({"method.request.path.prediction_id": True}, {"Ref": validator})
    assert required == {
        "GET /predictions/{prediction_id}": needed,
        "DELETE /predictions/{prediction_id}": needed,
        "DELETE /predictions/{prediction_id}/feedback": needed,
    }


def test_the_validator_looks_at_body_and_parameters(template: Template) -> None:
    validator = only(template, "ApiGateway::RequestValidator")

    assert validator["ValidateRequestBody"] is True
    assert validator["ValidateRequestParameters"] is True


def test_large_answers_are_compressed_and_predictions_are_not(template: Template) -> None:
    smallest = only(template, "ApiGateway::RestApi")["MinimumCompressionSize"]

    grid = [[-0.123456] * BACKBONE.grid] * BACKBONE.grid
    assert len(json.dumps(grid)) < smallest < OPENAPI_FILE.stat().st_size


def test_the_key_works_on_our_stage_only_and_is_throttled(template: Template) -> None:
    plan = only(template, "ApiGateway::UsagePlan")

    (stage,) = plan["ApiStages"]
    assert stage["Stage"] == {"Ref": next(iter(resources(template, "ApiGateway::Stage")))}
    assert plan["Throttle"] == {
        "RateLimit": API.rate_per_second,
        "BurstLimit": API.burst_requests,
    }


def test_throttling_answers_before_the_function_runs_out_of_concurrency() -> None:
    seconds_a_request = 0.25  # p95 that the rate is chosen for

    concurrency = FUNCTIONS["predict"].reserved_concurrency

    assert concurrency is not None
    assert API.burst_requests <= concurrency
    assert API.rate_per_second * seconds_a_request <= concurrency


def test_photos_are_binary_and_json_is_not(template: Template) -> None:
    binary = only(template, "ApiGateway::RestApi")["BinaryMediaTypes"]

    assert set(binary) == {*IMAGES.media_types, "application/octet-stream"}


def test_every_refusal_of_the_gateway_has_our_shape(template: Template) -> None:
    responses = resources(template, "ApiGateway::GatewayResponse").values()

    for response in responses:
        body = response["ResponseTemplates"]["application/json"]
        rendered = json.loads(re.sub(r"\$context\.error\.messageString", '"why"', body))
        assert set(rendered) == {"error"}
        assert set(rendered["error"]) == {"code", "message"}
    codes = {
        response["ResponseType"]: (
            response.get("StatusCode"),
            json.loads(
                response["ResponseTemplates"]["application/json"].replace(
                    "$context.error.messageString", '"why"'
                )
            )["error"]["code"],
        )
        for response in responses
    }
    assert codes["WAF_FILTERED"] == ("403", "forbidden")
    assert codes["INVALID_API_KEY"] == ("403", "forbidden")
    assert codes["MISSING_AUTHENTICATION_TOKEN"] == ("403", "forbidden")
    assert codes["REQUEST_TOO_LARGE"] == ("413", "payload_too_large")
    assert codes["BAD_REQUEST_BODY"] == ("422", "invalid_request")
    assert codes["BAD_REQUEST_PARAMETERS"] == ("422", "invalid_request")
    assert codes["THROTTLED"] == ("429", "too_many_requests")
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= set(codes)


def test_refusals_models_and_methods_are_part_of_what_is_deployed(template: Template) -> None:
    (deployment,) = (
        resource
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::ApiGateway::Deployment"
    )

    for kind in ("GatewayResponse", "Model", "RequestValidator", "Method"):
        assert set(resources(template, f"ApiGateway::{kind}")) <= set(deployment["DependsOn"])


def test_requests_are_logged_without_addresses_of_people(template: Template) -> None:
    access_log = only(template, "ApiGateway::Stage")["AccessLogSetting"]

    # Errors alone: the level above writes headers down, the caller's address among them.
    settings = only(template, "ApiGateway::Stage")["MethodSettings"]
    assert {entry["LoggingLevel"] for entry in settings} == {"ERROR"}
    assert not [entry for entry in settings if entry["DataTraceEnabled"]]
    assert "$context.requestId" in access_log["Format"]
    assert "sourceIp" not in access_log["Format"]
    (stage,) = (
        resource
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::ApiGateway::Stage"
    )
    (account,) = (
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] == LOGGING_ACCOUNT
    )
    assert account in stage["DependsOn"]


def test_the_group_that_api_gateway_writes_errors_to_is_there_before_it_makes_one(
    template: Template,
) -> None:
    (stage,) = resources(template, "ApiGateway::Stage")
    (api,) = resources(template, "ApiGateway::RestApi")

    (group,) = (
        name
        for name, group in resources(template, "Logs::LogGroup").items()
        if group["LogGroupName"]
        == {"Fn::Join": ["", ["API-Gateway-Execution-Logs_", {"Ref": api}, f"/{API.stage}"]]}
    )
    assert group in template["Resources"][stage]["DependsOn"]
