"""What of the gateway's log is worth a reader's time."""

import logging


def is_news(record: logging.LogRecord) -> bool:
    """False for clients that hang up without a TLS farewell, which asyncio logs as an error.

    AWS's SDKs do so whenever they drop an idle connection; nothing is lost by it.
    """
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, TimeoutError) and "SSL shutdown timed out" in str(error))
