"""Presses of our buttons that are asks of their own: each goes to who answers for its action.

A press speaks for itself: it edits the message whose button it was, or says a sentence to who pressed it, alone.
There is no receipt and no part of an answer. A press may be heard twice after a restart: who answers for it makes
sure that it takes effect once.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import structlog

from bot.answer import Ended, Receipt, Stopped
from bot.ask import Ask, Lease, Person
from bot.errors import StoreDown
from bot.policy import Verdict
from bot.slack.aside import Aside
from bot.slack.wire import SlackError, SlackWire

OLD = "This button is of another version of me, which I don't know any more. Please ask again in words."
UNOPENED = "If no form has opened, please press the button again."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody pressed a button of ours, or sent a form.

    Attributes:
        action: the action id up to the first colon, or the form's callback id.
        value: what we gave the button: `object` or `object:word`. Anybody could have made it up.
        user: who pressed.
        channel: where; `thread` and `ts` are of the message whose button it was, "" where Slack did not say.
        response_url: says five sentences to who pressed, for 30 minutes; "" where there is none.
        lease: the press as an ask; what it changes is conditioned on it.
        person: who pressed, as Slack names them.
        fields: what was written in a form, by block id.
        tools: whether who pressed may have anything read or written here.
    """

    action: str
    value: str
    user: str
    channel: str
    thread: str
    ts: str
    response_url: str = field(repr=False)
    lease: Lease
    person: Person
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    tools: bool = True


Handler = Callable[[Press], Awaitable[Ended]]
"""Answers for an action: does it, says so in Slack, and gives how it ended, for the log.

It raises SlackError where nothing could be said; the press is then heard again a little later.
"""


Opener = Callable[[Ask, str], Awaitable[None]]
"""Opens the form that a click asks for, with its trigger id, if who pressed may; called by the door, within seconds."""


class Clicks:
    """Knows who answers for which action.

    Args:
        wire: Slack.
        handlers: by action.
        openers: of forms, by action.
    """

    def __init__(
        self, wire: SlackWire, handlers: Mapping[str, Handler], openers: Mapping[str, Opener]
    ) -> None:
        self._wire, self._handlers, self._openers = wire, handlers, openers

    @property
    def actions(self) -> frozenset[str]:
        """Every action that somebody answers for."""
        return frozenset(self._handlers)

    async def opens(self, ask: Ask, trigger: str) -> None:
        """Open the form that a click asks for, if it asks for one; who pressed hears where that may have failed.

        Raises:
            SlackError: it could not even be told.
        """
        opener = self._openers.get(ask.click.action) if ask.click is not None else None
        if opener is None:
            return
        try:
            await opener(ask, trigger)
        except (SlackError, StoreDown) as error:
            log.warning("form", ask=ask.id, problem=str(error))
            await Aside(self._wire, ask).alone(UNOPENED)

    async def press(self, lease: Lease, person: Person, verdict: Verdict) -> Ended:
        """Let a press take effect, if who pressed may ask here at all.

        Raises:
            LeaseLost: another worker has it.
            SlackError: it could not be told.
            StoreDown: it was not written.
        """
        click = lease.ask.click
        handler = self._handlers.get(click.action) if click is not None else None
        if not verdict.allowed:
            return await self.tell(lease, verdict.sentence, rule=verdict.rule)
        if click is None or handler is None:
            return await self.tell(lease, OLD, rule="no_such")
        ask = lease.ask
        return await handler(
            Press(
                action=click.action,
                value=click.value,
                user=ask.user,
                channel=ask.channel,
                thread=ask.thread,
                ts=click.message,
                response_url=ask.response_url,
                lease=lease,
                person=person,
                fields=click.fields,
                tools=verdict.tools,
            )
        )

    async def tell(self, lease: Lease, sentence: str, *, rule: str) -> Stopped:
        """Say a sentence to who pressed, alone: why nothing comes of it."""
        await Aside(self._wire, lease.ask).alone(sentence)
        return Stopped(sentence, Receipt(), rule=rule)
