"""What API Gateway answers in our place, in the one shape that our errors have."""

import json
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_apigateway as apigateway


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
    # The function's own answer to a body that it cannot use: whoever finds the fault, it is one.
    apigateway.ResponseType.BAD_REQUEST_BODY: Refusal(
        422, "invalid_request", "the body does not fit the schema; see /openapi.json"
    ),
    apigateway.ResponseType.BAD_REQUEST_PARAMETERS: Refusal(422, "invalid_request", None),
    apigateway.ResponseType.INVALID_API_KEY: Refusal(
        403, "forbidden", "a valid key is needed in the header x-api-key"
    ),
    apigateway.ResponseType.ACCESS_DENIED: Refusal(403, "forbidden", "access denied"),
    apigateway.ResponseType.WAF_FILTERED: Refusal(
        403, "forbidden", "the firewall turned this request away"
    ),
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


def refusal_id(response_type: apigateway.ResponseType) -> str:
    """A construct id of a response type, such as `RefusalInvalidApiKey`."""
    return "Refusal" + response_type.response_type.title().replace("_", "")
