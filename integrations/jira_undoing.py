"""Takes back what was written to Jira, where nobody has built on it since: everything is read first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event
from typing import TYPE_CHECKING, Any

from integrations.jira_draft import Undone, Written
from integrations.jira_drafting import steps
from integrations.jira_errors import JiraNotFound, JiraNotUndone, JiraProblem
from integrations.jira_fields import fields_of, missing
from integrations.jira_standing import Change, Standing, standing
from integrations.jira_values import line, mapping
from integrations.jira_writing import differing, origin, own

if TYPE_CHECKING:
    from integrations.jira_client import Client


MADE = (
    "{key} was created and is not deleted from here: others may have read it or built on it. "
    "Close it, or delete it in Jira."
)
GONE = "The comment on {key} is not there any more, so there is nothing to take back."
EDITED = "The comment on {key} was edited since, so it stays; delete it in Jira if it has to go."
FOREIGN = (
    "The comment on {key} is not by the bot's account of today, so it stays; delete it in Jira."
)


def undo(client: Client, written: Written, *, begun: Event) -> Undone:
    """Take a change back; see `Jira.undo`.

    Args:
        client: asks Jira.
        written: what to take back.
        begun: set before anything is sent that changes Jira.

    Raises:
        JiraProblem: as `Jira.undo` says.
    """
    how = _WAYS[written.draft.kind]
    try:
        return how(client, written, begun)
    except JiraNotFound:
        raise JiraNotUndone(
            f"{written.key} does not exist any more, or the bot's account may not see it; nothing was taken back."
        ) from None


def _comment(client: Client, written: Written, begun: Event) -> Undone:
    _remove(client, written.key, written.ident, begun)
    return Undone(written.key, written.draft.url, f"The comment on {written.key} was removed.")


def _remove(client: Client, key: str, ident: str, begun: Event) -> None:
    """Delete a comment of ours that nobody edited.

    Raises:
        JiraNotUndone: it is not there, not ours, or edited.
    """
    path = f"issue/{key}/comment/{ident}"
    try:
        told = client.read(path)
    except JiraNotFound:
        raise JiraNotUndone(GONE.format(key=key)) from None
    if line(told.get("updated")) != line(told.get("created")):
        raise JiraNotUndone(EDITED.format(key=key))
    author = line(mapping(told.get("author")).get("accountId"))
    if author != line(client.read("myself").get("accountId")):
        raise JiraNotUndone(FOREIGN.format(key=key))
    client.change("DELETE", path, None, begun)


def _transition(client: Client, written: Written, begun: Event) -> Undone:
    draft = written.draft
    here = standing(client, draft.key, changelog=True)
    newest = next((c for c in here.changes if c.field == "status"), None)
    is_back = newest and newest.mark == _undo(written) and here.status == draft.before["status"]
    if not is_back:
        _stands(client, written, here, newest)
        body = {
            "transition": {"id": _back(client, written, here)},
            "historyMetadata": origin(_undo(written)),
        }
        client.change("POST", f"issue/{draft.key}/transitions", body, begun)
    said = f"{draft.key} is back in {draft.before['name']}."
    if written.comment:
        try:
            _remove(client, draft.key, written.comment, begun)
            said += " The comment that went with it was removed."
        except JiraProblem as problem:
            said += f" {problem}"
    return Undone(draft.key, draft.url, said)


def _stands(client: Client, written: Written, here: Standing, newest: Change | None) -> None:
    """Raises JiraNotUndone when somebody moved the issue since."""
    draft = written.draft
    ours = own(client, here.changes, draft, written.mark)
    if newest is None or newest not in ours or here.status != draft.wire["to"]:
        who = newest.who if newest and newest not in ours else "Somebody"
        raise JiraNotUndone(
            f"{who} has moved {draft.key} since, it is in {here.status_name} now; so it stays there."
        )


def _back(client: Client, written: Written, here: Standing) -> str:
    """The id of a transition that leads back and asks for nothing.

    Raises:
        JiraNotUndone: there is none.
    """
    draft = written.draft
    old = draft.before["name"]
    back = [
        step
        for step in steps(client, draft.key)
        if line(mapping(step.get("to")).get("id")) == draft.before["status"]
    ]
    for step in back:
        if not missing(fields_of(step.get("fields")), {}):
            return line(step.get("id"))
    if back:
        raise JiraNotUndone(
            f"The way back to {old} asks for {missing(fields_of(back[0].get('fields')), {})}; do it in Jira."
        )
    raise JiraNotUndone(
        f"There is no way from {here.status_name} back to {old} in the workflow of {draft.key}; so it stays."
    )


def _update(client: Client, written: Written, begun: Event) -> Undone:
    draft = written.draft
    put: Mapping[str, Any] = draft.wire["fields"]
    here = standing(client, draft.key, fields=list(put))
    names = draft.before["names"]
    told = ", ".join(str(names.get(ident, ident)) for ident in put)
    undone = Undone(draft.key, draft.url, f"{told} of {draft.key} is as before.")
    if not differing(here, draft.before["fields"], names):
        return undone
    if moved := differing(here, put, names):
        raise JiraNotUndone(
            f"{', '.join(moved)} of {draft.key} changed since, so nothing was taken back; change it in Jira."
        )
    body = {
        "fields": draft.before["fields"],
        "historyMetadata": origin(_undo(written)),
    }
    client.change("PUT", f"issue/{draft.key}", body, begun)
    return undone


def _undo(written: Written) -> str:
    """The mark of taking it back, by which a second asking knows that it was done."""
    return f"undo {written.mark}"


def _issue(client: Client, written: Written, begun: Event) -> Undone:
    raise JiraNotUndone(MADE.format(key=written.key))


_WAYS: Mapping[str, Callable[[Client, Written, Event], Undone]] = {
    "comment": _comment,
    "transition": _transition,
    "update": _update,
    "issue": _issue,
}
