"""HTTP as the API's client needs it: one connection pool each, timeouts, retries, our errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import requests
from requests.exceptions import ChunkedEncodingError, SSLError

from ui.api_errors import ApiError, ApiUnreachableError
from ui.configuration import Configuration
from ui.retries import Clock, wait_before_retry

CONNECT_SECONDS: Final = 5.0

TOO_SLOW: Final = "The answer took too long. Try again in a moment."
NO_CONNECTION: Final = "The service cannot be reached. Is it running? `make up` starts it."


@dataclass(frozen=True, slots=True)
class Call:
    """One question. `deadline`: by the clock, for all its attempts; `answer_seconds`: for each."""

    method: str
    url: str
    answer_seconds: float
    deadline: float


class Transport:
    """Makes calls to one place, again where that may help."""

    def __init__(
        self,
        configuration: Configuration,
        clock: Clock,
        error_of: Callable[[requests.Response], ApiError],
        headers: dict[str, str],
    ) -> None:
        """`error_of` reads that place's refusals; `headers` go with every call."""
        self._clock = clock
        self._error_of = error_of
        self._session = requests.Session()
        self._session.trust_env = configuration.ca_bundle is None  # the local cloud needs no proxy
        self._session.headers.update(headers)
        self._verify: str | bool = configuration.ca_bundle or True

    def send(self, call: Call, **content: Any) -> requests.Response:
        """The answer, a success. Only for what may be repeated; `content` as requests takes it.

        Raises:
            ApiError: what the last attempt met.
        """
        attempt = 1
        while True:
            try:
                return self._once(call, **content)
            except ApiError as error:
                left = call.deadline - self._clock.now()
                wait = wait_before_retry(error, attempt, left)
                if wait is None:
                    raise
            self._clock.sleep(wait)
            attempt += 1

    def _once(self, call: Call, **content: Any) -> requests.Response:
        left = max(call.deadline - self._clock.now(), 0.001)  # requests takes no less
        try:
            response = self._session.request(
                call.method,
                call.url,
                timeout=(min(CONNECT_SECONDS, left), min(call.answer_seconds, left)),
                verify=self._verify,
                allow_redirects=False,  # the key goes nowhere but where it belongs
                **content,
            )
        except requests.Timeout as error:
            raise ApiUnreachableError(TOO_SLOW, transient=True) from error
        except SSLError as error:
            raise ApiUnreachableError(NO_CONNECTION) from error
        except (requests.ConnectionError, ChunkedEncodingError) as error:
            raise ApiUnreachableError(NO_CONNECTION, transient=True) from error
        # A certificate file that is missing is an OSError that requests does not wrap.
        except (requests.RequestException, OSError) as error:
            raise ApiUnreachableError(NO_CONNECTION) from error
        if not 200 <= response.status_code < 300:
            raise self._error_of(response)
        return response
