"""Bodies as Slack delivers them, for the tests of the door."""

import asyncio
import hashlib
import hmac
import json
import time
from typing import Any

from bot.ask import Ask, Signal
from bot.errors import StoreDown
from bot.inbox import Arrival
from bot.slack.envelope import Us

APP, TEAM, BOT, BOT_ID, USER = "A1", "T1", "U0BOT", "B0BOT", "U1"
US = Us(APP, TEAM, BOT, BOT_ID)
AT = 1_764_000_000.0


def event(inner: dict[str, Any], event_id: str = "Ev1", **outer: Any) -> dict[str, Any]:
    """An Events API delivery."""
    return {
        "type": "event_callback",
        "token": "made-up",
        "team_id": TEAM,
        "api_app_id": APP,
        "event_id": event_id,
        "event_time": int(AT),
        "is_ext_shared_channel": False,
        "authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True}],
        "event": inner,
        **outer,
    }


def said(text: str, **fields: Any) -> dict[str, Any]:
    """A message in a channel, as the `message` event tells it."""
    return {
        "type": "message",
        "channel": "C1",
        "channel_type": "channel",
        "user": USER,
        "team": TEAM,
        "text": text,
        "ts": "1764000000.000100",
        **fields,
    }


def mention(text: str, **fields: Any) -> dict[str, Any]:
    """A mention, as the `app_mention` event tells it (it does not say what kind of channel it is)."""
    inner = said(f"<@{BOT}> {text}", **{"type": "app_mention", **fields})
    inner.pop("channel_type")
    return inner


def direct(text: str, **fields: Any) -> dict[str, Any]:
    """A direct message."""
    return said(text, **{"channel": "D1", "channel_type": "im", **fields})


def changed(new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """A message_changed, for messages as `said` gives them."""
    place = {k: new[k] for k in ("channel", "channel_type") if k in new}
    inner = [{k: v for k, v in m.items() if k not in place} for m in (new, old)]
    return {
        "type": "message",
        "subtype": "message_changed",
        **place,
        "ts": "1764000009.000900",
        "message": inner[0],
        "previous_message": inner[1],
    }


def command(name: str, text: str = "", **fields: Any) -> dict[str, Any]:
    """A slash command, as form fields."""
    return {
        "command": name,
        "text": text,
        "api_app_id": APP,
        "team_id": TEAM,
        "channel_id": "C1",
        "channel_name": "shop",
        "user_id": USER,
        "trigger_id": "1.2.abc",
        "response_url": "https://hooks.slack.com/commands/1",
        **fields,
    }


def click(action_id: str, value: str, **fields: Any) -> dict[str, Any]:
    """A press of a button under an answer."""
    return {
        "type": "block_actions",
        "api_app_id": APP,
        "team": {"id": TEAM},
        "user": {"id": USER, "team_id": TEAM},
        "channel": {"id": "C1"},
        "container": {"type": "message", "message_ts": "1764000005.000200", "channel_id": "C1"},
        "message": {"ts": "1764000005.000200", "thread_ts": "1764000000.000100"},
        "trigger_id": "9.9.xyz",
        "response_url": "https://hooks.slack.com/actions/1",
        "actions": [{"type": "button", "action_id": action_id, "value": value}],
        **fields,
    }


def form(
    fields: dict[str, str], *, callback_id: str = "proposal_changed", **more: Any
) -> dict[str, Any]:
    """A form that was sent, opened by a button in C1."""
    place = {"channel": "C1", "thread": "1764000000.000100", "message": "1764000005.000200"}
    return {
        "type": "view_submission",
        "api_app_id": APP,
        "team": {"id": TEAM},
        "user": {"id": USER, "team_id": TEAM},
        "trigger_id": "9.9.form",
        "view": {
            "callback_id": callback_id,
            "private_metadata": json.dumps({**place, "value": "p-1:hash"}),
            "blocks": [{"block_id": "note", "type": "input", "optional": True}],
            "state": {"values": {k: {"said": {"value": v}} for k, v in fields.items()}},
        },
        **more,
    }


class Kept:
    """An inbox in memory: a key known is an arrival known."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.asks: list[Ask] = []
        self.signals: list[Signal] = []
        self.down = False
        self.refused = asyncio.Event()
        self.seconds = 0.0

    async def put(self, arrival: Arrival) -> str:
        """As the inbox promises it."""
        await asyncio.sleep(self.seconds)
        if self.down:
            self.refused.set()
            raise StoreDown
        if self.keys.intersection(arrival.keys):
            return "known"
        self.keys.update(arrival.keys)
        asked, signal = arrival.ask, arrival.signal
        if asked is not None and not any(self._same(asked.channel, asked.ts, a) for a in self.asks):
            self.asks.append(asked)
        elif signal is not None:
            self.signals.append(signal)
        else:
            return "known"
        return "new"

    @staticmethod
    def _same(channel: str, ts: str, ask: Ask) -> bool:
        """Whether an ask is about this message: then another wording of it is no new ask."""
        return bool(ts) and (ask.channel, ask.ts) == (channel, ts)


def signed(body: str, secret: str, *, at: int | None = None) -> dict[str, str]:
    """The headers with which Slack sends a body over HTTP."""
    stamp = str(int(time.time()) if at is None else at)
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    form = "application/json" if body.startswith("{") else "application/x-www-form-urlencoded"
    return {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
        "Content-Type": form,
    }
