"""Changes to issues before they are made: names resolved, what stands there read, and all of it put into words.

What these functions return writes nothing; what is unknown, missing or ambiguous is a sentence that names the choices.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from integrations.jira_adf import document
from integrations.jira_draft import Audience, Draft
from integrations.jira_errors import JiraNotFound, JiraRejected
from integrations.jira_fields import (
    Field,
    Place,
    checked,
    fields_of,
    held,
    listed,
    missing,
    named,
    same,
    sent,
    words_of,
)
from integrations.jira_standing import DESK, Standing, standing
from integrations.jira_values import items, line, mapping, name_of

if TYPE_CHECKING:
    from integrations.jira_client import Client


SEEN_BY = {
    "internal": "The team alone (internal note)",
    "customers": "The customer, too",
}
BEFORE_CHARS = 200  # of what a field holds now, that are shown
KEPT_CHARS = 200_000  # of a document, as JSON, that a draft keeps of what was before
PAGE = 200  # fields of a create screen in one answer
PAGES = 5

Json = Mapping[str, Any]


def comment(client: Client, key: str, markdown: str, *, public: bool, site: str) -> Draft:
    """A comment; see `Jira.draft_comment`."""
    body = document(checked(markdown, "The comment"))
    here = standing(client, key)
    audience: Audience = ("customers" if public else "internal") if here.desk else ""
    return _draft(here, site, "comment", markdown, (), audience, {"body": body}, {})


def transition(client: Client, key: str, status: str, markdown: str, *, site: str) -> Draft:
    """A step of an issue; see `Jira.draft_transition`."""
    wire: dict[str, Any] = {}
    if markdown.strip():
        wire["body"] = document(checked(markdown, "The comment"))
    here = standing(client, key, changelog=True)
    step = _step(here, steps(client, here.key), status)
    to = mapping(step.get("to"))
    if needed := missing(fields_of(step.get("fields")), {}):
        raise JiraRejected(
            f"Moving {here.key} to {name_of(to)} asks for {needed}; do it in Jira, where that can be filled in."
        )
    shown = [("Status", f"{here.status_name} → {name_of(to)}")]
    if name_of(step).casefold() != name_of(to).casefold():
        shown.append(("Transition", name_of(step)))
    audience: Audience = ("internal" if markdown.strip() else "customers") if here.desk else ""
    wire |= {"transition": line(step.get("id")), "to": line(to.get("id")), "name": name_of(to)}
    before = {"status": here.status, "name": here.status_name, "entry": _newest(here)}
    return _draft(here, site, "transition", markdown, shown, audience, wire, before)


def steps(client: Client, key: str) -> list[Json]:
    """The transitions that are possible now, with the fields that they ask for.

    Raises:
        JiraProblem: they were not read.
    """
    raw = client.read(f"issue/{key}/transitions", expand="transitions.fields")
    return [mapping(step) for step in items(raw.get("transitions"))]


def _step(here: Standing, possible: Sequence[Json], status: str) -> Json:
    wanted = " ".join(status.split()).casefold()
    by_status = [s for s in possible if name_of(s.get("to")).casefold() == wanted]
    by_name = [s for s in possible if name_of(s).casefold() == wanted]
    found = sorted(by_status or by_name, key=lambda s: missing(fields_of(s.get("fields")), {}))
    if found:
        return found[0]
    names = [
        f"{name_of(s.get('to'))} ({name_of(s)})"
        if name_of(s) != name_of(s.get("to"))
        else name_of(s)
        for s in possible
    ]
    if not names:
        raise JiraRejected(
            f"The bot's account cannot move {here.key}; a Jira admin has to permit it."
        )
    if wanted == here.status_name.casefold():
        raise JiraRejected(f"{here.key} is in {here.status_name} already.")
    raise JiraRejected(
        f"{here.key} is in {here.status_name} and cannot go to “{status[:40]}” now; it can go to: "
        f"{listed(names)}."
    )


def update(client: Client, key: str, given: Json, *, site: str) -> Draft:
    """New values of fields; see `Jira.draft_update`."""
    screen = fields_of(mapping(client.read(f"issue/{key}/editmeta").get("fields")))
    if not screen:
        raise JiraRejected(f"The bot's account cannot change {key}; a Jira admin has to permit it.")
    asked = [(named(screen, name), value) for name, value in given.items()]
    if twice := [field.name for n, (field, _) in enumerate(asked) if field in dict(asked[:n])]:
        raise JiraRejected(f"{twice[0]} is named twice; say which value it is to have.")
    here = standing(client, key, fields=[field.ident for field, _ in asked], changelog=True)
    place = Place(client, "issueKey", here.key)
    wire: dict[str, Any] = {}
    shown: list[tuple[str, str]] = []
    text = ""
    for field, value in asked:
        put, words = sent(field, value, place)
        raw = here.fields.get(field.ident)
        if same(put, held(raw)):
            continue
        if put is None and field.ident == "summary":
            raise JiraRejected("An issue needs a summary; it cannot be emptied.")
        if field.kind == "document" and len(json.dumps(raw)) > KEPT_CHARS:
            raise JiraRejected(
                f"{field.name} of {here.key} is too long to be kept for taking it back; change it in Jira."
            )
        wire[field.ident] = put
        if field.kind == "document" and put is not None and not text:
            text, words = words, "the text below"
        shown.append((field.name, f"{_short(words_of(raw), field)} → {words}"))
    if not wire:
        raise JiraRejected(f"{here.key} has these values already; nothing would change.")
    before = {
        "fields": {ident: held(here.fields.get(ident)) for ident in wire},
        "names": {field.ident: field.name for field, _ in asked},
        "entry": _newest(here),
    }
    seen: Audience = "customers" if {"summary", "description"} & wire.keys() else "internal"
    audience: Audience = seen if here.desk else ""
    return _draft(here, site, "update", text, shown, audience, {"fields": wire}, before)


def _short(words: str, field: Field) -> str:
    """What a field holds now; it may be cut, which what it would hold never is."""
    if field.kind == "document" and len(words) > 80:
        return f"({len(words):,} characters)"
    return words if len(words) <= BEFORE_CHARS else f"{words[:BEFORE_CHARS]}…"


def issue(
    client: Client,
    project: str,
    kind: str,
    summary: str,
    markdown: str,
    *,
    given: Json,
    site: str,
) -> Draft:
    """A new issue; see `Jira.draft_issue`."""
    try:
        there = client.read(f"project/{project}")
    except JiraNotFound:
        raise JiraNotFound(
            f"There is no project {project[:40]} in Jira that the bot's account may see."
        ) from None
    key = line(there.get("key"))
    ident, type_name = _type(client, key, kind)
    screen = _create_screen(client, key, ident)
    place = Place(client, "project", key)
    wire: dict[str, Any] = {"project": {"key": key}, "issuetype": {"id": ident}}
    shown = [("Project", f"{key} · {name_of(there)}"), ("Type", type_name)]
    texts = {"description": markdown} if markdown.strip() else {}
    for name, value in {"summary": summary, **texts, **given}.items():
        field = named(screen, name)
        put, words = sent(field, value, place)
        if put in (None, []):
            continue
        wire[field.ident] = put
        if field.ident != "description":
            shown.append((field.name, words))
    if needed := missing(screen, wire):
        raise JiraRejected(f"A {type_name} in {key} also needs: {needed}.")
    audience: Audience = "internal" if line(there.get("projectTypeKey")) == DESK else ""
    shown += _seen(audience)  # what is no customer's request stands in no customer's portal
    return Draft(
        kind="issue",
        project=key,
        key="",
        summary=str(wire["summary"]),
        markdown=markdown,
        shown=tuple(shown),
        audience=audience,
        url=f"{site}/browse/{key}",
        wire={"fields": wire},
    )


def _type(client: Client, project: str, wanted: str) -> tuple[str, str]:
    raw = client.read(f"issue/createmeta/{project}/issuetypes", maxResults=PAGE)
    types = [(line(mapping(t).get("id")), name_of(t)) for t in items(raw.get("issueTypes"))]
    for ident, name in types:
        if wanted.strip().casefold() == name.casefold():
            return ident, name
    if not types:
        raise JiraRejected(
            f"The bot's account cannot create issues in {project}; a Jira admin has to permit it."
        )
    there = listed([name for _, name in types])
    raise JiraRejected(f"{project} has no type “{wanted[:40]}”; it has: {there}.")


def _create_screen(client: Client, project: str, kind: str) -> list[Field]:
    found: list[Field] = []
    for _ in range(PAGES):
        path = f"issue/createmeta/{project}/issuetypes/{kind}"
        page = fields_of(client.read(path, startAt=len(found), maxResults=PAGE).get("fields"))
        found += page
        if len(page) < PAGE:
            break
    return [field for field in found if field.ident not in {"project", "issuetype"}]


def _seen(audience: Audience) -> list[tuple[str, str]]:
    return [("Seen by", SEEN_BY[audience])] if audience else []


def _newest(here: Standing) -> str:
    """The id of the newest entry of the changelog; what follows it came after the draft."""
    return here.changes[0].entry if here.changes else ""


def _draft(
    here: Standing,
    site: str,
    kind: Any,
    markdown: str,
    shown: Sequence[tuple[str, str]],
    audience: Audience,
    wire: Json,
    before: Json,
) -> Draft:
    project = ("Project", f"{here.project} · {here.project_name}")
    return Draft(
        kind=kind,
        project=here.project,
        key=here.key,
        summary=here.summary,
        markdown=markdown,
        shown=(project, ("Type", here.type), *shown, *_seen(audience)),
        audience=audience,
        url=f"{site}/browse/{here.key}",
        wire=wire,
        before=before,
    )
