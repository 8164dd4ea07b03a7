"""What became of a proposal when somebody pressed one of its buttons: done, changed, dropped, undone or read, each once.

    press -> is it theirs, here, as it stands, in time? -> a step on disk -> written -> the outcome on disk -> the message
                                                                      `-> read: an ask of who pressed, in the same commit

Nothing of it is Claude's: who decides is a person, and what is written is what they saw. A press that may do nothing is
told so in a sentence, and logged.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from bot.answer import Answer, Ended, Receipt, Stopped
from bot.ask import Ask
from bot.inbox import Inbox
from bot.policy import Policy
from bot.proposals import Moved, Proposal, Proposals, State
from bot.slack.aside import Aside
from bot.slack.blocks import Block, Message, markdown
from bot.slack.clicks import Handler, Opener, Press
from bot.slack.mrkdwn import shown
from bot.slack.parts import UNEDITABLE
from bot.slack.pen import BLOCKS_REFUSED
from bot.slack.presses import Place
from bot.slack.proposed import (
    CHANGE,
    CHANGED,
    DO,
    DROP,
    LAPSED,
    UNDO,
    changed,
    form,
    name_of,
    told,
)
from bot.slack.split import plain
from bot.slack.unread import READ
from bot.slack.wire import GONE, SlackError, SlackWire
from bot.writing import Unwritten, Writing

NO_SUCH = "I don't know this proposal. Please ask again in words."
NOT_YOURS = "Only who asked for this, or an admin, can decide on it."
STALE = "This proposal was changed since you saw it; decide on it as it stands now."
UNSHOWN = "Slack does not show it here as it is now; ask for it again in words."
TOO_LATE = "It was written more than a day ago; change it in Jira."
ALREADY: Mapping[State, str] = {
    "open": "It is open again; decide on it as it stands now.",
    "writing": "It is being written already.",
    "written": "It was written already, by a press of {who}.",
    "unknown": "It was pressed already, by {who}; whether it was written is not known.",
    "failed": "It was tried already, by {who}, and not written; please ask again.",
    "allowed": "It was let be read already, by {who}.",
    "dropped": "It was dropped already, by {who}.",
    "expired": LAPSED,
    "undoing": "It is being undone already.",
    "undone": "It was undone already, by {who}.",
    "kept": "{who} wanted it undone already; the proposal says what came of it.",
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Barred:
    """A press that may do nothing: by which rule, and the sentence for who pressed."""

    rule: str
    sentence: str


NO_TOOLS = Barred(
    "no_tools", "I answer you here, but I read and write nothing for guests or other organisations."
)

Decision = Callable[[Press, Proposal], Awaitable[Proposal | Barred | None]]
"""What one button does: the proposal as it is then, why it may not, or None where there is nothing to show."""


class Offers:
    """Shows proposals and does what people decide on them.

    Args:
        wire: Slack.
        proposals: what was proposed.
        writing: does what was decided.
        inbox: where an ask is put that reads what a person let be read.
        policy: who is an admin, and what a channel may write to.
        new_id: makes the id of an ask.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        wire: SlackWire,
        proposals: Proposals,
        writing: Writing,
        inbox: Inbox,
        *,
        policy: Policy,
        new_id: Callable[[], str],
        now: Callable[[], float],
    ) -> None:
        self._wire, self._proposals, self._writing = wire, proposals, writing
        self._inbox, self._policy, self._new_id, self._now = inbox, policy, new_id, now

    def handlers(self) -> Mapping[str, Handler]:
        """Who answers for which action."""
        return {
            DO: self.do,
            CHANGE: self.change,
            CHANGED: self.changed,
            DROP: self.drop,
            UNDO: self.undo,
            READ: self.read,
        }

    def openers(self) -> Mapping[str, Opener]:
        """Who opens a form for which action."""
        return {CHANGE: self.opens}

    async def of(self, ask: Ask, ended: Ended) -> Sequence[Message]:
        """What an ask that was answered proposes, as messages to stand under the answer."""
        if not isinstance(ended, Answer) or not (ended.receipt.tools or ended.proposes):
            return ()
        return [told(proposal) for proposal in await self._proposals.of(ask.id)]

    async def opens(self, ask: Ask, trigger: str) -> None:
        """Open the form that a press asks for, if it does and who pressed may; called by the door, within seconds.

        Raises:
            SlackError: it was not opened.
            StoreDown: the proposal cannot be read.
        """
        click = ask.click
        if click is None or click.action != CHANGE:
            return
        found = await self._found(ask, click.value)
        if isinstance(found, Proposal) and found.state == "open" and not self._is_late(found):
            where = Place(ask.channel, ask.thread, click.message, ask.response_url)
            await self._wire.open_view(trigger, form(found, where))

    # The buttons

    async def do(self, press: Press) -> Ended:
        """Write it, or look whether it was written where nobody saw the outcome."""
        return await self._decide(press, self._do)

    async def drop(self, press: Press) -> Ended:
        """Let it be."""
        return await self._decide(press, self._drop)

    async def change(self, press: Press) -> Ended:
        """The form was opened by the door; here it is told where it was not."""
        return await self._decide(press, self._change)

    async def changed(self, press: Press) -> Ended:
        """The form was sent: the proposal has another content, to be decided on as before."""
        return await self._decide(press, self._changed)

    async def undo(self, press: Press) -> Ended:
        """Take back what was written, where nobody built on it."""
        return await self._decide(press, self._undo)

    async def read(self, press: Press) -> Ended:
        """Let an address be read: who pressed asks for it, in the same thread."""
        return await self._decide(press, self._read)

    async def _decide(self, press: Press, how: Decision) -> Ended:
        """Let a press take effect, if it may: on what it found, in time, and before anybody else's."""
        found = await self._found(press.lease.ask, press.value)
        if isinstance(found, Barred):
            return await self._refuse(press, found)
        if found.state == "open" and self._is_late(found):
            how = self._expire
        try:
            now = await how(press, found)
        except Moved:
            now = await self._moved(found)
        if isinstance(now, Barred):
            return await self._refuse(press, now)
        if now is None:
            return Answer("a form was opened", Receipt())
        return await self._show(press, now)

    async def _do(self, press: Press, found: Proposal) -> Proposal | Barred:
        name = name_of(press.person)
        if found.state not in {"open", "writing", "unknown"}:
            return self._again(press, found)
        if barred := self._barred(press, found):
            return barred
        if found.state == "open":
            return await self._writing.write(press.lease, found, name=name)
        return await self._writing.look(press.lease, found, name=name)

    async def _drop(self, press: Press, found: Proposal) -> Proposal | Barred:
        if found.state != "open":
            return self._again(press, found)
        name = name_of(press.person)
        return await self._proposals.step(press.lease, found, "dropped", name=name)

    async def _change(self, press: Press, found: Proposal) -> Proposal | Barred | None:
        if found.state != "open":
            return self._again(press, found)
        return self._barred(press, found)

    async def _changed(self, press: Press, found: Proposal) -> Proposal | Barred:
        if found.state != "open" or found.press == press.lease.ask.id:
            return self._again(press, found)
        if barred := self._barred(press, found):
            return barred
        asked = changed(found, press.fields)
        try:
            draft = await self._writing.redraft(found, asked, press.person)
        except Unwritten as problem:
            wrote = "\n".join(f"> {line}" for v in press.fields.values() for line in v.splitlines())
            return Barred("unwritten", f"{problem} Nothing was changed. You wrote:\n{wrote}")
        if barred := self._barred(press, found, draft):
            return barred
        name = name_of(press.person)
        return await self._proposals.reword(
            press.lease, found, asked=asked, draft=draft, behalf=name
        )

    async def _undo(self, press: Press, found: Proposal) -> Proposal | Barred:
        if found.state not in {"written", "undoing"}:
            return self._again(press, found)
        if self._is_late(found):
            return Barred("late", TOO_LATE)
        if barred := self._barred(press, found):
            return barred
        return await self._writing.undo(press.lease, found, name=name_of(press.person))

    async def _read(self, press: Press, found: Proposal) -> Proposal | Barred:
        if found.state != "open":
            return self._again(press, found)
        if not press.tools:
            return NO_TOOLS
        asked = replace(
            press.lease.ask,
            id=self._new_id(),
            key=f"read:{found.id}",
            feature="chat",
            text=found.draft,
            at=self._now(),
            thread=found.thread or press.ts,
            response_url="",
            click=None,
        )
        name = name_of(press.person)
        now = await self._proposals.step(
            press.lease, found, "allowed", name=name, also=lambda tx: self._inbox.own(tx, asked)
        )
        self._inbox.ended()
        return now

    async def _expire(self, press: Press, found: Proposal) -> Proposal | Barred:
        """Take the buttons away, and tell who pressed too late."""
        name = name_of(press.person)
        await self._show(
            press, await self._proposals.step(press.lease, found, "expired", name=name)
        )
        return Barred("late", LAPSED)

    def _again(self, press: Press, found: Proposal) -> Proposal | Barred:
        """It was decided before: by this very press, whose last words were lost, or by another one."""
        if found.press == press.lease.ask.id:
            return found
        return Barred("decided", ALREADY[found.state].format(who=found.who_name))

    async def _moved(self, found: Proposal) -> Barred:
        now = await self._proposals.get(found.id) or found
        return Barred("decided", ALREADY[now.state].format(who=now.who_name))

    # Who may

    async def _found(self, ask: Ask, value: str) -> Proposal | Barred:
        """The proposal that a button names, if who pressed may decide on it as it stands."""
        id_, _, digest = value.partition(":")
        found = await self._proposals.get(id_)
        if found is None or (found.team, found.channel) != (ask.team, ask.channel):
            return Barred("foreign_place" if found else "no_such", NO_SUCH)
        # An address is read and nothing else; what would be written is never just read.
        if ask.click is None or (found.kind == "address") != (ask.click.action == READ):
            return Barred("no_such", NO_SUCH)
        if ask.user != found.user and not self._policy.is_admin(ask.user):
            return Barred("not_yours", NOT_YOURS)
        ours = found.press == ask.id  # a press that is heard again after a restart
        return found if ours or digest == found.hash else Barred("stale", STALE)

    def _barred(self, press: Press, found: Proposal, draft: str = "") -> Barred | None:
        """Why this channel may not have it written now, it or another draft of it; None where it may."""
        if not press.tools:
            return NO_TOOLS
        verdict = self._writing.may(found, self._policy.rules(press.channel), draft=draft)
        return None if verdict.allowed else Barred(verdict.rule, verdict.sentence)

    def _is_late(self, proposal: Proposal) -> bool:
        return self._now() > proposal.until

    # What is said

    async def _show(self, press: Press, proposal: Proposal) -> Ended:
        """Put what is so now into the message's place; where that is gone, who pressed is told."""
        text, blocks = told(proposal)
        said = " ".join(part for part in (plain(text), proposal.sentence) if part)
        sentence = UNSHOWN if proposal.state == "open" else shown(proposal.sentence, _unknown)
        bare = f"{text}\n{sentence}".strip()
        try:
            await self._edit(press, said, [markdown(text), *blocks], bare)
        except SlackError as error:
            if press.ts and error.code not in UNEDITABLE | GONE:
                raise
            await Aside(self._wire, press.lease.ask).alone(bare)
        if proposal.state in {"failed", "unknown", "expired", "kept"}:
            return Stopped(said, Receipt())
        return Answer(said, Receipt())

    async def _edit(self, press: Press, said: str, blocks: list[Block], bare: str) -> None:
        """Edit the message; with bare words where Slack refuses the blocks, for what was done has to stand there."""
        try:
            await self._wire.update(press.channel, press.ts, said, blocks=blocks)
        except SlackError as error:
            if error.code not in BLOCKS_REFUSED:
                raise
            log.warning("blocks refused", code=error.code, ask=press.lease.ask.id)
            await self._wire.update(press.channel, press.ts, bare)

    async def _refuse(self, press: Press, barred: Barred) -> Ended:
        log.warning(
            "press refused",
            rule=barred.rule,
            action=press.action,
            proposal=press.value.partition(":")[0][:40],
            user=press.user,
            channel=press.channel,
            ask=press.lease.ask.id,
        )
        await Aside(self._wire, press.lease.ask).alone(shown(barred.sentence, _unknown))
        return Stopped(barred.sentence, Receipt(), rule=barred.rule)


def _unknown(_host: str, _address: str) -> bool:
    """No link of what somebody wrote stays one."""
    return False
