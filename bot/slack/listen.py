"""The one door: an event, a command or a click is read, committed to the inbox, and only then acknowledged.

It stands in front of Bolt's own authorisation, for both transports, after HTTP's signature check. If the commit
fails, an event gets no acknowledgement, so that Slack sends it again; a command or a click, which Slack never
sends again, gets an apology. Only a form is opened by the door itself, after its commit: what Slack gives to open it
with holds for three seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

import structlog
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.ask import Ask
from bot.audit import Record, record
from bot.errors import StoreDown
from bot.inbox import Arrival
from bot.slack.arrivals import NOTICES, read
from bot.slack.envelope import Drop, Opened, Tell, Us, Wrong
from bot.slack.shapes import Json, mapping, words
from bot.store import Transaction

COMMIT_SECONDS = 2.0  # Slack waits 3 s for the acknowledgement
TAKEN: Mapping[str, str] = {
    "summarize": "I am reading the tickets; the summary follows.",
    "cost": "I am adding up the books.",
    "purser": "One moment.",
}
"""What the asker of a command sees at once."""

APOLOGY = "I could not write that down, so it will not be done. Please try again in a minute."
LATE = "My database is slow just now. If nothing follows within a minute, please ask again."

log = structlog.get_logger()

Respond = Callable[[str, str], Awaitable[object]]
"""Say a sentence to one person through a response_url: (url, sentence)."""

Open = Callable[[Ask, str], Awaitable[object]]
"""Open the form that a click asks for, if it asks for one: (click, trigger id)."""


class Inbox(Protocol):
    """What the door needs of the inbox."""

    async def put(self, arrival: Arrival) -> str:
        """Make it durable: "new", or "known" when one of its keys was claimed before. Raises StoreDown."""
        ...


class Listen(AsyncMiddleware):
    """The door, for `AsyncApp(before_authorize=Listen(...))`.

    Args:
        inbox: where arrivals are made durable.
        us: who we are, as far as known; may be told later, a delivery itself says most of it.
        new_id: makes the id of an ask.
        now: seconds since the epoch.
        dropped: told why something was no ask.
        respond: says the apology for a click, whose acknowledgement cannot carry words.
        commit_seconds: how long a commit may take before Slack hears no.

    Attributes:
        opens: opens the form that a click asks for; None as long as nobody can.
        home: shows somebody our home; the same.
    """

    def __init__(
        self,
        inbox: Inbox,
        us: Us,
        *,
        new_id: Callable[[], str],
        now: Callable[[], float],
        dropped: Callable[[str], None],
        respond: Respond | None = None,
        commit_seconds: float = COMMIT_SECONDS,
    ) -> None:
        self._inbox = inbox
        self.us = us
        self._new_id = new_id
        self._now = now
        self._dropped = dropped
        self._respond = respond
        self._commit_seconds = commit_seconds
        self.opens: Open | None = None
        self.home: Callable[[Opened], Awaitable[object]] | None = None
        self._said: set[asyncio.Task[object]] = set()

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 - Bolt names it
    ) -> BoltResponse | None:
        """Take one delivery."""
        body = mapping(req.body)
        if body.get("type") == "url_verification" or "ssl_check" in body:
            return await next()
        reading = read(body, self.us, id=self._new_id(), at=self._now())
        if isinstance(reading, Drop):
            self._drop(reading.reason)
            return _ack()
        if isinstance(reading, Tell):
            return _ack(reading.sentence)
        if isinstance(reading, Wrong):
            return _wrong(reading.errors)
        if isinstance(reading, Opened):
            if self.home is not None:
                self._aside(self.home(reading))
            return _ack()
        return await self._commit(reading, body)

    async def _commit(self, arrival: Arrival, body: Json) -> BoltResponse:
        arrival = self._audited(arrival)
        try:
            async with asyncio.timeout(self._commit_seconds):
                outcome = await self._inbox.put(arrival)
        except (StoreDown, TimeoutError) as error:
            return self._sorry(body, error)
        if outcome == "known":
            self._drop("repeat")
        ask = arrival.ask
        if (
            outcome == "new"
            and ask is not None
            and ask.click is not None
            and self.opens is not None
        ):
            self._aside(self.opens(ask, words(body.get("trigger_id"))))
        return _ack(TAKEN.get(ask.feature, "") if ask and ask.origin == "command" else "")

    def _audited(self, arrival: Arrival) -> Arrival:
        """A thumb is a person's action, and recorded in the commit that keeps it; a stop by whoever hears it."""
        said = arrival.signal
        if said is None or said.kind != "feedback":
            return arrival
        tx = Transaction()
        about = (said.team, said.channel, said.user, said.ask_id)
        record(tx, Record(*about, "feedback", "answer", said.text), at=said.at)
        return replace(arrival, beside=tuple(tx.statements))

    def _sorry(self, body: Json, error: StoreDown | TimeoutError) -> BoltResponse:
        """No acknowledgement where Slack sends again, else an apology."""
        self._drop("commit_failed")
        log.error("door could not commit", error=type(error).__name__)
        if body.get("type") == "event_callback":
            return BoltResponse(status=500, body="")
        sentence = LATE if isinstance(error, TimeoutError) else APOLOGY
        if body.get("type") == "view_submission":  # it stays open, with what was written in it
            blocks = mapping(mapping(mapping(body.get("view")).get("state")).get("values"))
            return _wrong(dict.fromkeys(blocks, sentence))
        url = words(body.get("response_url"))
        if "command" not in body and self._respond is not None and url:
            self._aside(self._respond(url, sentence))
        return _ack(sentence)

    def _aside(self, work: Awaitable[object]) -> None:
        """Say or show something beside the acknowledgement, which does not wait for it."""
        task = asyncio.ensure_future(work)
        self._said.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[object]) -> None:
        self._said.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("not delivered", error=type(error).__name__)

    def _drop(self, reason: str) -> None:
        self._dropped(reason)
        if reason in NOTICES:
            log.error("slack notice", notice=reason)


def _ack(sentence: str = "") -> BoltResponse:
    """200, empty, or with a sentence that only the person sees."""
    if not sentence:
        return BoltResponse(status=200, body="")
    answer: dict[str, Any] = {"response_type": "ephemeral", "text": sentence}
    return BoltResponse(status=200, body=answer)


def _wrong(errors: Mapping[str, str]) -> BoltResponse:
    """A form stays open, with a sentence under each of these blocks."""
    answer: dict[str, Any] = {"response_action": "errors", "errors": dict(errors)}
    return BoltResponse(status=200, body=answer)
