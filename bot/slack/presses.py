"""A press of a button that is an ask of its own, or a form that was sent: what the door reads of them. Pure.

A form carries in its `private_metadata` where it was opened (`Place`) and the value of the button that opened it.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bot.ask import Ask, Click
from bot.inbox import Arrival
from bot.slack.envelope import Drop, Envelope, Wrong, channel_kind
from bot.slack.shapes import Json, items, mapping, words

PRESSES = frozenset(
    {
        "address_read",
        "estimate",
        "proposal_do",
        "proposal_change",
        "proposal_drop",
        "proposal_undo",
        "refused_answer",
        "refused_reword",
        "refused_close",
        "share_cost",
    }
)
"""Action ids, up to the first colon, of our buttons that are asks of their own; the worker has a handler for each."""

FORMS = frozenset({"proposal_changed", "refused_answered", "refused_reworded"})
"""Callback ids of our forms; what is sent is a click with that action."""

FIELD_CHARS = 8_000  # of one field of a form
EMPTY = "Write something here, or close this form."
LONG = f"At most {FIELD_CHARS:,} characters, please."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a button stands; "" for what Slack does not say."""

    channel: str
    thread: str
    message: str
    response_url: str = ""


def place(body: Json) -> Place:
    """Where the button of a block_actions body stands."""
    container, message = mapping(body.get("container")), mapping(body.get("message"))
    return Place(
        channel=words(mapping(body.get("channel")).get("id")) or words(container.get("channel_id")),
        thread=words(message.get("thread_ts")) or words(container.get("thread_ts")),
        message=words(message.get("ts")) or words(container.get("message_ts")),
        response_url=words(body.get("response_url")),
    )


def metadata(where: Place, value: str) -> str:
    """What a form carries, so that what is sent with it is about the same thing in the same place."""
    return json.dumps({**asdict(where), "value": value}, separators=(",", ":"))


def pressed(action: Json, envelope: Envelope) -> Arrival | Drop:
    """A button was pressed that is no signal."""
    name = words(action.get("action_id")).partition(":")[0]
    if name not in PRESSES:
        return Drop("not_ours")
    where = place(envelope.body)
    return _arrival(envelope, where, Click(name, words(action.get("value")), where.message))


def sent(envelope: Envelope) -> Arrival | Drop | Wrong:
    """A form was filled in and sent; a field of it that cannot be taken is told of beside it."""
    view = mapping(envelope.body.get("view"))
    name = words(view.get("callback_id"))
    if name not in FORMS:
        return Drop("not_ours")
    fields = {
        block: words(mapping(element).get("value")).strip()
        for block, elements in mapping(mapping(view.get("state")).get("values")).items()
        for element in mapping(elements).values()
    }
    free = {
        words(b.get("block_id")) for b in items(view.get("blocks")) if b.get("optional") is True
    }
    if errors := _errors(fields, free):
        return Wrong(errors)
    known = _metadata(words(view.get("private_metadata")))
    where = Place(
        words(known.get("channel")),
        words(known.get("thread")),
        words(known.get("message")),
        words(known.get("response_url")),
    )
    return _arrival(envelope, where, Click(name, words(known.get("value")), where.message, fields))


def _errors(fields: Mapping[str, str], free: Collection[str]) -> dict[str, str]:
    """What is wrong with which field; those in `free` may be empty."""
    wrong = {block: EMPTY for block, text in fields.items() if not text and block not in free}
    return wrong | {block: LONG for block, text in fields.items() if len(text) > FIELD_CHARS}


def _metadata(text: str) -> Mapping[str, Any]:
    try:
        return mapping(json.loads(text))
    except ValueError:
        return {}


def _arrival(envelope: Envelope, where: Place, click: Click) -> Arrival | Drop:
    body, us = envelope.body, envelope.us
    user = mapping(body.get("user"))
    if not where.channel or not words(user.get("id")) or not words(body.get("trigger_id")):
        return Drop("malformed")
    team = words(user.get("team_id")) or words(mapping(body.get("team")).get("id"))
    ask = Ask(
        id=envelope.id,
        key=envelope.trigger_key,
        team=us.team or words(mapping(body.get("team")).get("id")),
        channel=where.channel,
        user=words(user.get("id")),
        feature="click",
        origin="click",
        text="",
        at=envelope.at,
        thread=where.thread,
        channel_kind=channel_kind(where.channel, None),
        external=bool(team and us.team) and team != us.team,
        user_team=team,
        response_url=where.response_url,
        click=click,
    )
    return Arrival((envelope.trigger_key,), ask, None)
