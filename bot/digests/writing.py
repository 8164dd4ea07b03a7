"""A digest from what is read to what is said: an ask that is looked at now and then, and speaks when it is due.

    may it still? -> read -> a batch (see turn/batch) ... -> due -> Answer, or a sentence why there is none

Every look begins with the policy as it is then: a digest whose asker has left is stopped, one in a paused channel is
left out, and what a channel may read is decided when it is read. Between two looks nothing of it runs.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from bot.answer import Answer, Ended, Failed, Receipt, Refused, Stopped
from bot.ask import Ask, Lease, Person
from bot.digests.kept import Digest, Digests
from bot.digests.material import Material, words
from bot.digests.subject import projects
from bot.errors import OverBudget, ToolProblem
from bot.policy import PAUSED, Policy, Verdict
from bot.prompts import DIGEST_TOKENS
from bot.redaction import hidden_in
from bot.store import Transaction
from bot.turn import Brief, Rooms
from bot.turn.batch import LOOK_SECONDS, TIER, Batch, Later, Lost
from bot.turn.bounds import over
from bot.turn.loop import SECRETS
from bot.turn.request import Order, opaque, order
from bot.turn.response import Response
from integrations.claude_batches import Batches

Admit = Callable[[Ask], Awaitable[tuple[Person, Verdict]]]
"""Who asked, and whether they may now."""
Here = Callable[[str], Awaitable[bool]]
"""Whether we are in a channel, so that something can be said there."""

LATE_TOLD_SECONDS = 600.0  # after it was due a digest says so
GIVEN_UP_SECONDS = 36 * 3600.0  # after it was due nobody waits for it any more
PASSING = frozenset(
    {PAUSED, "external", "absent"}
)  # denied now; Slack may only not say whether a channel is shared, or whether we are in it
END = "end"  # by which the journal knows what was said of a digest that was stopped
HIDDEN = "hidden"  # and how many secrets were hidden in what was read for it
NOT_WANTED = "Nobody wants this digest now."
LEAVER = "{name}, who asked for it, has left"
BARRED = "{name}, who asked for it, may not ask here any more"
STOPPED = "I write the digest of {subject} no more: {why}. Whoever wants it asks for it with `/summarize`."
UNREAD = "There is no digest of {subject} this time. {why}"
DECLINED = (
    "Claude declined to write the digest of {subject}, so there is none this time. What it would have told stands "
    "where it was read; `/summarize` with single tickets may get through."
)
LOST: Mapping[str, str] = {
    "expired": "Claude had no time for it within a day",
    "canceled": "its batch was given up on Claude's side",
    "gone": "Claude does not know its batch any more",
    "SpendLimited": "the Claude account has reached its spending limit",
    "BadCredentials": "Claude does not take our key",
    "RequestTooLarge": "there was more to read than Claude takes at once",
}
BROKEN = "its batch ended with an error on Claude's side"
TOO_LATE = "Claude took no batch for a day and longer"
EMPTY = "Claude's answer was empty"
NONE = "There is no digest of {subject} this time: {why}. The next one comes at {next}."
LATE = "This was due at {due} and comes late."
READ_AT = (
    "As of {read}. `/purser digests` lists the digests of this channel, and how they are stopped."
)
CUT = "It was cut at its length."


@dataclass(frozen=True, slots=True)
class _Bar:
    """By which rule a digest is not to be written; `why` in words for the channel, "" where nothing is to be said."""

    rule: str
    why: str = ""

    @property
    def passing(self) -> bool:
        """Whether the next one may be written again."""
        return self.rule in PASSING


class Writing:
    """Works on digests that have become asks.

    Args:
        rooms: what every turn works with.
        digests: who wants what.
        batches: Claude's.
        material: reads what they are about.
        policy: what a channel may, now.
        admit: whether who asked may, now.
        here: whether it could be said.
    """

    def __init__(
        self,
        rooms: Rooms,
        digests: Digests,
        batches: Batches,
        material: Material,
        policy: Policy,
        *,
        admit: Admit,
        here: Here,
    ) -> None:
        self._rooms, self._digests, self._batches = rooms, digests, batches
        self._material, self._policy = material, policy
        self._admit, self._here = admit, here

    async def work(self, lease: Lease) -> Later | Ended:
        """Bring a digest one step further.

        Returns:
            When to look at it again; or how it ends, to be said now.

        Raises:
            LeaseLost: another worker has it.
            StoreDown: it could not be written down.
        """
        ask = lease.ask
        told = await self._rooms.journal.read(ask.id)
        if said := told.tool_results.get(END):
            return Stopped(str(said), Receipt())
        digest = await self._digests.get(ask.digest)
        bar = await self._bar(digest, ask)
        batch = Batch(self._rooms, self._batches, lease, self._brief(ask), told)
        if (sent := batch.open) is not None:
            step = await batch.look(sent, unwanted=bar is not None and not bar.passing)
        else:
            step = batch.known()
        if isinstance(step, Later) and step.at < ask.at + GIVEN_UP_SECONDS:
            return step
        if bar is not None or digest is None:
            return await self._barred(lease, digest, bar, batch)
        if step is None:
            return await self._begun(lease, digest, batch, told.tool_results)
        if self._rooms.now() < ask.at:
            return Later(ask.at)
        if (closed := self._closed(ask, digest, told.tool_results)) is not None:
            why = UNREAD.format(subject=digest.subject.told, why=closed.sentence)
            return Stopped(why, batch.receipt(_response(step)), rule=closed.rule)
        return self._ended(ask, digest, batch, step, hidden=int(told.tool_results.get(HIDDEN) or 0))

    def _closed(self, ask: Ask, digest: Digest, results: Mapping[str, Any]) -> Verdict | None:
        """The project that it tells of and that was closed to this channel since it was read; None where there is none."""
        given = [block for block in results.values() if isinstance(block, dict)]
        named = projects(digest.subject, map(words, cast("list[dict[str, Any]]", given)))
        rules = self._policy.rules(ask.channel)
        verdicts = (self._policy.may_read_project(rules, one) for one in sorted(named))
        return next((verdict for verdict in verdicts if not verdict.allowed), None)

    async def _begun(
        self, lease: Lease, digest: Digest, batch: Batch, known: Mapping[str, Any]
    ) -> Later | Ended:
        """Read, and let the batch be made; where that cannot be, it is tried once more when it is due."""
        ask, subject = lease.ask, digest.subject.told
        if not await self._here(ask.channel):  # as Slack says now: it is asked again until the hour
            return await self._barred(lease, digest, _Bar("absent"), batch)
        brief = self._brief(ask)
        try:
            read = await self._material.read(lease, digest, brief, known)
            await self._note_hidden(lease, read)
            step = await batch.send(self._order(ask, brief, read))
        except ToolProblem as problem:
            why, rule = str(problem), problem.rule
        except OverBudget as spent:
            why, rule = over(spent.scope, brief.rules, await self._rooms.admins()), "budget"
        else:
            if isinstance(step, Later) and step.at < ask.at + GIVEN_UP_SECONDS:
                return step
            early = self._rooms.now() < ask.at
            return Later(ask.at) if early else self._ended(ask, digest, batch, step)
        if self._rooms.now() < ask.at:
            return Later(ask.at)
        return Stopped(UNREAD.format(subject=subject, why=why), Receipt(), rule=rule)

    async def _note_hidden(self, lease: Lease, read: Sequence[Mapping[str, Any]]) -> None:
        """Journal how many secrets were hidden: what was read is not kept, and whoever posts it has to say so."""
        count = hidden_in("\n".join(str(block["text"]) for block in read))
        if count:
            tx = Transaction(lease)
            self._rooms.journal.tool_result(tx, lease, use_id=HIDDEN, content=count, outcome="ok")
            await self._rooms.store.commit(tx)

    async def _bar(self, digest: Digest | None, ask: Ask) -> _Bar | None:
        """Why it is not to be written, by the policy as it is now; None where it is."""
        if digest is None or digest.stopped:
            return _Bar("stopped")
        # What Purser does by itself may be done everywhere; this is done for who asked.
        person, verdict = await self._admit(replace(ask, origin="command"))
        if verdict.allowed and verdict.tools:
            return None
        if verdict.rule in PASSING:
            return _Bar(verdict.rule)
        words = LEAVER if person.is_gone else BARRED
        return _Bar(verdict.rule, words.format(name=person.name))

    async def _barred(
        self, lease: Lease, digest: Digest | None, bar: _Bar | None, batch: Batch
    ) -> Later | Ended:
        """End it: without a word where nothing is to be said, else with a sentence when it is due, and for good."""
        now, due = self._rooms.now(), lease.ask.at
        if bar is not None and now < due and (bar.passing or bar.why):
            return Later(min(due, now + LOOK_SECONDS))
        if digest is None or bar is None or not bar.why:
            rule = bar.rule if bar is not None else ""
            return Stopped(NOT_WANTED, batch.receipt(), said=True, rule=rule)
        sentence = STOPPED.format(subject=digest.subject.told, why=bar.why)
        tx = Transaction(lease)
        self._digests.stopping(tx, digest)
        self._rooms.journal.tool_result(tx, lease, use_id=END, content=sentence, outcome="problem")
        await self._rooms.store.commit(tx)
        return Stopped(sentence, batch.receipt(), rule=bar.rule)

    def _brief(self, ask: Ask) -> Brief:
        """By the quick model at the lowest effort: it has little to think about."""
        rules = self._policy.rules(ask.channel)
        return Brief(
            feature="digest",
            model=rules.quick_model,
            effort="low",
            rules=rules,
            workspace=self._policy.workspace,
            max_tokens=DIGEST_TOKENS,
        )

    def _order(self, ask: Ask, brief: Brief, read: Sequence[Mapping[str, Any]]) -> Order:
        body = self._rooms.prompts.morning(
            read, model=brief.model, instructions=brief.rules.instructions
        )
        messages = body.pop("messages")
        body["metadata"] = {"user_id": opaque(ask, self._rooms.user_salt)}
        return replace(order("answer", body, messages), tier=TIER)

    # What is said

    def _ended(
        self,
        ask: Ask,
        digest: Digest,
        batch: Batch,
        step: Response | Lost | Later,
        *,
        hidden: int = 0,
    ) -> Ended:
        if isinstance(step, Later):
            return self._none(digest, TOO_LATE, batch.receipt())
        if isinstance(step, Lost):
            return self._none(digest, LOST.get(step.why, BROKEN), batch.receipt())
        receipt, subject = batch.receipt(step), digest.subject.told
        if step.stop_reason == "refusal":
            return Refused(DECLINED.format(subject=subject), receipt, category=step.category or "")
        if not step.text.strip():
            return self._none(digest, EMPTY, receipt)
        sent = batch.last
        notes = [READ_AT.format(read=self._when(sent.at if sent else ask.at))]
        if step.stop_reason == "max_tokens":
            notes.insert(0, CUT)
        if self._rooms.now() > ask.at + LATE_TOLD_SECONDS:
            notes.insert(0, LATE.format(due=self._when(ask.at)))
        if hidden:
            notes.append(SECRETS[hidden > 1].format(n=hidden))
        return Answer(f"**Digest: {subject}**\n\n{step.text.strip()}", receipt, notes=tuple(notes))

    def _none(self, digest: Digest, why: str, receipt: Receipt) -> Ended:
        next_ = self._when(self._digests.next(digest))
        return Failed(NONE.format(subject=digest.subject.told, why=why, next=next_), receipt)

    def _when(self, at: float) -> str:
        moment = datetime.fromtimestamp(at, self._digests.zone)
        return f"{moment.hour}:{moment.minute:02} on {moment:%A}, {moment.day} {moment:%B}"


def _response(step: Response | Lost | Later) -> Response | None:
    return step if isinstance(step, Response) else None
