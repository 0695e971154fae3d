"""Tags: what a request gives, and what AddTags and DeleteTags make of them."""

from collections.abc import Iterable, Mapping

from local_cloud.sagemaker.errors import ValidationError

MAX_TAGS = 50
_RESERVED = "aws:"


def given(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The tags of a request.

    Raises ValidationError for a key that comes twice, that AWS keeps for itself, or too many.
    """
    found: dict[str, str] = {}
    for tag in tags:
        key = tag["Key"]
        if key in found:
            raise ValidationError(f"Duplicate tag key '{key}': give each key once")
        if key.lower().startswith(_RESERVED):
            raise ValidationError(f"The tag key '{key}' begins with '{_RESERVED}', which is AWS's")
        found[key] = tag["Value"]
    return limited(found)


def limited(tags: dict[str, str]) -> dict[str, str]:
    """These tags; ValidationError if a resource may not have so many."""
    if len(tags) > MAX_TAGS:
        raise ValidationError(f"A resource has at most {MAX_TAGS} tags; these are {len(tags)}")
    return tags


def listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as the API lists them, by key."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]
