"""What is done with a job's role, or with the service's own rights where the role has none."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.sagemaker import aws
from local_cloud.sagemaker.config import SageMakerConfig


class RoleOrService:
    """Clients of one AWS service. `prepare` is called once with each, before its first use."""

    def __init__(
        self,
        service: aws.Service,
        config: SageMakerConfig,
        role: Mapping[str, str],
        prepare: Callable[[Any], object] = lambda _: None,
    ) -> None:
        self._candidates = [
            _Candidate(service, config, credentials, prepare)
            for credentials in (role, config.service_credentials)
            if credentials
        ]

    def call(self, use: Callable[[Any], object]) -> None:
        """Call `use` with a client of the role's; if that is refused, with one of the service's.

        Who was allowed to is asked first the next time. Raises the last ClientError if all are
        refused, and a BotoCoreError, which no other credentials would help, at once.
        """
        *others, last = self._candidates
        for candidate in others:
            try:
                use(candidate.client)
            except ClientError:
                continue
            return
        use(last.client)
        # Only the service is left: a role that is refused once is not asked for every batch.
        self._candidates = [last]


class _Candidate:
    def __init__(
        self,
        service: aws.Service,
        config: SageMakerConfig,
        credentials: Mapping[str, str],
        prepare: Callable[[Any], object],
    ) -> None:
        self._service = service
        self._config = config
        self._credentials = credentials
        self._prepare = prepare

    @cached_property
    def client(self) -> Any:
        client = aws.client(self._service, self._config, self._credentials)
        self._prepare(client)
        return client
