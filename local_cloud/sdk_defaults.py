"""What SageMaker's Python SDK must be told, so that it stays on this machine.

It reads AWS_ENDPOINT_URL, but for two things that only its configuration file can change: it sends
telemetry to a bucket of AWS's, and it asks AWS's own STS for the name of its default bucket. A
user's own defaults, which name roles and buckets of a real account, are replaced as well.
"""

from pathlib import Path

from local_cloud.settings import ACCOUNT_ID, REGION

_DEFAULTS = f"""SchemaVersion: "1.0"
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
      Session:
        DefaultS3Bucket: sagemaker-{REGION}-{ACCOUNT_ID}
"""


def write(file: Path) -> None:
    """Write the SDK's configuration file."""
    file.write_text(_DEFAULTS)
