"""AWS as the pages reach it: clients, and what goes wrong in words a person can read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final

import boto3
from botocore import exceptions
from botocore.config import Config

from ui.configuration import Configuration

CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 10.0

NO_CREDENTIALS: Final = (
    "This page has no AWS credentials. Sign in to AWS (for instance with `aws sso login`), or "
    "start the page again from a shell that has them."
)
NOT_ACCEPTED: Final = (
    "AWS does not accept this page's credentials: they are wrong or have expired. Sign in to AWS "
    "anew, or start the page again from a shell that has."
)
NOT_ALLOWED: Final = "These AWS credentials are not allowed to do that."
NO_CONNECTION: Final = "AWS cannot be reached. Is the local cloud running? `make up` starts it."
TOO_BUSY: Final = "AWS is asked too often at the moment. Wait a few seconds."
NO_WORKFLOW: Final = "The workflow is not there. Run `make up` again, then reload this page."

_BY_CODE: Final = MappingProxyType(
    {
        "AccessDenied": NOT_ALLOWED,
        "AccessDeniedException": NOT_ALLOWED,
        "ExpiredToken": NOT_ACCEPTED,
        "ExpiredTokenException": NOT_ACCEPTED,
        "IncompleteSignature": NOT_ACCEPTED,
        "InvalidClientTokenId": NOT_ACCEPTED,
        "InvalidSignatureException": NOT_ACCEPTED,
        "SignatureDoesNotMatch": NOT_ACCEPTED,
        "UnrecognizedClientException": NOT_ACCEPTED,
        "StateMachineDoesNotExist": NO_WORKFLOW,
        "StateMachineDeleting": NO_WORKFLOW,
        "Throttling": TOO_BUSY,
        "ThrottlingException": TOO_BUSY,
    }
)


class AwsError(Exception):
    """A call to AWS failed; the message is a sentence for the page."""


def client(
    configuration: Configuration, service: str, answer_seconds: float = ANSWER_SECONDS
) -> Any:
    """A boto3 client where the endpoints file says; credentials are those of the environment.

    `answer_seconds`: how long an answer may take.

    Raises `AwsError` if the environment's settings for AWS make no sense.
    """
    local = configuration.aws_endpoint_url is not None
    with in_words():
        # A session of its own finds credentials that came after the page was started.
        create: Callable[..., Any] = boto3.session.Session().client  # stubs want spelled-out names
        return create(
            service,
            endpoint_url=configuration.aws_endpoint_url,
            region_name=configuration.region,
            verify=configuration.ca_bundle,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=answer_seconds,
                retries={"total_max_attempts": 2, "mode": "standard"},
                proxies={} if local else None,  # the local cloud needs no proxy
            ),
        )


@contextmanager
def in_words() -> Iterator[None]:
    """What botocore raises in the block leaves it as `AwsError`."""
    try:
        yield
    except (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.ProfileNotFound,
        exceptions.SSOError,
        exceptions.TokenRetrievalError,
    ) as error:
        raise AwsError(NO_CREDENTIALS) from error
    except exceptions.ClientError as error:
        code = error.response.get("Error", {}).get("Code", "an error without a name")
        raise AwsError(_BY_CODE.get(code, f"AWS refused: {code}.")) from error
    # A certificate file that is missing is an OSError, an address that is none a ValueError.
    except (exceptions.ConnectionError, exceptions.HTTPClientError, OSError, ValueError) as error:
        raise AwsError(NO_CONNECTION) from error
    except exceptions.BotoCoreError as error:
        raise AwsError(f"AWS cannot be asked: {error}.".replace("..", ".")) from error
