"""What a prediction costs on AWS: list prices times what one request uses."""

from dataclasses import dataclass
from typing import Final

from areyouacat.prices import PRICES as LIST

_MB_PER_GB: Final = 1024
_MS_PER_SECOND: Final = 1000


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for one unit each; by default those of `prices.json`."""

    lambda_gb_second: float = LIST.usd("lambda_gb_second")
    lambda_request: float = LIST.usd("lambda_request")
    api_request: float = LIST.usd("api_request")
    dynamodb_write_unit: float = LIST.usd("dynamodb_write_unit")
    s3_put: float = LIST.usd("s3_put")


PRICES: Final = Prices()

WRITE_UNITS: Final = 4
"""Of a prediction: an item of 1 to 2 KB takes two, and its copy in the index by hour as many."""


def prediction_costs(
    predictions: int,
    requests: int,
    handler_ms: float,
    memory_mb: int,
    prices: Prices = PRICES,
) -> float | None:
    """US dollars for 1,000 predictions; None without any.

    `requests`: all of them, those that failed and those that an earlier prediction answered too.
    `handler_ms`: their time in the function together. `memory_mb`: what the function is given.
    Storage, logs and transfer are not in it: they depend on how long and to whom.
    """
    if predictions <= 0:
        return None
    seconds = handler_ms / _MS_PER_SECOND
    each_request = prices.lambda_request + prices.api_request
    each_prediction = prices.s3_put + WRITE_UNITS * prices.dynamodb_write_unit
    total = (
        seconds * memory_mb / _MB_PER_GB * prices.lambda_gb_second
        + requests * each_request
        + predictions * each_prediction
    )
    return 1000 * total / predictions
