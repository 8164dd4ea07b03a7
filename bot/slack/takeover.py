"""People take over what Claude refused: what one of them decides comes to the thread, once.

    press  -> is it here, open, in time, of a member? -> settled on disk, with what follows -> the message
    a day  -> settled by an ask of our own, as a press is

What follows (a message of ours, and of a rewording the ask) is put into the inbox by the transaction that settles it. A
press that may do nothing is told so in a sentence, and logged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from bot.answer import Answer, Ended, Receipt, Stopped
from bot.ask import Ask
from bot.escalations import Escalation, Escalations, Settled, State
from bot.metrics import Metrics
from bot.slack.aside import Aside
from bot.slack.blocks import markdown
from bot.slack.clicks import Handler, Opener, Press
from bot.slack.escalated import (
    ALREADY,
    ANSWER,
    ANSWERED,
    CLOSE,
    FIELD,
    LAPSE,
    REWORD,
    REWORDED,
    answered,
    asked_anew,
    closed,
    form,
    lapsed,
    reworded,
)
from bot.slack.handover import Handover
from bot.slack.parts import UNEDITABLE
from bot.slack.people import People
from bot.slack.presses import Place
from bot.slack.proposed import name_of
from bot.slack.split import plain
from bot.slack.wire import GONE, SlackError, SlackWire

AFTER_SECONDS = 0.001  # by which an ask follows the message that tells of it
NO_SUCH = "I don't know this any more, or it is not of this channel."
NO_MEMBER = "Only who is in this channel can take this over."

log = structlog.get_logger()

Follow = Callable[[Escalation], Sequence[Ask]]
"""What is said and asked in the thread once it is settled."""


@dataclass(frozen=True, slots=True)
class Barred:
    """A press that may do nothing: by which rule, and the sentence for who pressed."""

    rule: str
    sentence: str


class Takeover:
    """Does what people decide on what Claude refused.

    Args:
        wire: Slack.
        escalations: where it is kept.
        handover: what stands before them.
        people: who is where.
        metrics: counts what they did.
        new_id: makes the id of an ask.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        wire: SlackWire,
        escalations: Escalations,
        handover: Handover,
        *,
        people: People,
        metrics: Metrics,
        new_id: Callable[[], str],
        now: Callable[[], float],
    ) -> None:
        self._wire, self._escalations, self._handover = wire, escalations, handover
        self._people, self._metrics = people, metrics
        self._new_id, self._now = new_id, now

    def handlers(self) -> Mapping[str, Handler]:
        """Who answers for which action."""
        return {
            ANSWER: self.opened,
            REWORD: self.opened,
            CLOSE: self.close,
            ANSWERED: self.answered,
            REWORDED: self.reworded,
            LAPSE: self.lapse,
        }

    def openers(self) -> Mapping[str, Opener]:
        """Who opens a form for which action."""
        return {ANSWER: self.opens, REWORD: self.opens}

    async def opens(self, ask: Ask, trigger: str) -> None:
        """Open the form that a press asks for, if who pressed may; called by the door, within seconds.

        Raises:
            SlackError: it was not opened.
            StoreDown: what it is about cannot be read.
        """
        found, click = await self._found(ask), ask.click
        if click is None or isinstance(found, Barred) or self._over(found):
            return
        where = Place(ask.channel, ask.thread, click.message, ask.response_url)
        view = form(found, click.action, self._handover.words(found), where)
        await self._wire.open_view(trigger, view)

    # The buttons and forms; see `clicks.Handler`

    async def opened(self, press: Press) -> Ended:
        """The door has opened the form; here it is told why it did not, where that is by rule."""
        found = await self._found(press.lease.ask)
        if isinstance(found, Barred):
            return await self._refuse(press, found)
        if barred := self._over(found):
            return await self._refuse(press, barred)
        return Answer("a form was opened", Receipt())

    async def answered(self, press: Press) -> Ended:
        """Somebody wrote an answer: it goes to the thread, under their name."""
        text = answered(name_of(press.person), press.fields.get(FIELD, ""))
        return await self._decide(press, "answered", lambda found: [self._said(found, text)])

    async def reworded(self, press: Press) -> Ended:
        """Somebody put it in other words: the thread sees them, and Claude is asked for who asked."""
        words = press.fields.get(FIELD, "")
        text = reworded(name_of(press.person), words)
        return await self._decide(
            press,
            "reworded",
            lambda found: [self._said(found, text), self._asked(found, words)],
        )

    async def close(self, press: Press) -> Ended:
        """Somebody closed it."""
        text = closed(name_of(press.person))
        return await self._decide(press, "closed", lambda found: [self._said(found, text)])

    async def lapse(self, press: Press) -> Ended:
        """A day has passed; what was settled meanwhile stays. Only an ask of our own says so."""
        found = await self._escalations.get(press.value)
        if found is None or press.lease.ask.origin != "own":
            return Stopped(NO_SUCH, Receipt(), said=True)
        text = lapsed(await self._handover.place(found.channel))
        settled = await self._settled(press, found, "lapsed", lambda one: [self._said(one, text)])
        if isinstance(settled, Barred):
            return Stopped(settled.sentence, Receipt(), said=True)
        return await self._show(press, settled)

    async def _decide(self, press: Press, state: State, follow: Follow) -> Ended:
        """Let a press take effect, if it may: in time, and before anybody else's."""
        found = await self._found(press.lease.ask)
        if isinstance(found, Barred):
            return await self._refuse(press, found)
        settled = await self._settled(press, found, state, follow)
        if isinstance(settled, Barred):
            return await self._refuse(press, settled)
        return await self._show(press, settled)

    async def _settled(
        self, press: Press, found: Escalation, state: State, follow: Follow
    ) -> Escalation | Barred:
        """Settle it by this press, or say by what it was settled before; one that is heard again has settled it."""
        if found.press == press.lease.ask.id:
            return found
        if state != "lapsed" and (barred := self._over(found)):
            return barred
        own = press.lease.ask.origin == "own"
        try:
            settled = await self._escalations.settle(
                press.lease,
                found,
                state,
                who="" if own else press.user,
                name="" if own else name_of(press.person),
                follow=follow(found),
            )
        except Settled:
            return _already(await self._escalations.get(found.ask.id) or found)
        self._metrics.climbed(found.category, "people", state)
        return settled

    async def _found(self, ask: Ask) -> Escalation | Barred:
        """What a button is about, if who pressed may take it over here."""
        found = await self._escalations.get(ask.click.value if ask.click else "")
        if found is None or (found.ask.team, found.channel) != (ask.team, ask.channel):
            return Barred("foreign_place" if found else "no_such", NO_SUCH)
        if not await self._people.member(ask.channel, ask.user):
            return Barred("no_member", NO_MEMBER)
        return found

    def _over(self, found: Escalation) -> Barred | None:
        """Why it can be taken over no more, if so."""
        if found.state != "open":
            return _already(found)
        return Barred("late", ALREADY["lapsed"]) if self._now() >= found.until else None

    # What follows in the thread

    def _said(self, found: Escalation, text: str) -> Ask:
        """A message of ours in the thread."""
        return replace(
            found.ask,
            id=self._new_id(),
            key=f"refused:{found.ask.id}",
            feature="digest",
            origin="own",
            text=text,
            at=self._now(),
            ts="",
            edited="",
            files=(),
            not_before=0.0,
        )

    def _asked(self, found: Escalation, words: str) -> Ask:
        """The ask once more, of the same person in the same thread, in other words."""
        return replace(
            self._said(found, asked_anew(found, words)),
            id=self._new_id(),
            key=f"reworded:{found.ask.id}",
            feature=found.ask.feature,
            origin="reworded",
            at=self._now() + AFTER_SECONDS,
            files=found.ask.files,
        )

    # What is said

    async def _show(self, press: Press, found: Escalation) -> Ended:
        """Put what is so now into the message's place; where that is gone, nobody misses it."""
        text, blocks = await self._handover.message(found)
        said = plain(text)
        try:
            await self._wire.update(found.channel, found.ts, said, blocks=[markdown(text), *blocks])
        except SlackError as error:
            if error.code not in UNEDITABLE | GONE:
                raise
            log.info("no place for an outcome", code=error.code, ask=press.lease.ask.id)
        if found.state == "lapsed":
            return Stopped(said, Receipt(), said=True)
        return Answer(said, Receipt())

    async def _refuse(self, press: Press, barred: Barred) -> Ended:
        log.warning(
            "press refused",
            rule=barred.rule,
            action=press.action,
            escalation=press.value[:40],
            user=press.user,
            channel=press.channel,
            ask=press.lease.ask.id,
        )
        await Aside(self._wire, press.lease.ask).alone(barred.sentence)
        return Stopped(barred.sentence, Receipt(), rule=barred.rule)


def _already(found: Escalation) -> Barred:
    return Barred("decided", ALREADY.get(found.state, NO_SUCH).format(who=found.who_name))
