"""Says of each member of a request whether it is honoured, ignored or refused; see the table.

`python -m local_cloud.sagemaker.requests.support README.md` writes the table into a document anew.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local_cloud.sagemaker.errors import ValidationError
from local_cloud.sagemaker.requests.support_table import PROCESSING, TRAINING, Member, Treatment

TABLE: Mapping[str, tuple[Member, ...]] = {
    "CreateTrainingJob": TRAINING,
    "CreateProcessingJob": PROCESSING,
}
START, END = "<!-- sagemaker-support:start -->", "<!-- sagemaker-support:end -->"

# What names an entry of a list; entries without any of these are counted, as AWS does.
_NAMES = ("ChannelName", "InputName", "OutputName")


def refuse(operation: str, payload: Mapping[str, Any]) -> None:
    """Refuse a payload that asks for what this machine cannot do; `shapes.validate` accepted it.

    Raises ValidationError, which names every such member, why, and what to do instead.
    """
    refusals = [
        f"{where} ({why})"
        for member in TABLE[operation]
        for where, why in _refusals(member, payload)
    ]
    if refusals:
        raise ValidationError(f"The local cloud does not support {'; '.join(refusals)}")


def ignored(operation: str, payload: Mapping[str, Any]) -> list[str]:
    """A sentence for each member of the payload that changes nothing here."""
    return [
        f"{where} is ignored: {member.note}"
        for member in TABLE[operation]
        if member.treatment is Treatment.IGNORED
        for where, value in _values(payload, member.path)
        if _says_something(value) and not (member.off and value.get(member.off))
    ]


def markdown(operation: str) -> str:
    """The table of an operation."""
    rows = ["| member | treatment | note |", "|---|---|---|"]
    for member in TABLE[operation]:
        rows.append(f"| `{member.path}` | {member.treatment.value} | {_note(member)} |")
    return "\n".join(rows)


def rewritten(document: str) -> str:
    """The document with the tables as they are now, between the two markers.

    Raises ValueError if it has not both, once each and in their order.
    """
    before, start, rest = document.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end) or START in rest or END in before + after:
        raise ValueError(f"The document must have {START} and, below it, {END}, once each")
    tables = "\n\n".join(
        f"<details>\n<summary><code>{operation}</code></summary>\n\n{markdown(operation)}\n\n</details>"
        for operation in TABLE
    )
    return f"{before}{START}\n{tables}\n{END}{after}"


def _refusals(member: Member, payload: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for where, value in _values(payload, member.path):
        if not _says_something(value):
            continue
        if member.treatment is Treatment.REFUSED:
            yield where, member.note
        elif member.only and value not in member.only:
            yield f"{where} {value}", member.otherwise


def _values(value: Any, path: str, where: str = "") -> Iterator[tuple[str, Any]]:
    """What the payload has at a path, which may pass through lists, and the place of each."""
    name, _, rest = path.partition(".")
    found = value.get(name.removesuffix("[]"))
    here = f"{where}.{name}" if where else name
    entries = [(here, found)]
    if name.endswith("[]"):
        here = here.removesuffix("[]")
        entries = [
            (f"{here}[{_name(entry, position)}]", entry)
            for position, entry in enumerate(found or (), start=1)
        ]
    for place, entry in entries:
        if not rest:
            yield place, entry
        elif entry:
            yield from _values(entry, rest, place)


def _name(entry: Mapping[str, Any], position: int) -> str:
    return str(next((entry[name] for name in _NAMES if name in entry), position))


def _says_something(value: Any) -> bool:
    """Whether a value asks for anything: clients send empty ones, and flags that are off."""
    if isinstance(value, Mapping):
        return any(_says_something(below) for below in value.values())
    if isinstance(value, list):
        return any(_says_something(entry) for entry in value)
    return bool(value)


def _note(member: Member) -> str:
    if not member.only:
        return member.note
    values = " or ".join(f"`{value}`" for value in member.only)
    told = f" ({member.note})" if member.note else ""
    return f"{values}{told}, else refused: {member.otherwise}"


def main() -> None:
    """Write the tables into the document that the command line names."""
    document = Path(sys.argv[1])
    document.write_text(rewritten(document.read_text()))


if __name__ == "__main__":
    main()
