"""boto3 clients of the local cloud, with a role's credentials."""

import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import boto3
from botocore.config import Config

from local_cloud.sagemaker.config import SageMakerConfig

# Downloads at once; also the connections that a client keeps.
TRANSFERS = 16

Service = Literal["s3", "logs", "cloudwatch"]

# One session, because each reads the service models anew; it makes one client at a time.
_lock = threading.Lock()


def client(service: Service, config: SageMakerConfig, credentials: Mapping[str, str]) -> Any:
    """A thread-safe client. `credentials` are named as in the environment (AWS_ACCESS_KEY_ID...).

    None of the process's own credentials are used.
    """
    settings = Config(
        max_pool_connections=TRANSFERS,
        retries={"mode": "standard", "max_attempts": 4},
        s3={"addressing_style": "path"},
    )
    with _lock:
        return _session().client(
            service,
            region_name=config.region,
            endpoint_url=config.endpoint_url,
            verify=str(config.ca_bundle) if config.ca_bundle else None,
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=credentials.get("AWS_SESSION_TOKEN"),
            config=settings,
        )


@lru_cache(maxsize=1)
def _session() -> boto3.Session:
    return boto3.Session()
