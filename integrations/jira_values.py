"""Values of Jira's JSON, whatever lies there: what has another shape than expected is empty."""

from datetime import UTC, date, datetime
from typing import Any, cast

from integrations.jira_node import clean


def mapping(value: object) -> dict[str, Any]:
    """An object, {} where there is none."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """A list, [] where there is none."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def number(value: object) -> int:
    """A count, 0 where there is none."""
    return max(0, value) if isinstance(value, int) else 0


def line(value: object) -> str:
    """A short text, in one line."""
    return " ".join(clean(value).split())


def name_of(value: object) -> str:
    """The name of a thing that has one."""
    return line(mapping(value).get("name"))


def names_of(value: object) -> tuple[str, ...]:
    """The names of things that have one."""
    return tuple(name for found in items(value) if (name := name_of(found)))


def person(value: object) -> str:
    """A person's displayed name."""
    return line(mapping(value).get("displayName"))


def moment(value: object) -> datetime | None:
    """A time in UTC; Jira gives it in the account's zone."""
    try:
        found = datetime.fromisoformat(line(value))
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def day(value: object) -> date | None:
    """A day, None where there is none."""
    try:
        return date.fromisoformat(line(value))
    except ValueError:
        return None
