"""Where the AWS console shows something, built from its ARN; nothing of this on a laptop."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

_HOSTS: Final = {
    "aws": "{region}.console.aws.amazon.com",
    "aws-cn": "{region}.console.amazonaws.cn",
    "aws-us-gov": "{region}.console.amazonaws-us-gov.com",
}


def execution(arn: str) -> str | None:
    """The page of a Step Functions execution; `None` for a partition that is not known."""
    return _page(arn, "states", f"/v2/executions/details/{arn}")


def training_job(arn: str) -> str | None:
    """The page of a SageMaker training job."""
    return _page(arn, "sagemaker", f"/jobs/{arn.rpartition('/')[2]}")


def training_log(arn: str, log_group: str) -> str | None:
    """The log streams of a training job in CloudWatch."""
    name = arn.rpartition("/")[2]
    asked = quote(f"?logStreamNameFilter={name}/", safe="").replace("%", "$")
    # The console wants a group's name encoded twice, with dollars for the second time.
    group = quote(quote(log_group, safe=""), safe="").replace("%", "$")
    return _page(arn, "cloudwatch", f"logsV2:log-groups/log-group/{group}{asked}")


def _page(arn: str, service: str, fragment: str) -> str | None:
    _, partition, _, region, *_ = [*arn.split(":"), "", "", ""]
    host = _HOSTS.get(partition)
    if host is None or not region:
        return None
    return f"https://{host.format(region=region)}/{service}/home?region={region}#{fragment}"
