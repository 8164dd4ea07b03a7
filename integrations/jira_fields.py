"""Fields of an issue by the names that people use: what may be put into them, what lies in them, and in which words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from integrations.jira_adf import document
from integrations.jira_errors import JiraRejected
from integrations.jira_text import markdown
from integrations.jira_values import items, line, mapping, person

if TYPE_CHECKING:
    from integrations.jira_client import Client


SUMMARY_CHARS = 255
TEXT_CHARS = 30_000  # of one comment or description; Jira takes 32,767
LISTED = 12  # names that a sentence lists
PEOPLE = 20  # asked for by a name
NOBODY = frozenset({"", "nobody", "none", "unassigned"})
NOTHING = "nothing"  # how an empty field reads

_TEXTAREA = "com.atlassian.jira.plugin.system.customfieldtypes:textarea"
_PLAIN = frozenset({"string", "number", "date", "user", "issuelink", "array"})
_ALIASES = {"fix version": "fixVersions", "due": "duedate", "component": "components"}

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A field that may be set.

    Attributes:
        kind: of its value, as Jira's schema calls it; `document` for long texts.
        items: the kind of its values when it holds several.
        needed: whether one has to fill it in.
        allowed: the ids and names of what may be chosen; empty where that is free.
    """

    ident: str
    name: str
    kind: str
    items: str
    needed: bool
    allowed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is to be assigned: an issue's key, or a project's for a new one."""

    client: Client
    by: str
    key: str


def fields_of(raw: object) -> list[Field]:
    """The fields of an edit screen (a mapping by id) or of a create screen (a list)."""
    told = mapping(raw)
    found = [{"fieldId": ident, **mapping(x)} for ident, x in told.items()] or items(raw)
    return [_field(mapping(x)) for x in found]


def _field(raw: Json) -> Field:
    schema = mapping(raw.get("schema"))
    ident, kind = line(raw.get("fieldId")) or line(raw.get("key")), line(schema.get("type"))
    if ident in {"description", "environment"} or schema.get("custom") == _TEXTAREA:
        kind = "document"
    return Field(
        ident=ident,
        name=line(raw.get("name")) or ident,
        kind=kind,
        items=line(schema.get("items")),
        needed=raw.get("required") is True and raw.get("hasDefaultValue") is not True,
        allowed=tuple(_choices(raw.get("allowedValues"))),
    )


def _choices(raw: object) -> Iterator[tuple[str, str]]:
    for choice in map(mapping, items(raw)):
        yield line(choice.get("id")), line(choice.get("name")) or line(choice.get("value"))


def named(fields: Sequence[Field], name: str) -> Field:
    """The field that somebody means.

    Raises:
        JiraRejected: there is none, or it cannot be set from here; the sentence names those that can.
    """
    wanted = name.strip().casefold()
    wanted = _ALIASES.get(wanted, wanted).casefold()
    for field in fields:
        if wanted in (field.ident.casefold(), field.name.casefold()):
            if field.kind in _PLAIN | {"document"} or field.allowed:
                return field
            raise JiraRejected(f"The field {field.name} cannot be set from here; set it in Jira.")
    there = listed([field.name for field in fields])
    raise JiraRejected(f"There is no field “{name[:40]}” to be set here; there are: {there}.")


def missing(fields: Sequence[Field], given: Json) -> str:
    """The fields that one has to fill in and that are not given, with their choices; "" when none is."""
    names: list[str] = []
    for field in fields:
        if field.needed and field.ident not in given:
            choices = listed([name for _, name in field.allowed])
            names.append(f"{field.name} ({choices})" if choices else field.name)
    return listed(names)


def listed(names: Sequence[str]) -> str:
    """Names in a sentence, the first few of them."""
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {more} more" if more > 0 else "")


def sent(field: Field, value: object, place: Place) -> tuple[Any, str]:
    """A value as Jira takes it, and in words.

    Raises:
        JiraRejected: it is none for this field; the sentence says what would be one.
    """
    if field.kind == "array":
        found = [_one(field, field.items, part, place) for part in _several(value)]
        return [wire for wire, _ in found], ", ".join(words for _, words in found) or NOTHING
    if value is None or (isinstance(value, str) and not value.strip()):
        return None, NOTHING
    return _one(field, field.kind, value, place)


def _several(value: object) -> list[Any]:
    if isinstance(value, str):
        return [part for x in value.split(",") if (part := x.strip())]
    return cast("list[Any]", value) if isinstance(value, list) else [] if value is None else [value]


def _one(field: Field, kind: str, value: object, place: Place) -> tuple[Any, str]:
    if kind == "user":
        return _person(field, line(value), place)
    if field.allowed:
        return _choice(field, value)
    if kind == "document":
        return document(checked(str(value), field.name)), str(value)
    if kind == "number":
        return _number(field, value)
    text = line(value)
    if kind == "date":
        return _date(field, text), text
    if kind == "issuelink":
        return {"key": text.upper()}, text.upper()
    if kind != "string":
        raise JiraRejected(f"{field.name} cannot be set from here; set it in Jira.")
    if field.ident == "labels" and " " in text:
        raise JiraRejected(f"A label has no spaces: “{text[:40]}” is none.")
    if len(text) > SUMMARY_CHARS:
        raise JiraRejected(
            f"{field.name} may have {SUMMARY_CHARS} characters; this has {len(text)}."
        )
    return text, text


def checked(text: str, name: str) -> str:
    """A long text that Jira takes.

    Raises:
        JiraRejected: it is empty or too long.
    """
    if not text.strip():
        raise JiraRejected(f"{name} is empty; say what it is to be.")
    if len(text) > TEXT_CHARS:
        raise JiraRejected(f"{name} may have {TEXT_CHARS:,} characters; this has {len(text):,}.")
    return text


def _number(field: Field, value: object) -> tuple[float, str]:
    try:
        found = float(str(value))
    except ValueError:
        found = float("nan")
    if not abs(found) < float("inf"):
        raise JiraRejected(f"{field.name} is a number; “{str(value)[:40]}” is none.")
    return found, f"{found:g}"


def _date(field: Field, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise JiraRejected(
            f"{field.name} is a date like 2026-11-30; “{text[:40]}” is none."
        ) from None


def _choice(field: Field, value: object) -> tuple[Any, str]:
    wanted = line(value) or line(mapping(value).get("name")) or line(mapping(value).get("id"))
    for ident, name in field.allowed:
        if wanted.casefold() in (name.casefold(), ident):
            return {"id": ident}, name
    there = listed([name for _, name in field.allowed])
    raise JiraRejected(f"{field.name} cannot be “{wanted[:40]}”; it can be: {there}.")


def _person(field: Field, wanted: str, place: Place) -> tuple[Any, str]:
    """Somebody who can be assigned, by name, e-mail address or account id."""
    if wanted.casefold() in NOBODY:
        return None, NOTHING
    by: dict[str, str] = {place.by: place.key}
    raw = place.client.rows("user/assignable/search", query=wanted, maxResults=PEOPLE, **by)
    if not raw:
        raw = place.client.rows("user/assignable/search", accountId=wanted, **by)
    people = [mapping(x) for x in raw]
    told = [(line(p.get("accountId")), person(p), line(p.get("emailAddress"))) for p in people]
    same = [p for p in told if wanted.casefold() in (t.casefold() for t in p)]
    found = same or told
    if len(found) == 1:
        return {"accountId": found[0][0]}, found[0][1]
    if not found:
        raise JiraRejected(
            f"Nobody called “{wanted[:40]}” can be {field.name} there; give the name as it stands in Jira."
        )
    names = listed([f"{name} ({mail})" if mail else name for _, name, mail in found])
    raise JiraRejected(f"{field.name} “{wanted[:40]}” can be several: {names}; say which one.")


def held(raw: object) -> Any:
    """What lies in a field, in the form in which it is sent back."""
    if isinstance(raw, list):
        return [held(part) for part in items(raw)]
    told = mapping(raw)
    for name in ("accountId", "key", "id"):
        if told.get("type") != "doc" and told.get(name):
            return {name: line(told[name])}
    return raw


def words_of(raw: object) -> str:
    """What lies in a field, in words."""
    if isinstance(raw, list):
        return ", ".join(words_of(part) for part in items(raw)) or NOTHING
    told = mapping(raw)
    if told.get("type") == "doc":
        return markdown(raw, most=TEXT_CHARS) or NOTHING
    if told:
        names = (told.get(name) for name in ("displayName", "key", "name", "value", "id"))
        return next((text for name in names if (text := line(name))), NOTHING)
    if raw is None or raw == "":
        return NOTHING
    return f"{raw:g}" if isinstance(raw, float) else str(raw)


def same(one: object, other: object) -> bool:
    """Whether two values in the form in which they are sent are the same to whoever reads them."""
    return _compared(one) == _compared(other)


def _compared(value: object) -> object:
    if isinstance(value, list):
        return sorted(json.dumps(part, sort_keys=True) for part in items(value)) or None
    if mapping(value).get("type") == "doc":
        # Jira adds ids to what it keeps.
        return markdown(value, most=TEXT_CHARS)
    return None if value == "" else value
