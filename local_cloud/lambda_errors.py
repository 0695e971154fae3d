"""The name of the exception that ended a Lambda function, read from its log."""

import re
from typing import Final

_HEADING: Final = "Traceback (most recent call last):"
_EXCEPTION: Final = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?::|$)")


def error_type(log: str) -> str | None:
    """The class name that Lambda gives as `errorType`: of the log's last traceback, unqualified.

    None if there is no traceback. The line that names the exception is the first after the
    heading that is not indented; what follows it is the message, which may have lines of its own.
    """
    _, heading, traceback = log.rpartition(_HEADING)
    if not heading:
        return None
    for line in traceback.splitlines()[1:]:
        if line and not line[0].isspace():
            found = _EXCEPTION.match(line)
            return found["name"].rpartition(".")[2] if found else None
    return None
