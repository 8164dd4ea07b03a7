"""Writes drafts to Jira, once each; looks whether one was written after all; takes back what nobody built on.

    write:    what the draft stands on is read -> one request, with the proposal's mark in it
    written:  the mark is looked for: a property of the comment or the new issue, an entry of the changelog
    undo:     in `jira_undoing`

Should Jira have dropped the mark of an entry, a change by our own account of the same fields counts, if it came after
the draft and carries no other proposal's mark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Event
from typing import TYPE_CHECKING, Any

from integrations.jira_draft import Draft, Written
from integrations.jira_drafting import steps
from integrations.jira_errors import JiraChanged, JiraNotFound, JiraProblem, JiraUnknown
from integrations.jira_fields import fields_of, held, missing, same
from integrations.jira_standing import Change, Standing, standing
from integrations.jira_values import items, line, mapping

if TYPE_CHECKING:
    from integrations.jira_client import Client


PROPERTY = "purser"  # of a comment or a new issue: the proposal's mark
INTERNAL = "sd.public.comment"  # the service desk's own property
ORIGIN = "purser:proposal"  # the kind of our entries in a changelog
COMMENTS = 100  # the newest ones, looked at for a mark
NEW_ISSUES = 50
DAYS = 3  # a proposal lives for one

NO_COMMENT = "The status was changed, but the comment was not written: {why}"
COMMENT_LOST = "The status was changed, but the comment that goes with it is not there."

Json = Mapping[str, Any]


def write(client: Client, draft: Draft, *, mark: str, begun: Event, site: str) -> Written:
    """Write a draft; see `Jira.write`.

    Args:
        client: asks Jira.
        draft: what to write.
        mark: the proposal's id.
        begun: set before anything is sent that changes Jira.
        site: where people open issues.

    Raises:
        JiraProblem: as `Jira.write` says.
    """
    if draft.kind == "comment":
        here = _still(client, draft)
        ident = add_comment(client, draft, mark, begun)
        return _result(draft, mark, f"{site}/browse/{here.key}?focusedCommentId={ident}", ident)
    if draft.kind == "issue":
        body = {"fields": draft.wire["fields"], "properties": [_property(mark)]}
        made = client.change("POST", "issue", body, begun)
        key = line(made.get("key"))
        if not key:
            raise JiraUnknown
        return _result(draft, mark, f"{site}/browse/{key}", line(made.get("id")), key)
    if draft.kind == "update":
        _holding(client, draft)
        body = {"fields": draft.wire["fields"], "historyMetadata": origin(mark)}
        client.change("PUT", f"issue/{draft.key}", body, begun)
        return _result(draft, mark, draft.url)
    _leading(client, draft)
    return _moved(client, draft, mark, begun)


def origin(mark: str) -> Json:
    """What our entries in a changelog say of where they come from."""
    return {"type": ORIGIN, "extraData": {"mark": mark}}


def add_comment(client: Client, draft: Draft, mark: str, begun: Event) -> str:
    """The id of a new comment; in a service desk it is internal unless the draft says otherwise.

    Raises:
        JiraProblem: it was not written, or nobody knows.
    """
    properties = [_property(mark)]
    if draft.audience:
        public = draft.kind == "comment" and draft.audience == "customers"
        properties.append({"key": INTERNAL, "value": {"internal": not public}})
    body = {"body": draft.wire["body"], "properties": properties}
    ident = line(client.change("POST", f"issue/{draft.key}/comment", body, begun).get("id"))
    if not ident:
        raise JiraUnknown
    return ident


def _property(mark: str) -> Json:
    return {"key": PROPERTY, "value": {"mark": mark}}


def _result(draft: Draft, mark: str, url: str, ident: str = "", key: str = "") -> Written:
    return Written(draft=draft, mark=mark, key=key or draft.key, url=url, ident=ident)


def _still(client: Client, draft: Draft, **more: Any) -> Standing:
    """The issue, if it is still where the draft says.

    Raises:
        JiraChanged: it is not.
    """
    try:
        here = standing(client, draft.key, **more)
    except JiraNotFound:
        raise JiraChanged(
            f"{draft.key} does not exist any more, or is restricted now; nothing was written."
        ) from None
    if (here.key, here.project) != (draft.key, draft.project):
        raise JiraChanged(f"{draft.key} has moved to {here.key} meanwhile; nothing was written.")
    if here.desk != bool(draft.audience):
        raise JiraChanged(
            f"Others than the proposal says see {draft.key} now; nothing was written."
        )
    return here


def _holding(client: Client, draft: Draft) -> None:
    """Raises JiraChanged unless the fields hold what the proposal shows as before."""
    before = draft.before["fields"]
    here = _still(client, draft, fields=list(before))
    if moved := differing(here, before, draft.before["names"]):
        raise JiraChanged(
            f"{', '.join(moved)} of {draft.key} changed meanwhile, so nothing was written; ask again "
            "to see what it would be now."
        )


def differing(here: Standing, values: Json, names: Json) -> list[str]:
    """The names of the fields that hold something else."""
    return [
        str(names.get(ident, ident))
        for ident, value in values.items()
        if not same(held(here.fields.get(ident)), value)
    ]


def _leading(client: Client, draft: Draft) -> None:
    """Raises JiraChanged unless the issue stands where it stood, and its step leads where the draft says."""
    here = _still(client, draft)
    if here.status != draft.before["status"]:
        raise JiraChanged(
            f"{draft.key} is in {here.status_name} now, no more in {draft.before['name']}; nothing was written."
        )
    for step in steps(client, draft.key):
        to = line(mapping(step.get("to")).get("id"))
        if (line(step.get("id")), to) == (draft.wire["transition"], draft.wire["to"]):
            if needed := missing(fields_of(step.get("fields")), {}):
                raise JiraChanged(
                    f"This step asks for {needed} now; do it in Jira. Nothing was written."
                )
            return
    raise JiraChanged(
        f"{draft.key} can no more go to {draft.wire['name']}; nothing was written. Ask again to see where it can."
    )


def _moved(client: Client, draft: Draft, mark: str, begun: Event) -> Written:
    """A step, and then its comment: in one request Jira drops comments of steps that have no screen."""
    body = {"transition": {"id": draft.wire["transition"]}, "historyMetadata": origin(mark)}
    client.change("POST", f"issue/{draft.key}/transitions", body, begun)
    comment = left = ""
    if "body" in draft.wire:
        try:
            comment = add_comment(client, draft, mark, begun)
        except JiraProblem as problem:
            left = NO_COMMENT.format(why=problem)
    return Written(draft, mark, draft.key, draft.url, "", comment, left)


def written(client: Client, draft: Draft, *, mark: str, site: str) -> Written | None:
    """Look for what may have been written; see `Jira.written`.

    Args:
        client: asks Jira.
        draft: what was to be written.
        mark: the proposal's id.
        site: where people open issues.

    Raises:
        JiraProblem: nobody can tell.
    """
    if draft.kind == "comment":
        ident = _marked_comment(client, draft.key, mark)
        url = f"{site}/browse/{draft.key}?focusedCommentId={ident}"
        return _result(draft, mark, url, ident) if ident else None
    if draft.kind == "issue":
        return _marked_issue(client, draft, mark, site)
    here = standing(client, draft.key, changelog=True)
    found = own(client, here.changes, draft, mark)
    if not found:
        return None
    comment = _marked_comment(client, draft.key, mark) if "body" in draft.wire else ""
    left = COMMENT_LOST if "body" in draft.wire and not comment else ""
    return Written(draft, mark, draft.key, draft.url, found[0].entry, comment, left)


def own(client: Client, changes: Sequence[Change], draft: Draft, mark: str) -> list[Change]:
    """Our own changes of a draft, the newest first; none when it was not written."""
    wanted = {"status"} if draft.kind == "transition" else set(draft.wire["fields"])
    since: list[Change] = []
    for change in changes:
        if change.entry == draft.before["entry"]:
            break
        since.append(change)
    marked = [c for c in since if c.mark == mark and c.field in wanted]
    if marked:
        return marked
    if not any(c.field in wanted and not c.mark for c in since):
        return []
    me = line(client.read("myself").get("accountId"))
    unmarked = [c for c in since if c.by == me and not c.mark and c.field in wanted]
    if draft.kind == "transition":
        return [c for c in unmarked if c.to == draft.wire["to"]]
    return unmarked if {c.field for c in unmarked} == wanted else []


def _marked_comment(client: Client, key: str, mark: str) -> str:
    """The id of the comment that carries a mark; "" when none of the newest does."""
    raw = client.read(f"issue/{key}/comment", orderBy="-created", maxResults=COMMENTS)
    idents = [line(mapping(c).get("id")) for c in items(raw.get("comments"))]
    numbers = [int(ident) for ident in idents if ident.isdigit()]
    if not numbers:
        return ""
    told = client.query("comment/list?expand=properties", {"ids": numbers})
    for comment in map(mapping, items(told.get("values"))):
        for found in map(mapping, items(comment.get("properties"))):
            if found.get("key") == PROPERTY and mapping(found.get("value")).get("mark") == mark:
                return line(comment.get("id"))
    return ""


def _marked_issue(client: Client, draft: Draft, mark: str, site: str) -> Written | None:
    jql = (
        f'project = "{draft.project}" AND creator = currentUser() AND created >= -{DAYS}d '
        "ORDER BY created DESC"
    )
    raw = client.read(
        "search/jql", jql=jql, maxResults=NEW_ISSUES, fields="summary", properties=PROPERTY
    )
    for issue in map(mapping, items(raw.get("issues"))):
        found = mapping(mapping(issue.get("properties")).get(PROPERTY))
        if found.get("mark") == mark:
            key = line(issue.get("key"))
            return _result(draft, mark, f"{site}/browse/{key}", line(issue.get("id")), key)
    return None
