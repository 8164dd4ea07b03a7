"""Careful hands for Slack's JSON: whatever lies there, a mapping, a list or a text comes back.

Every body is somebody else's data; a field of the wrong type counts as absent.
"""

from collections.abc import Mapping
from typing import Any, cast

Json = Mapping[str, Any]


def mapping(value: object) -> Json:
    """The value if it is an object, else an empty one."""
    return cast("Json", value) if isinstance(value, Mapping) else {}


def items(value: object) -> list[Json]:
    """The objects in a list; anything else in it, or no list at all, is left out."""
    if not isinstance(value, list):
        return []
    return [cast("Json", item) for item in cast("list[Any]", value) if isinstance(item, Mapping)]


def words(value: object) -> str:
    """The value if it is a text, else ""."""
    return value if isinstance(value, str) else ""


def count(value: object) -> int:
    """The value if it is a whole number of at least 0, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
